#include "settings.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "ids.h"

namespace pvcam_sim {

namespace pvcam = kymograph::pvcam;

namespace {

constexpr double kRowSecondsAtFiveNs = 11.3e-6;  // 2048 rows at 43 Hz
constexpr double kFiveNs = 5;
constexpr int64_t kColdest = -2500;              // hundredths of a degree Celsius
constexpr int64_t kWarmest = 2500;
constexpr int64_t kColdAtFirst = -2000;
constexpr int kTemperatureRipple = 24;           // hundredths: a sensor at -20 reads -19.76
constexpr int64_t kRecommendedFrames = 32;
constexpr int64_t kMostRegions = 15;
constexpr int64_t kClearingNs = 1'200'000;
constexpr int64_t kLongestMicroseconds = 10'000'000;
constexpr int64_t kLongestMilliseconds = 10'000'000;
constexpr int64_t kLongestSeconds = 10'000;
constexpr int64_t kFirmware = 0x0100;            // 1.0
constexpr int64_t kVirtualInterface = 0x1000;

uint16_t typeOf(uint32_t id) { return static_cast<uint16_t>(id >> 24 & 0xff); }

template <typename Value>
int16_t put(void* to, Value value) {
  std::memcpy(to, &value, sizeof value);
  return 0;
}

int16_t putAs(uint16_t type, void* to, int64_t value) {
  switch (type) {
    case pvcam::kInt8: return put(to, static_cast<int8_t>(value));
    case pvcam::kUint8: return put(to, static_cast<uint8_t>(value));
    case pvcam::kInt16: return put(to, static_cast<int16_t>(value));
    case pvcam::kUint16: return put(to, static_cast<uint16_t>(value));
    case pvcam::kBoolean: return put(to, static_cast<rs_bool>(value));
    case pvcam::kInt32:
    case pvcam::kEnum: return put(to, static_cast<int32_t>(value));
    case pvcam::kUint32: return put(to, static_cast<uint32_t>(value));
    case pvcam::kInt64: return put(to, value);
    case pvcam::kUint64: return put(to, static_cast<uint64_t>(value));
    default: return kNotAvailable;
  }
}

template <typename Value>
int64_t take(const void* from) {
  Value value;
  std::memcpy(&value, from, sizeof value);
  return static_cast<int64_t>(value);
}

int64_t takeAs(uint16_t type, const void* from) {
  switch (type) {
    case pvcam::kInt8: return take<int8_t>(from);
    case pvcam::kUint8: return take<uint8_t>(from);
    case pvcam::kInt16: return take<int16_t>(from);
    case pvcam::kUint16: return take<uint16_t>(from);
    case pvcam::kBoolean: return take<rs_bool>(from);
    case pvcam::kInt32:
    case pvcam::kEnum: return take<int32_t>(from);
    case pvcam::kUint32: return take<uint32_t>(from);
    default: return take<int64_t>(from);
  }
}

}  // namespace

Settings::Settings(int number, const Options& options) : model_(modelOf(number)) {
  add(pvcam::kColumns, options.width);
  add(pvcam::kRows, options.height);
  addText(pvcam::kSerialNumber, "SIM00000" + std::to_string(number));
  addText(pvcam::kChipName, model_.chip);
  addText(id::kProductName, model_.product);
  add(pvcam::kFirmwareVersion, kFirmware);
  addChoices(id::kInterfaceType, false, {{kVirtualInterface, "Virtual"}});

  std::vector<Choice> ports;
  for (const Port& each : model_.ports) ports.push_back({static_cast<int32_t>(ports.size()), each.name});
  addChoices(id::kReadoutPort, true, ports);
  addRange(id::kSpeedIndex, 0, 0, 0);
  addRange(id::kGainIndex, 1, 1, 1);
  add(id::kPixelTime, 0);
  add(pvcam::kBitDepth, 0);
  addText(id::kGainName, "");
  followReadout();
  addRange(id::kAdcOffset, 0, 255, 100);
  add(id::kFullWell, 45'000);
  for (const uint32_t masked : {id::kPreMask, id::kPostMask, id::kPreScan, id::kPostScan}) add(masked, 0);

  add(id::kTemperature, 0);
  addRange(id::kTemperatureSetpoint, kColdest, kWarmest, kColdAtFirst);
  addChoices(id::kFanSpeed, true, {{0, "High"}, {1, "Medium"}, {2, "Low"}, {3, "Off"}});

  addChoices(pvcam::kExposureMode, false,
             {{pvcam::kInternalTrigger, "Internal Trigger"}, {2304, "Edge Trigger"}, {2048, "Trigger first"}, {2560, "Level Trigger"},
              {pvcam::kSoftwareFirst, "Software Trigger First"}, {pvcam::kSoftwareEdge, "Software Trigger Edge"}});
  addChoices(pvcam::kExposeOutMode, false, {{0, "First Row"}, {1, "All Rows"}, {2, "Any Row"}, {3, "Rolling Shutter"}, {4, "Line Output"}});
  addChoices(pvcam::kExposureResolution, true, {{pvcam::kMilliseconds, "One Millisecond"}, {pvcam::kMicroseconds, "One Microsecond"}, {pvcam::kSeconds, "One Second"}});
  addRange(pvcam::kExposureTime, 0, kLongestMilliseconds, 0);
  entries_.at(pvcam::kExposureTime).access = pvcam::kReadOnly;
  addChoices(id::kClearMode, true, {{0, "Auto"}, {1, "Pre-Exposure"}, {2, "Pre-Sequence"}, {3, "Post-Sequence"}});
  addRange(id::kClearCycles, 0, 65'535, 2);
  add(pvcam::kReadoutTimeUs, 0);
  add(id::kClearingTime, kClearingNs);
  add(id::kPreTriggerDelay, 0);
  add(id::kPostTriggerDelay, 0);
  addChoices(id::kShutterMode, true, {{0, "Never open"}, {1, "Open pre-exposure"}, {2, "Open pre-sequence"}, {4, "No change"}});
  addChoices(id::kShutterStatus, false, {{4, "Closed"}, {2, "Open"}});
  addRange(id::kShutterOpenDelay, 0, 65'535, 15);
  addRange(id::kShutterCloseDelay, 0, 65'535, 15);

  std::vector<Choice> binnings;
  for (const int32_t by : {1, 2, 4, 8}) binnings.push_back({by, std::to_string(by) + "x" + std::to_string(by)});
  addChoices(id::kBinningSerial, false, binnings);
  addChoices(id::kBinningParallel, false, binnings);
  addRange(id::kRegionCount, 1, kMostRegions, 1);
  addRange(pvcam::kMetadataEnabled, 0, 1, 0);
  addRange(id::kResetTimestamp, 0, 1, 0);
  entries_.at(id::kResetTimestamp).access = pvcam::kWriteOnly;
  add(id::kCircularBuffer, 1);
  add(pvcam::kFrameBufferSize, kRecommendedFrames * options.width * options.height * 2);
  addRange(id::kSmartStreamEnabled, 0, 1, 0);
  addRange(id::kSmartStreamMode, 0, 1, 0);
  addRange(id::kCentroidsEnabled, 0, 1, 0);
  addRange(id::kCentroidsRadius, 1, 50, 10);
  addRange(id::kCentroidsCount, 1, 500, 100);
  addChoices(id::kCentroidsMode, true, {{0, "Locate"}, {1, "Track"}});
  addChoices(id::kHostRotate, true, {{0, "None"}, {1, "90 CW"}, {2, "180"}, {3, "270 CW"}});
  addChoices(id::kHostFlip, true, {{0, "None"}, {1, "X"}, {2, "Y"}, {3, "XY"}});
  addRange(id::kHostSummingEnabled, 0, 1, 0);
  addRange(id::kHostSummingCount, 1, 1000, 1);

  const auto features = static_cast<int64_t>(postFeatures().size());
  addRange(id::kPostIndex, 0, features - 1, 0);
  addRange(id::kPostParameterIndex, 0, 0, 0);
  addRange(id::kPostParameter, 0, 0, 0);
  addText(id::kPostName, "");
  addText(id::kPostParameterName, "");
  add(id::kPostFeatureId, 0);
  add(id::kPostParameterId, 0);
  resetPostProcessing();
}

void Settings::add(uint32_t id, int64_t value) { entries_[id] = {pvcam::kReadOnly, value, value, value, 0, value, static_cast<double>(value), {}, {}}; }

void Settings::addRange(uint32_t id, int64_t minimum, int64_t maximum, int64_t initial) {
  entries_[id] = {pvcam::kReadWrite, initial, minimum, maximum, 1, initial, 0, {}, {}};
}

void Settings::addChoices(uint32_t id, bool writable, std::vector<Choice> choices) {
  const int32_t first = choices.front().value;
  entries_[id] = {writable ? pvcam::kReadWrite : pvcam::kReadOnly, first, 0, 0, 0, first, 0, {}, std::move(choices)};
}

void Settings::addText(uint32_t id, std::string text) { entries_[id] = {pvcam::kReadOnly, 0, 0, 0, 0, 0, 0, std::move(text), {}}; }

Settings::Entry* Settings::find(uint32_t id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

int64_t Settings::number(uint32_t id) const {
  const std::lock_guard guard(mutex_);
  return entries_.at(id).current;
}

const Port& Settings::port() const { return model_.ports.at(static_cast<size_t>(number(id::kReadoutPort))); }
const Speed& Settings::speed() const { return port().speeds.at(static_cast<size_t>(number(id::kSpeedIndex))); }
const Gain& Settings::gain() const { return speed().gains.at(static_cast<size_t>(number(id::kGainIndex)) - 1); }

void Settings::followReadout() {
  entries_.at(id::kSpeedIndex).maximum = static_cast<int64_t>(port().speeds.size()) - 1;
  entries_.at(id::kGainIndex).maximum = static_cast<int64_t>(speed().gains.size());
  entries_.at(id::kPixelTime).current = speed().pixelTimeNs;
  entries_.at(id::kGainName).text = gain().name;
  entries_.at(pvcam::kBitDepth).current = gain().bitDepth;
}

void Settings::followPost() {
  const auto at = static_cast<size_t>(number(id::kPostIndex));
  const PostFeature& feature = postFeatures().at(at);
  Entry& index = entries_.at(id::kPostParameterIndex);
  index.maximum = static_cast<int64_t>(feature.parameters.size()) - 1;
  const PostParameter& parameter = feature.parameters.at(static_cast<size_t>(index.current));
  entries_.at(id::kPostName).text = feature.name;
  entries_.at(id::kPostFeatureId).current = feature.id;
  entries_.at(id::kPostParameterName).text = parameter.name;
  entries_.at(id::kPostParameterId).current = parameter.id;
  Entry& value = entries_.at(id::kPostParameter);
  value.minimum = parameter.minimum;
  value.maximum = parameter.maximum;
  value.initial = parameter.initial;
  value.current = post_[at][static_cast<size_t>(index.current)];
}

void Settings::resetPostProcessing() {
  const std::lock_guard guard(mutex_);
  post_.clear();
  for (const PostFeature& feature : postFeatures()) {
    auto& values = post_.emplace_back();
    for (const PostParameter& parameter : feature.parameters) values.push_back(parameter.initial);
  }
  followPost();
}

void Settings::followResolution() {
  const int64_t resolution = number(pvcam::kExposureResolution);
  entries_.at(pvcam::kExposureTime).maximum =
      resolution == pvcam::kMicroseconds ? kLongestMicroseconds : resolution == pvcam::kMilliseconds ? kLongestMilliseconds : kLongestSeconds;
}

int16_t Settings::get(uint32_t id, int16_t attribute, void* value) {
  const std::lock_guard guard(mutex_);
  const Entry* entry = find(id);
  if (attribute == pvcam::kAvailable) return put<rs_bool>(value, entry != nullptr);
  if (entry == nullptr) return kNotAvailable;
  if (attribute == pvcam::kType) return put(value, typeOf(id));
  if (attribute == pvcam::kAccess) return put(value, entry->access);
  if (attribute == pvcam::kCount) {
    const auto range = static_cast<uint32_t>(entry->maximum - entry->minimum + 1);
    return put(value, entry->choices.empty() ? range : static_cast<uint32_t>(entry->choices.size()));
  }
  if (attribute == pvcam::kCurrent && entry->access == pvcam::kWriteOnly) return kNotAvailable;
  if (typeOf(id) == pvcam::kText) {
    if (attribute != pvcam::kCurrent) return kNotAvailable;
    std::memcpy(value, entry->text.c_str(), entry->text.size() + 1);
    return 0;
  }
  if (typeOf(id) == pvcam::kFloat64) return put(value, entry->real);
  switch (attribute) {
    case pvcam::kMinimum: return putAs(typeOf(id), value, entry->minimum);
    case pvcam::kMaximum: return putAs(typeOf(id), value, entry->maximum);
    case pvcam::kDefault: return putAs(typeOf(id), value, entry->initial);
    case pvcam::kIncrement: return putAs(typeOf(id), value, entry->increment);
    case pvcam::kCurrent: break;
    default: return kNotAvailable;
  }
  if (id != id::kTemperature) return putAs(typeOf(id), value, entry->current);
  return putAs(typeOf(id), value, number(id::kTemperatureSetpoint) + static_cast<int64_t>(random_() % (kTemperatureRipple + 1)));
}

int16_t Settings::storable(const Entry& entry, uint32_t id, int64_t value) const {
  if (entry.access == pvcam::kReadOnly) return kReadOnly;
  if (typeOf(id) == pvcam::kEnum)
    return std::any_of(entry.choices.begin(), entry.choices.end(), [&](const Choice& choice) { return choice.value == value; }) ? 0 : kBadValue;
  return value < entry.minimum || value > entry.maximum ? kBadValue : 0;
}

int16_t Settings::set(uint32_t id, const void* value) {
  const std::lock_guard guard(mutex_);
  Entry* entry = find(id);
  if (entry == nullptr) return kNotAvailable;
  const int64_t wanted = takeAs(typeOf(id), value);
  if (const int16_t code = storable(*entry, id, wanted); code != 0) return code;
  entry->current = wanted;
  switch (id) {
    case id::kReadoutPort: entries_.at(id::kSpeedIndex).current = 0; [[fallthrough]];
    case id::kSpeedIndex: entries_.at(id::kGainIndex).current = 1; [[fallthrough]];
    case id::kGainIndex: followReadout(); break;
    case id::kPostParameter: post_[static_cast<size_t>(number(id::kPostIndex))][static_cast<size_t>(number(id::kPostParameterIndex))] = static_cast<uint32_t>(wanted); break;
    case id::kPostIndex: entries_.at(id::kPostParameterIndex).current = 0; [[fallthrough]];
    case id::kPostParameterIndex: followPost(); break;
    case pvcam::kExposureResolution: followResolution(); break;
    case id::kShutterMode: entries_.at(id::kShutterStatus).current = wanted == 0 ? 4 : 2; break;
    default: break;
  }
  return 0;
}

int16_t Settings::choice(uint32_t id, uint32_t index, Choice* found) {
  const std::lock_guard guard(mutex_);
  const Entry* entry = find(id);
  if (entry == nullptr || index >= entry->choices.size()) return kNotAvailable;
  *found = entry->choices[index];
  return 0;
}

void Settings::setUpFor(uint32_t rows, uint32_t exposure, uint64_t frameBytes) {
  const std::lock_guard guard(mutex_);
  entries_.at(pvcam::kExposureTime).current = exposure;
  entries_.at(pvcam::kReadoutTimeUs).real = rows * rowSeconds() * 1e6;
  entries_.at(pvcam::kFrameBufferSize).initial = kRecommendedFrames * static_cast<int64_t>(frameBytes);
}

void Settings::began(uint32_t bufferBytes) {
  const std::lock_guard guard(mutex_);
  entries_.at(pvcam::kFrameBufferSize).current = bufferBytes;
}

double Settings::rowSeconds() const { return kRowSecondsAtFiveNs * speed().pixelTimeNs / kFiveNs; }

double Settings::exposureUnitSeconds() const {
  const int64_t resolution = number(pvcam::kExposureResolution);
  return resolution == pvcam::kMicroseconds ? 1e-6 : resolution == pvcam::kMilliseconds ? 1e-3 : 1;
}

int16_t Settings::bitDepth() const { return gain().bitDepth; }
double Settings::gainFactor() const { return gain().factor; }

double Settings::quiet() const {
  const std::lock_guard guard(mutex_);
  for (size_t feature = 0; feature < post_.size(); ++feature)
    if (postFeatures()[feature].id == kDenoising && post_[feature][0] != 0) return 1.0 / (1 + post_[feature][1]);
  return 1;
}

}  // namespace pvcam_sim
