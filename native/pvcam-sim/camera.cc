#include "camera.h"

#include <algorithm>
#include <cstring>

#include "faults.h"
#include "ids.h"
#include "thread_name.h"

namespace pvcam_sim {

namespace pvcam = kymograph::pvcam;
using namespace std::chrono;

namespace {

constexpr nanoseconds kCoalesceBelow = 50ms;    // slower cameras call back for every frame
constexpr uint32_t kCoalesceOneIn = 4;
constexpr uint32_t kMinBufferFrames = 2;
constexpr milliseconds kLookForPulses = 5ms;    // on the simulated trigger input
constexpr int16_t kModeBits = 0x7f00;           // of an extended mode; the rest is the expose-out mode
constexpr int16_t kTriggerFirst = 2048;
constexpr uint32_t kSignature = 5328208;        // of frame metadata
constexpr size_t kFrameHeaderBytes = 48;
constexpr size_t kRegionHeaderBytes = 32;

template <typename Value>
void put(uint8_t* header, size_t offset, Value value) {
  std::memcpy(header + offset, &value, sizeof value);
}

uint64_t area(const rgn_type& region) { return uint64_t{(region.s2 - region.s1 + 1u) / region.sbin} * ((region.p2 - region.p1 + 1u) / region.pbin); }

}  // namespace

void Camera::setCallback(int32_t event, PL_CALLBACK_EX3 callback, void* context) {
  const std::lock_guard guard(callbackMutex_);
  callbackOf(event) = {callback, context};
}

void Camera::setContext(int32_t event, void* context) {
  const std::lock_guard guard(callbackMutex_);
  if (event == pvcam::kEndOfFrame) callbackOf(event).context = context;
}

void Camera::call(int32_t event, const FRAME_INFO& info) {
  const std::lock_guard calling(callbackMutex_);
  FRAME_INFO copy = info;
  if (const Callback& callback = callbackOf(event); callback.function != nullptr) callback.function(&copy, callback.context);
}

void Camera::tellRemoved() {
  FRAME_INFO info{};
  info.hCam = handle_;
  call(pvcam::kCameraRemoved, info);
}

bool Camera::allows(std::span<const rgn_type> regions) const {
  const auto width = static_cast<uint32_t>(settings.number(pvcam::kColumns)), height = static_cast<uint32_t>(settings.number(pvcam::kRows));
  const auto most = static_cast<size_t>(settings.number(pvcam::kMetadataEnabled) != 0 ? 15 : 1);  // several cannot be told apart without metadata
  if (regions.empty() || regions.size() > most) return false;
  return std::all_of(regions.begin(), regions.end(), [&](const rgn_type& region) {
    const auto one = [](uint16_t by) { return by == 1 || by == 2 || by == 4 || by == 8; };
    const bool inside = region.s1 <= region.s2 && region.s2 < width && region.p1 <= region.p2 && region.p2 < height;
    return inside && one(region.sbin) && region.sbin == region.pbin && region.sbin == regions.front().sbin && area(region) > 0;
  });
}

int16_t Camera::setUp(std::span<const rgn_type> regions, int16_t mode, uint32_t exposure, uint32_t* frameBytes) {
  if (streaming()) return pvcam::kDeviceBusy;
  if (!allows(regions)) return pvcam::kConfigurationInvalid;
  const auto summed = settings.number(id::kHostSummingEnabled) != 0 ? settings.number(id::kHostSummingCount) : 1;
  const double seconds = exposure * settings.exposureUnitSeconds();
  const int64_t rotated = settings.number(id::kHostRotate), flipped = settings.number(id::kHostFlip);
  const bool turned = rotated == 2;
  const Look look{seconds * static_cast<double>(summed), settings.gainFactor(), settings.quiet(), static_cast<uint16_t>((1u << settings.bitDepth()) - 1),
                  turned != ((flipped & 1) != 0), turned != ((flipped & 2) != 0)};
  regions_.assign(regions.begin(), regions.end());
  scenes_.clear();
  metadata_ = settings.number(pvcam::kMetadataEnabled) != 0;
  frameBytes_ = metadata_ ? kFrameHeaderBytes : 0;
  uint32_t rows = 0;
  for (const rgn_type& region : regions_) {
    const auto& scene = scenes_.emplace_back(static_cast<uint32_t>(settings.number(pvcam::kColumns)), static_cast<uint32_t>(settings.number(pvcam::kRows)), region, look);
    frameBytes_ += static_cast<uint32_t>(scene.frameBytes() + (metadata_ ? kRegionHeaderBytes : 0));
    rows += region.p2 - region.p1 + 1u;
  }
  mode_ = mode >= pvcam::kInternalTrigger ? mode & kModeBits : mode;
  bitDepth_ = settings.bitDepth();
  exposureNs_ = static_cast<uint64_t>(seconds * 1e9 + 0.5);
  readout_ = duration_cast<Clock::duration>(duration<double>(rows * settings.rowSeconds()));
  period_ = std::max(duration_cast<Clock::duration>(nanoseconds(exposureNs_)), readout_) * summed;
  settings.setUpFor(rows, exposure, frameBytes_);
  *frameBytes = frameBytes_;
  return 0;
}

int16_t Camera::start(void* buffer, uint32_t bytes) {
  if (streaming()) return pvcam::kDeviceBusy;
  if (scenes_.empty() || buffer == nullptr || bytes / frameBytes_ < kMinBufferFrames) return pvcam::kConfigurationInvalid;
  buffer_ = static_cast<uint8_t*>(buffer);
  capacity_ = bytes / frameBytes_;
  infos_.assign(capacity_, {});
  stored_ = unlocked_ = exposed_ = 0;
  stopping_ = stalled_ = waiting_ = triggered_ = false;
  started_ = Clock::now();
  streaming_ = true;
  thread_ = std::thread([this] { run(); });
  return 0;
}

int16_t Camera::trigger(uint32_t* flags) {
  const std::lock_guard guard(mutex_);
  if (!streaming_ || (mode_ != pvcam::kSoftwareFirst && mode_ != pvcam::kSoftwareEdge)) return pvcam::kConfigurationInvalid;
  *flags = waiting_ ? pvcam::kTriggered : pvcam::kIgnored;
  triggered_ = triggered_ || waiting_;
  changed_.notify_all();
  return 0;
}

void Camera::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  streaming_ = false;
}

void Camera::stall() {
  const std::lock_guard guard(mutex_);
  stalled_ = options_.stalls;
}

uint32_t Camera::framesDone() const {
  const std::lock_guard guard(mutex_);
  return stored_;
}

bool Camera::failed() const {
  const std::lock_guard guard(mutex_);
  return exposed_ > options_.failAfter;
}

FRAME_INFO Camera::infoOf(uint32_t number, Clock::duration end) const {
  const auto ticks = [](Clock::duration since) { return duration_cast<nanoseconds>(since).count() / pvcam::kTickNs; };
  FRAME_INFO info{};
  info.hCam = handle_;
  info.FrameNr = static_cast<int32_t>(number);
  info.TimeStamp = ticks(end);
  info.TimeStampBOF = ticks(end - period_);
  info.ReadoutTime = static_cast<int32_t>(ticks(readout_));
  return info;
}

void Camera::writeHeader(uint32_t number, const FRAME_INFO& info, uint8_t* to) const {
  std::memset(to, 0, kFrameHeaderBytes);
  const bool spoilt = options_.spoilEvery != 0 && number % options_.spoilEvery == 0;
  const auto beginNs = static_cast<uint64_t>(info.TimeStampBOF * pvcam::kTickNs), endNs = static_cast<uint64_t>(info.TimeStamp * pvcam::kTickNs);
  put(to, 0, spoilt ? ~kSignature : kSignature);
  put(to, 4, static_cast<uint8_t>(options_.metadataVersion));
  put(to, 5, number);
  put(to, 9, static_cast<uint16_t>(regions_.size()));
  if (options_.metadataVersion == 3) {
    put(to, 11, beginNs * 1000);
    put(to, 19, endNs * 1000);
    put(to, 27, exposureNs_ * 1000);
  } else {
    constexpr uint32_t kUnitNs = 10'000, kExposureUnitNs = 1'000;
    put(to, 11, static_cast<uint32_t>(beginNs / kUnitNs));
    put(to, 15, static_cast<uint32_t>(endNs / kUnitNs));
    put(to, 19, kUnitNs);
    put(to, 23, static_cast<uint32_t>(exposureNs_ / kExposureUnitNs));
    put(to, 27, kExposureUnitNs);
    put(to, 31, kUnitNs);
  }
  put(to, 35, static_cast<uint8_t>(bitDepth_));
}

void Camera::write(uint32_t number, const FRAME_INFO& info, uint8_t* to) const {
  const double seconds = static_cast<double>(info.TimeStamp * pvcam::kTickNs) / 1e9;
  if (metadata_) {
    writeHeader(number, info, to);
    to += kFrameHeaderBytes;
  }
  for (size_t index = 0; index < regions_.size(); ++index) {
    if (metadata_) {
      std::memset(to, 0, kRegionHeaderBytes);
      put(to, 0, static_cast<uint16_t>(index + 1));
      put(to, 10, regions_[index]);
      if (options_.metadataVersion >= 2) put(to, 25, static_cast<uint32_t>(scenes_[index].frameBytes()));
      to += kRegionHeaderBytes;
    }
    scenes_[index].draw(number, seconds, reinterpret_cast<uint16_t*>(to));
    to += scenes_[index].frameBytes();
  }
}

bool Camera::external() const { return mode_ != pvcam::kTimed && mode_ != pvcam::kInternalTrigger && mode_ != pvcam::kSoftwareFirst && mode_ != pvcam::kSoftwareEdge; }

// False when the camera is to stop. At once where the mode needs no trigger for this frame.
bool Camera::waitForTrigger(std::unique_lock<std::mutex>& guard) {
  const bool firstOnly = mode_ == pvcam::kSoftwareFirst || mode_ == kTriggerFirst;
  if (mode_ == pvcam::kTimed || mode_ == pvcam::kInternalTrigger || (firstOnly && exposed_ > 0)) return !stopping_;
  waiting_ = true;
  while (!stopping_ && !triggered_ && !(external() && simulated::pulsed())) changed_.wait_for(guard, kLookForPulses);
  waiting_ = triggered_ = false;
  return !stopping_;
}

// A frame that finds the buffer full is lost, as with CIRC_NO_OVERWRITE; its number is not given again.
void Camera::run() {
  kymograph::nameThread("camera itself");
  std::unique_lock guard(mutex_);
  bool owed = false;
  Clock::time_point end = started_;
  while (waitForTrigger(guard)) {
    const bool freely = mode_ == pvcam::kTimed || mode_ == pvcam::kInternalTrigger;
    end = (freely ? end : std::max(end, Clock::now())) + period_;
    if (changed_.wait_until(guard, end, [this] { return stopping_; })) break;
    const uint32_t number = options_.firstFrame + exposed_++;
    const bool lost = options_.loseEvery != 0 && exposed_ % options_.loseEvery == 0;
    if (stalled_ || lost || exposed_ > options_.failAfter || stored_ - unlocked_ >= capacity_) continue;
    guard.unlock();  // the place is ours alone until `stored_` counts it
    const FRAME_INFO info = infoOf(number, end - started_);
    write(number, info, place(stored_ + 1));
    guard.lock();
    infos_[stored_ % capacity_] = info;
    ++stored_;
    const bool later = freely && !owed && period_ < kCoalesceBelow && random_() % kCoalesceOneIn == 0;
    owed = later;
    if (later) continue;
    guard.unlock();
    call(pvcam::kEndOfFrame, info);
    guard.lock();
  }
}

bool Camera::oldest(void** frame, FRAME_INFO* info) {
  const std::lock_guard guard(mutex_);
  if (stored_ == unlocked_) return false;
  *frame = place(unlocked_ + 1);
  *info = infos_[unlocked_ % capacity_];
  return true;
}

bool Camera::unlockOldest() {
  const std::lock_guard guard(mutex_);
  if (stored_ == unlocked_) return false;
  ++unlocked_;
  return true;
}

bool Camera::latest(void** frame, FRAME_INFO* info) {
  const std::lock_guard guard(mutex_);
  if (stored_ == unlocked_) return false;
  *frame = place(stored_);
  *info = infos_[(stored_ - 1) % capacity_];
  return true;
}

}  // namespace pvcam_sim
