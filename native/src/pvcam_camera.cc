#include "pvcam_camera.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <utility>

#include "thread_name.h"

namespace kymograph {

namespace {

using namespace std::chrono;

constexpr milliseconds kPollEvery{100};            // a callback that got lost costs no more than this
constexpr uint32_t kMostUndecodable = 32;          // frames in a row: it will not become better
constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kRateForgottenAfterNs = 2 * kNsPerSecond;

int64_t monotonicNs() { return duration_cast<nanoseconds>(steady_clock::now().time_since_epoch()).count(); }

}  // namespace

PvcamCamera::PvcamCamera(std::shared_ptr<PvcamLibrary> library, const std::string& name) : library_(std::move(library)) {
  std::array<char, pvcam::kCameraNameLength + 1> text{};
  if (name.size() > pvcam::kCameraNameLength) throw std::invalid_argument("no camera has a name of more than 32 characters");
  std::copy(name.begin(), name.end(), text.begin());
  const auto guard = library_->camerasLock();
  library_->check(library_->pl_cam_open(text.data(), &handle_, pvcam::kExclusive), "pl_cam_open");
  try {
    const PvcamParameters& parameters = parameters_.emplace(*library_, handle_);
    const auto firmware = parameters.read<uint16_t>(pvcam::kFirmwareVersion);
    identity_ = {name,
                 parameters.read<uint16_t>(pvcam::kColumns),
                 parameters.read<uint16_t>(pvcam::kRows),
                 parameters.text(pvcam::kSerialNumber),
                 parameters.text(pvcam::kChipName),
                 std::to_string(firmware >> 8) + "." + std::to_string(firmware & 0xff)};
    bitDepth_ = parameters.read<int16_t>(pvcam::kBitDepth);
    registration_.emplace(handle_, events_);
    library_->pl_cam_register_callback_ex3(handle_, pvcam::kCameraRemoved, reinterpret_cast<void*>(&onCameraRemoved), registration_->context());
  } catch (...) {
    library_->pl_cam_close(handle_);
    throw;
  }
}

PvcamCamera::~PvcamCamera() {
  stop();
  const auto guard = library_->camerasLock();
  library_->pl_cam_deregister_callback(handle_, pvcam::kCameraRemoved);
  library_->pl_cam_close(handle_);
}

void PvcamCamera::refuseWhileStreaming(const char* what) const {
  if (streaming_) throw std::logic_error(std::string(what) + ": not while the camera is streaming; stop it first");
}

std::vector<std::optional<PvcamDescription>> PvcamCamera::describe(const std::vector<uint32_t>& ids) const {
  const std::lock_guard guard(calls_);
  refuseWhileStreaming("describing parameters");
  std::vector<std::optional<PvcamDescription>> descriptions;
  for (const uint32_t id : ids) descriptions.push_back(parameters_->describe(id));
  return descriptions;
}

std::vector<std::variant<PvcamValue, std::exception_ptr>> PvcamCamera::get(const std::vector<uint32_t>& ids) const {
  const std::lock_guard guard(calls_);
  refuseWhileStreaming("reading parameters");
  std::vector<std::variant<PvcamValue, std::exception_ptr>> values;
  for (const uint32_t id : ids) {
    try {
      values.emplace_back(parameters_->get(id));
    } catch (...) {
      values.emplace_back(std::current_exception());
    }
  }
  return values;
}

void PvcamCamera::set(uint32_t id, const PvcamValue& value) {
  const std::lock_guard guard(calls_);
  refuseWhileStreaming("setting a parameter");
  parameters_->set(id, value);
  bitDepth_ = parameters_->readIfAny<int16_t>(pvcam::kBitDepth).value_or(bitDepth_);  // it may follow what was set
}

void PvcamCamera::resetPostProcessing() {
  const std::lock_guard guard(calls_);
  refuseWhileStreaming("resetting the post-processing");
  if (library_->pl_pp_reset == nullptr) throw std::logic_error("this PVCAM library has no pl_pp_reset");
  library_->check(library_->pl_pp_reset(handle_), "pl_pp_reset");
}

bool PvcamCamera::softwareTrigger() {
  const std::lock_guard guard(calls_);
  if (!streaming_) throw std::logic_error("a software trigger: only while the camera is streaming");
  if (library_->pl_exp_trigger == nullptr) throw std::logic_error("this PVCAM library has no pl_exp_trigger");
  uint32_t flags = 0;
  library_->check(library_->pl_exp_trigger(handle_, &flags, 0), "pl_exp_trigger");
  return flags == pvcam::kTriggered;
}

void PvcamCamera::registerCallback(pvcam::Event event, void (*callback)(FRAME_INFO*, void*)) const {
  library_->check(library_->pl_cam_register_callback_ex3(handle_, event, reinterpret_cast<void*>(callback), registration_->context()), "pl_cam_register_callback_ex3");
}

std::shared_ptr<Ring> PvcamCamera::start(const PvcamStart& options) {
  const std::lock_guard guard(calls_);
  if (ExitStop::exiting()) throw std::logic_error("starting: not while the process ends");  // nobody would stop it
  refuseWhileStreaming("starting");
  join();  // of a run that ended by itself
  checkOptions(options, identity_.sensorWidth, identity_.sensorHeight);
  const FrameBox box = boxAround(options);
  const bool metadata = parameters_->available(pvcam::kMetadataEnabled) && parameters_->read<rs_bool>(pvcam::kMetadataEnabled) != 0;
  if (options.regions.size() > 1 && !metadata) throw std::invalid_argument("regions: several need the camera's metadata to be switched on");
  const PvcamExposure exposure = setExposure(*parameters_, options.exposureSeconds);
  const int16_t mode = exposureMode(*parameters_, options);
  const std::vector<rgn_type> regions = regionsOf(options);
  auto ring = Ring::create(options.ringPath, {box.columns(), box.rows(), options.ringSlots}, options.measures);

  // The order that PVCAM needs: callback, set-up, allocation, start.
  registerCallback(pvcam::kEndOfFrame, &onEndOfFrame);
  try {
    uint32_t frameBytes = 0;
    library_->check(library_->pl_exp_setup_cont(handle_, static_cast<uint16_t>(regions.size()), regions.data(), mode, exposure.count, &frameBytes, pvcam::kNoOverwrite),
                    "pl_exp_setup_cont");
    const uint64_t heads = metadata ? kFrameHeaderBytes + regions.size() * kRegionHeaderBytes : 0;
    const uint64_t expected = heads + pixelBytes(options);
    if (metadata ? frameBytes < expected : frameBytes != expected)  // with metadata there may be more of it than we know
      throw std::runtime_error("the camera announces frames of " + std::to_string(frameBytes) + " bytes, not of " + std::to_string(expected));
    exposureNs_ = exposureDone(*parameters_, exposure);
    const size_t bytes = bufferBytes(*parameters_, frameBytes, static_cast<double>(exposureNs_) / 1e9);
    PageBuffer buffer((bytes + kPageBytes - 1) / kPageBytes * kPageBytes);
    forgetCounts();
    library_->check(library_->pl_exp_start_cont(handle_, buffer.data(), static_cast<uint32_t>(bytes)), "pl_exp_start_cont");
    streaming_ = true;
    Stream stream{ring, std::move(buffer), box, frameBytes, metadata, exposureNs_, options.frames};
    thread_ = std::thread([this, held = std::move(stream)]() mutable { acquire(std::move(held)); });
  } catch (...) {
    if (streaming_) library_->pl_exp_abort(handle_, pvcam::kHalt);  // the thread could not be made
    streaming_ = false;
    library_->pl_cam_deregister_callback(handle_, pvcam::kEndOfFrame);
    throw;
  }
  return ring;
}

void PvcamCamera::forgetCounts() {
  events_->reset();
  produced_ = 0;
  lost_ = 0;
  framePeriodNs_ = 0;
  lastFrameNumber_ = 0;
  sequence_ = 0;
  undecodable_ = 0;
  stopping_ = false;
  const std::lock_guard guard(endMutex_);
  ended_.reset();
}

void PvcamCamera::stop() {
  const std::lock_guard guard(calls_);
  stopping_ = true;
  events_->wake();
  join();
}

void PvcamCamera::join() {
  if (thread_.joinable()) thread_.join();
}

void PvcamCamera::acquire(Stream stream) noexcept {
  nameThread("camera frames");
  while (!stopping_) {
    const bool called = events_->wait(kPollEvery);
    if (events_->removed()) endBecause("the camera was removed");
    if (events_->removed() || !drain(stream) || (!called && failed())) break;
  }
  if (!library_->pl_exp_stop_cont(handle_, pvcam::kHalt)) library_->pl_exp_abort(handle_, pvcam::kHalt);
  library_->pl_cam_deregister_callback(handle_, pvcam::kEndOfFrame);
  stream.ring->close();
  streaming_ = false;
}

void PvcamCamera::endBecause(std::string reason) {
  const std::lock_guard guard(endMutex_);
  ended_ = std::move(reason);
}

// The status may be asked for while streaming, unlike parameters. A camera that cannot answer has failed. One that waits for a trigger has not.
bool PvcamCamera::failed() {
  int16_t status = 0;
  uint32_t bytesArrived = 0;
  uint32_t buffersFilled = 0;
  if (!library_->pl_exp_check_cont_status(handle_, &status, &bytesArrived, &buffersFilled)) endBecause(library_->lastError("pl_exp_check_cont_status").what());
  else if (status == pvcam::kFailed) endBecause(std::string("the acquisition failed: ") + library_->lastError("pl_exp_check_cont_status").what());
  else return false;
  return true;
}

// Callbacks are coalesced: one may stand for several frames. False once all frames that were asked for are there, or none can be understood.
bool PvcamCamera::drain(const Stream& stream) {
  void* frame = nullptr;
  FRAME_INFO info{};
  while (!stopping_ && library_->pl_exp_get_oldest_frame_ex(handle_, &frame, &info)) {
    FrameStamp stamp{};
    stamp.timeNs = events_->timeOf(info);
    stamp.exposureNs = stream.exposureNs;
    stamp.hardwareTimeNs = info.TimeStamp == 0 ? kNoHardwareTime : info.TimeStamp * pvcam::kTickNs;
    const bool understood = copy(stream, static_cast<const uint8_t*>(frame), stamp);
    library_->pl_exp_unlock_oldest_frame(handle_);  // after the copy: the camera may write here at once
    if (!understood) {
      if (++undecodable_ < kMostUndecodable) continue;  // its number is missing in the sequence, and it counts as lost
      endBecause("the camera's frames cannot be understood: " + undecodableWhy_);
      return false;
    }
    undecodable_ = 0;
    count(info.FrameNr);
    stamp.sequence = sequence_;
    stream.ring->publish(stamp);
    if (++produced_ >= stream.frames.value_or(UINT64_MAX)) return false;
  }
  return true;
}

// Metadata is finer than the frame info: its clock, and each frame's own exposure.
bool PvcamCamera::copy(const Stream& stream, const uint8_t* frame, FrameStamp& stamp) {
  Ring& ring = *stream.ring;
  if (!stream.metadata) {
    stamp.statistics = copyAndMeasure(ring.measures(), frame, ring.beginWrite());
    return true;
  }
  try {
    const DecodedFrame decoded = decodeFrame({frame, stream.frameBytes});
    if (const uint8_t* whole = wholeFrame(decoded, stream.box)) {
      stamp.statistics = copyAndMeasure(ring.measures(), whole, ring.beginWrite());
    } else {
      uint16_t* pixels = ring.beginWrite();
      composeFrame(decoded, stream.box, pixels);
      stamp.statistics = measureRows(ring.measures(), pixels, 0, ring.height());
    }
    stamp.hardwareTimeNs = decoded.endNs;
    if (decoded.exposureNs > 0) stamp.exposureNs = decoded.exposureNs;
    return true;
  } catch (const std::exception& error) {
    undecodableWhy_ = error.what();
    return false;
  }
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
  PvcamStatistics statistics{produced_, lost_, flows ? static_cast<double>(kNsPerSecond) / static_cast<double>(period) : 0.0,
                             static_cast<double>(exposureNs_) / 1e9, std::nullopt};
  if (!streaming_) {
    const std::lock_guard guard(endMutex_);
    statistics.ended = ended_;
  }
  return statistics;
}

}  // namespace kymograph
