#include "pvcam_setup.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

namespace kymograph {

namespace {

constexpr uint32_t kMinBufferFrames = 32;
constexpr uint32_t kMaxBufferFrames = 255;
constexpr uint64_t kMaxBufferBytes = 1ull << 30;   // PVCAM takes 32 bits; a second of the largest camera we know is 0.4 GB
constexpr double kShortestPeriodSeconds = 1e-3;    // of frames: what is faster fills the most that we take anyway
constexpr double kMaxExposureSeconds = 1e6;        // eleven days: what is longer is a mistake
constexpr int64_t kNsPerSecond = 1'000'000'000;

}  // namespace

void checkOptions(const PvcamStart& options, uint32_t sensorWidth, uint32_t sensorHeight) {
  if (options.binningX == 0 || options.binningY == 0) throw std::invalid_argument("binning: must be at least 1");
  if (options.regions.empty()) throw std::invalid_argument("regions: at least one");
  for (const PvcamRegion& region : options.regions) {
    const bool inside = region.width > 0 && region.height > 0 && uint64_t{region.x} + region.width <= sensorWidth &&
                        uint64_t{region.y} + region.height <= sensorHeight;
    if (!inside)
      throw std::invalid_argument("roi: must lie inside the sensor of " + std::to_string(sensorWidth) + " x " + std::to_string(sensorHeight));
    if (region.width % options.binningX != 0 || region.height % options.binningY != 0)
      throw std::invalid_argument("roi: width and height must be multiples of the binning");
  }
  if (!(options.exposureSeconds >= 0 && options.exposureSeconds <= kMaxExposureSeconds))
    throw std::invalid_argument("exposureSeconds: must lie in 0 ... 1000000");
  if (options.frames.value_or(1) == 0) throw std::invalid_argument("frames: must be at least 1");
}

FrameBox boxAround(const PvcamStart& options) {
  uint32_t left = UINT32_MAX, top = UINT32_MAX, right = 0, bottom = 0;
  for (const PvcamRegion& region : options.regions) {
    left = std::min(left, region.x);
    top = std::min(top, region.y);
    right = std::max(right, region.x + region.width);
    bottom = std::max(bottom, region.y + region.height);
  }
  for (const PvcamRegion& region : options.regions)
    if ((region.x - left) % options.binningX != 0 || (region.y - top) % options.binningY != 0)
      throw std::invalid_argument("roi: regions must lie whole binned pixels apart");
  return {left, top, right - left, bottom - top, options.binningX, options.binningY};
}

std::vector<rgn_type> regionsOf(const PvcamStart& options) {
  std::vector<rgn_type> regions;
  for (const PvcamRegion& region : options.regions)
    regions.push_back({static_cast<uint16_t>(region.x), static_cast<uint16_t>(region.x + region.width - 1), static_cast<uint16_t>(options.binningX),
                       static_cast<uint16_t>(region.y), static_cast<uint16_t>(region.y + region.height - 1), static_cast<uint16_t>(options.binningY)});
  return regions;
}

uint64_t pixelBytes(const PvcamStart& options) {
  uint64_t bytes = 0;
  for (const PvcamRegion& region : options.regions) bytes += uint64_t{region.width / options.binningX} * (region.height / options.binningY) * kPixelBytes;
  return bytes;
}

int16_t exposureMode(const PvcamParameters& parameters, const PvcamStart& options) {
  const auto chosen = [&](uint32_t id, std::optional<int32_t> wanted, const char* what) -> std::optional<int32_t> {
    if (!parameters.available(id)) return std::nullopt;
    const auto choices = parameters.choices(id);
    if (!wanted) return choices.empty() ? std::nullopt : std::optional(choices.front().value);
    for (const PvcamChoice& choice : choices)
      if (choice.value == *wanted) return wanted;
    throw std::invalid_argument(std::string(what) + ": " + std::to_string(*wanted) + " is none of this camera's");
  };
  const int32_t trigger = chosen(pvcam::kExposureMode, options.triggerMode, "triggerMode").value_or(pvcam::kTimed);
  if (trigger < pvcam::kInternalTrigger) return static_cast<int16_t>(trigger);
  return static_cast<int16_t>(trigger | chosen(pvcam::kExposeOutMode, options.exposeOutMode, "exposeOutMode").value_or(0));
}

PvcamExposure setExposure(const PvcamParameters& parameters, double seconds) {
  struct Unit {
    int32_t resolution;
    int64_t ns;
  };
  constexpr std::array kUnits = {Unit{pvcam::kMicroseconds, 1'000}, Unit{pvcam::kMilliseconds, 1'000'000}, Unit{pvcam::kSeconds, kNsPerSecond}};
  const auto countIn = [&](const Unit& unit) { return std::round(seconds * 1e9 / static_cast<double>(unit.ns)); };
  const auto refuse = [&] { throw std::invalid_argument("exposureSeconds: " + std::to_string(seconds) + " is beyond what the camera can do"); };
  if (!parameters.available(pvcam::kExposureResolution)) {
    if (countIn(kUnits[1]) > UINT32_MAX) refuse();
    return {static_cast<uint32_t>(countIn(kUnits[1])), kUnits[1].ns};
  }
  const auto offered = parameters.choices(pvcam::kExposureResolution);
  for (const Unit& unit : kUnits) {
    const double count = countIn(unit);
    const bool has = std::any_of(offered.begin(), offered.end(), [&](const PvcamChoice& choice) { return choice.value == unit.resolution; });
    if (!has || count > UINT32_MAX) continue;
    parameters.set(pvcam::kExposureResolution, int64_t{unit.resolution});
    if (parameters.available(pvcam::kExposureTime) && count > static_cast<double>(parameters.read<uint64_t>(pvcam::kExposureTime, pvcam::kMaximum))) continue;
    return {static_cast<uint32_t>(count), unit.ns};
  }
  refuse();
  return {};
}

int64_t exposureDone(const PvcamParameters& parameters, PvcamExposure asked) {
  uint64_t count = asked.count;
  if (parameters.available(pvcam::kExposureTime)) count = parameters.read<uint64_t>(pvcam::kExposureTime);
  return static_cast<int64_t>(count) * asked.unitNs;
}

size_t bufferBytes(const PvcamParameters& parameters, uint32_t frameBytes, double exposureSeconds) {
  const auto recommended = parameters.readIfAny<uint64_t>(pvcam::kFrameBufferSize, pvcam::kDefault).value_or(0);
  const auto readoutUs = parameters.readIfAny<double>(pvcam::kReadoutTimeUs).value_or(0);
  const double periodSeconds = std::max({exposureSeconds, readoutUs / 1e6, kShortestPeriodSeconds});
  const auto second = static_cast<uint64_t>(std::ceil(1.0 / periodSeconds));
  const uint64_t wanted = std::max({recommended / frameBytes, second, uint64_t{kMinBufferFrames}});
  const uint64_t frames = std::min({wanted, uint64_t{kMaxBufferFrames}, std::max<uint64_t>(kMaxBufferBytes / frameBytes, 2)});
  return frames * frameBytes;
}

}  // namespace kymograph
