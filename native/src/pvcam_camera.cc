#include "pvcam_camera.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "pvcam_callbacks.h"

namespace kymograph {

namespace {

using namespace std::chrono;

constexpr uint32_t kMinBufferFrames = 32;
constexpr uint32_t kMaxBufferFrames = 255;
constexpr uint64_t kMaxBufferBytes = 1ull << 30;   // PVCAM takes 32 bits; a second of the largest camera we know is 0.4 GB
constexpr uint64_t kWantedBufferBytes = 1ull << 26;
constexpr milliseconds kPollEvery{100};            // a callback that got lost costs no more than this
constexpr double kMaxExposureSeconds = 4294.0;     // 32 bits of microseconds
constexpr double kHundredths = 100.0;
constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kRateForgottenAfterNs = 2 * kNsPerSecond;

int64_t wallNs() { return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count(); }
int64_t monotonicNs() { return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count(); }

void checkRegion(const PvcamStart& options, const PvcamIdentity& camera) {
  if (options.binning == 0) throw std::invalid_argument("binning: must be at least 1");
  const bool inside = options.width > 0 && options.height > 0 && uint64_t{options.x} + options.width <= camera.sensorWidth &&
                      uint64_t{options.y} + options.height <= camera.sensorHeight;
  if (!inside)
    throw std::invalid_argument("roi: must lie inside the sensor of " + std::to_string(camera.sensorWidth) + " x " + std::to_string(camera.sensorHeight));
  if (options.width % options.binning != 0 || options.height % options.binning != 0)
    throw std::invalid_argument("roi: width and height must be multiples of the binning");
  if (!(options.exposureSeconds >= 0 && options.exposureSeconds <= kMaxExposureSeconds))
    throw std::invalid_argument("exposureSeconds: must lie in 0 ... 4294");
  if (options.frames.value_or(1) == 0) throw std::invalid_argument("frames: must be at least 1");
}

// PVCAM's own buffer only bridges the time until we copy; it is not the ring.
size_t bufferFrames(uint32_t frameBytes, double framePeriodSeconds) {
  const auto oneSecond = static_cast<uint32_t>(std::min(1.0 / std::max(framePeriodSeconds, 1e-3), double{kMaxBufferFrames}));
  const uint64_t affordable = std::max<uint64_t>(kWantedBufferBytes / frameBytes, kMinBufferFrames);
  return std::clamp<uint64_t>(std::min<uint64_t>(oneSecond, affordable), std::min<uint64_t>(kMinBufferFrames, kMaxBufferBytes / frameBytes), kMaxBufferFrames);
}

}  // namespace

void EndOfFrame::notify(const FRAME_INFO& info) {
  {
    const std::lock_guard guard(mutex_);
    clock_.observe(wallNs(), info.TimeStamp * pvcam::kTickNs);
    pending_ = true;
  }
  changed_.notify_one();
}

void EndOfFrame::reset() {
  const std::lock_guard guard(mutex_);
  pending_ = false;
  clock_ = {};
}

void EndOfFrame::wake() {
  {
    const std::lock_guard guard(mutex_);
    pending_ = true;
  }
  changed_.notify_one();
}

bool EndOfFrame::wait(milliseconds timeout) {
  std::unique_lock guard(mutex_);
  changed_.wait_for(guard, timeout, [this] { return pending_; });
  return std::exchange(pending_, false);
}

// A camera without time stamps gives zeros.
int64_t EndOfFrame::timeOf(const FRAME_INFO& info) {
  const std::lock_guard guard(mutex_);
  if (info.TimeStamp == 0) return wallNs();
  return clock_.hostTime(info.TimeStamp * pvcam::kTickNs).value_or(wallNs());
}

PvcamCamera::PvcamCamera(std::shared_ptr<PvcamLibrary> library, const std::string& name) : library_(std::move(library)) {
  std::array<char, pvcam::kCameraNameLength + 1> text{};
  if (name.size() > pvcam::kCameraNameLength) throw std::invalid_argument("no camera has a name of more than 32 characters");
  std::copy(name.begin(), name.end(), text.begin());
  const auto guard = library_->camerasLock();
  library_->check(library_->pl_cam_open(text.data(), &handle_, pvcam::kExclusive), "pl_cam_open");
  try {
    const auto firmware = parameter<uint16_t>(pvcam::kFirmwareVersion);
    identity_ = {name,
                 parameter<uint16_t>(pvcam::kColumns),
                 parameter<uint16_t>(pvcam::kRows),
                 parameter<int16_t>(pvcam::kBitDepth),
                 textParameter(pvcam::kSerialNumber),
                 textParameter(pvcam::kChipName),
                 std::to_string(firmware >> 8) + "." + std::to_string(firmware & 0xff)};
  } catch (...) {
    library_->pl_cam_close(handle_);
    throw;
  }
}

PvcamCamera::~PvcamCamera() {
  stop();
  const auto guard = library_->camerasLock();
  library_->pl_cam_close(handle_);
}

template <typename Value>
Value PvcamCamera::parameter(pvcam::Parameter parameter, pvcam::Attribute attribute) const {
  Value value{};
  library_->check(library_->pl_get_param(handle_, parameter, attribute, &value), "pl_get_param");
  return value;
}

// Not every camera has every name; an absent one is no reason to refuse the camera.
std::string PvcamCamera::textParameter(pvcam::Parameter parameter) const {
  std::array<char, pvcam::kParameterTextLength + 1> text{};
  if (!available(parameter) || !library_->pl_get_param(handle_, parameter, pvcam::kCurrent, text.data())) return "";
  return text.data();
}

bool PvcamCamera::available(pvcam::Parameter parameter) const {
  rs_bool there = 0;
  return library_->pl_get_param(handle_, parameter, pvcam::kAvailable, &there) && there;
}

// The wanted value if the camera offers it, or else the first one; nothing if it has no such parameter.
std::optional<int32_t> PvcamCamera::firstChoice(pvcam::Parameter parameterId, std::optional<int32_t> wanted) const {
  if (!available(parameterId)) return std::nullopt;
  std::optional<int32_t> first;
  const auto total = parameter<uint32_t>(parameterId, pvcam::kCount);
  for (uint32_t index = 0; index < total; ++index) {
    uint32_t length = 0;
    library_->check(library_->pl_enum_str_length(handle_, parameterId, index, &length), "pl_enum_str_length");
    std::string text(length + 1, '\0');
    int32_t value = 0;
    library_->check(library_->pl_get_enum_param(handle_, parameterId, index, &value, text.data(), length), "pl_get_enum_param");
    if (value == wanted) return value;
    if (!first) first = value;
  }
  return first;
}

// Extended modes are the trigger mode OR-ed with the expose-out mode; cameras without them take the legacy timed mode.
int16_t PvcamCamera::exposureMode() const {
  const auto trigger = firstChoice(pvcam::kExposureMode, pvcam::kInternalTrigger);
  if (trigger != pvcam::kInternalTrigger) return pvcam::kTimed;
  return static_cast<int16_t>(*trigger | firstChoice(pvcam::kExposeOutMode, std::nullopt).value_or(0));
}

void PvcamCamera::refuseWhileStreaming(const char* what) const {
  if (streaming_) throw std::logic_error(std::string(what) + ": not while the camera is streaming; stop it first");
}

double PvcamCamera::centiParameter(pvcam::Parameter id) const {
  const std::lock_guard guard(calls_);
  refuseWhileStreaming("reading a temperature");
  return parameter<int16_t>(id) / kHundredths;
}

void PvcamCamera::setTemperatureSetpoint(double celsius) {
  const std::lock_guard guard(calls_);
  refuseWhileStreaming("setting the temperature");
  const double minimum = parameter<int16_t>(pvcam::kTemperatureSetpoint, pvcam::kMinimum) / kHundredths;
  const double maximum = parameter<int16_t>(pvcam::kTemperatureSetpoint, pvcam::kMaximum) / kHundredths;
  if (!(celsius >= minimum && celsius <= maximum))
    throw std::invalid_argument("temperature: must lie in " + std::to_string(minimum) + " ... " + std::to_string(maximum) + " Cel");
  auto value = static_cast<int16_t>(std::lround(celsius * kHundredths));
  library_->check(library_->pl_set_param(handle_, pvcam::kTemperatureSetpoint, &value), "pl_set_param");
}

std::shared_ptr<Ring> PvcamCamera::start(const PvcamStart& options) {
  const std::lock_guard guard(calls_);
  if (ExitStop::exiting()) throw std::logic_error("starting: not while the process ends");  // nobody would stop it
  refuseWhileStreaming("starting");
  join();  // of a run that ended by itself
  checkRegion(options, identity_);
  int32_t resolution = pvcam::kMicroseconds;
  library_->check(library_->pl_set_param(handle_, pvcam::kExposureResolution, &resolution), "pl_set_param");
  const int16_t mode = exposureMode();
  const auto binning = static_cast<uint16_t>(options.binning);
  const rgn_type region = {static_cast<uint16_t>(options.x), static_cast<uint16_t>(options.x + options.width - 1), binning,
                           static_cast<uint16_t>(options.y), static_cast<uint16_t>(options.y + options.height - 1), binning};
  auto ring = Ring::create(options.ringPath, {options.width / options.binning, options.height / options.binning, options.ringSlots}, options.measures);

  // The order that PVCAM needs: callback, set-up, allocation, start.
  const uint64_t token = registerEndOfFrame(handle_, endOfFrame_);
  bool registered = false;
  try {
    const auto callback = reinterpret_cast<void*>(&onEndOfFrame);
    const auto context = reinterpret_cast<void*>(token);
    registered = library_->pl_cam_register_callback_ex3(handle_, pvcam::kEndOfFrame, callback, context) != 0;
    library_->check(registered, "pl_cam_register_callback_ex3");
    uint32_t frameBytes = 0;
    const auto exposureUs = static_cast<uint32_t>(std::llround(options.exposureSeconds * 1e6));
    library_->check(library_->pl_exp_setup_cont(handle_, 1, &region, mode, exposureUs, &frameBytes, pvcam::kNoOverwrite), "pl_exp_setup_cont");
    if (frameBytes != ring->frameBytes())
      throw std::runtime_error("the camera announces frames of " + std::to_string(frameBytes) + " bytes, not of " + std::to_string(ring->frameBytes()));
    const size_t bytes = bufferFrames(frameBytes, options.exposureSeconds) * frameBytes;
    PageBuffer buffer((bytes + kPageBytes - 1) / kPageBytes * kPageBytes);
    endOfFrame_->reset();
    produced_ = 0;
    lost_ = 0;
    framePeriodNs_ = 0;
    lastFrameNumber_ = 0;
    sequence_ = 0;
    stopping_ = false;
    library_->check(library_->pl_exp_start_cont(handle_, buffer.data(), static_cast<uint32_t>(bytes)), "pl_exp_start_cont");
    streaming_ = true;
    thread_ = std::thread([this, ring, options, token, held = std::move(buffer)]() mutable { acquire(ring, std::move(held), options, token); });
  } catch (...) {
    if (streaming_) library_->pl_exp_abort(handle_, pvcam::kHalt);  // the thread could not be made
    streaming_ = false;
    if (registered) library_->pl_cam_deregister_callback(handle_, pvcam::kEndOfFrame);
    forgetEndOfFrame(token);
    throw;
  }
  return ring;
}

void PvcamCamera::stop() {
  const std::lock_guard guard(calls_);
  stopping_ = true;
  endOfFrame_->wake();
  join();
}

void PvcamCamera::join() {
  if (thread_.joinable()) thread_.join();
}

void PvcamCamera::acquire(std::shared_ptr<Ring> ring, PageBuffer buffer, PvcamStart options, uint64_t token) noexcept {
  while (!stopping_) {
    const bool called = endOfFrame_->wait(kPollEvery);
    if (!drain(*ring, options) || (!called && failed())) break;
  }
  if (!library_->pl_exp_stop_cont(handle_, pvcam::kHalt)) library_->pl_exp_abort(handle_, pvcam::kHalt);
  library_->pl_cam_deregister_callback(handle_, pvcam::kEndOfFrame);
  forgetEndOfFrame(token);
  ring->close();
  streaming_ = false;
}

// The status may be asked for while streaming, unlike parameters. A camera that cannot answer has failed.
bool PvcamCamera::failed() const {
  int16_t status = 0;
  uint32_t bytesArrived = 0;
  uint32_t buffersFilled = 0;
  return !library_->pl_exp_check_cont_status(handle_, &status, &bytesArrived, &buffersFilled) || status == pvcam::kFailed;
}

// Callbacks are coalesced: one may stand for several frames. False once all frames that were asked for are there.
bool PvcamCamera::drain(Ring& ring, const PvcamStart& options) {
  void* frame = nullptr;
  FRAME_INFO info{};
  const auto exposureNs = static_cast<int64_t>(std::llround(options.exposureSeconds * 1e9));
  while (!stopping_ && library_->pl_exp_get_oldest_frame_ex(handle_, &frame, &info)) {
    const FrameStatistics statistics = copyAndMeasure(ring.measures(), frame, ring.beginWrite());
    library_->pl_exp_unlock_oldest_frame(handle_);
    count(info.FrameNr);
    const int64_t hardwareTimeNs = info.TimeStamp == 0 ? kNoHardwareTime : info.TimeStamp * pvcam::kTickNs;
    ring.publish({sequence_, endOfFrame_->timeOf(info), exposureNs, hardwareTimeNs, statistics});
    if (++produced_ >= options.frames.value_or(UINT64_MAX)) return false;
  }
  return true;
}

// The camera's count starts at 1. Unsigned differences survive its wrap; a count that does not advance was begun anew and says nothing of losses.
void PvcamCamera::count(int32_t frameNumber) {
  const uint32_t difference = static_cast<uint32_t>(frameNumber) - lastFrameNumber_;
  const uint32_t step = difference == 0 || difference > INT32_MAX ? 1 : difference;
  lastFrameNumber_ = static_cast<uint32_t>(frameNumber);
  lost_ += step - 1;
  sequence_ += produced_ == 0 ? step - 1 : step;

  constexpr int64_t kSmoothing = 16;
  const int64_t now = monotonicNs();
  const int64_t period = now - lastFrameNs_;
  if (produced_ == 1) framePeriodNs_ = period;
  if (produced_ > 1) framePeriodNs_ = framePeriodNs_ + (period - framePeriodNs_) / kSmoothing;
  lastFrameNs_ = now;
}

PvcamStatistics PvcamCamera::statistics() const {
  const int64_t period = framePeriodNs_;
  const bool flows = streaming_ && period > 0 && monotonicNs() - lastFrameNs_ < std::max(kRateForgottenAfterNs, 3 * period);
  return {produced_, lost_, flows ? static_cast<double>(kNsPerSecond) / static_cast<double>(period) : 0.0};
}

}  // namespace kymograph
