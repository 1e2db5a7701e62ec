#include "camera.h"

#include <algorithm>

namespace pvcam_sim {

namespace pvcam = kymograph::pvcam;
using namespace std::chrono;

namespace {

constexpr double kRowSeconds = 11.3e-6;            // 2048 rows at 43 Hz
constexpr nanoseconds kCoalesceBelow = 50ms;       // slower cameras call back for every frame
constexpr uint32_t kCoalesceOneIn = 4;
constexpr uint32_t kMinBufferFrames = 2;
constexpr int kTemperatureRipple = 24;             // hundredths: a sensor at -20 reads -19.76

}  // namespace

int16_t Camera::temperature() { return static_cast<int16_t>(temperatureSetpoint + static_cast<int>(random_() % (kTemperatureRipple + 1))); }

double Camera::readoutSeconds() const { return (region_.p2 - region_.p1 + 1u) * kRowSeconds; }

void Camera::setCallback(PL_CALLBACK_EX3 callback, void* context) {
  const std::lock_guard guard(callbackMutex_);
  callback_ = callback;
  context_ = context;
}

int16_t Camera::setUp(const rgn_type& region, uint32_t exposure, uint32_t* frameBytes) {
  if (streaming()) return pvcam::kDeviceBusy;
  const bool binned = region.sbin == region.pbin && (region.sbin == 1 || region.sbin == 2 || region.sbin == 4 || region.sbin == 8);
  const bool inside = region.s1 <= region.s2 && region.s2 < width_ && region.p1 <= region.p2 && region.p2 < height_;
  if (!binned || !inside) return pvcam::kConfigurationInvalid;
  const double unit = exposureResolution == pvcam::kMicroseconds ? 1e-6 : 1e-3;
  region_ = region;
  exposureSeconds_ = exposure * unit;
  scene_.emplace(width_, height_, region, exposureSeconds_);
  period_ = duration_cast<Clock::duration>(duration<double>(std::max(exposureSeconds_, readoutSeconds())));
  *frameBytes = static_cast<uint32_t>(scene_->frameBytes());
  return 0;
}

int16_t Camera::start(void* buffer, uint32_t bytes) {
  if (streaming()) return pvcam::kDeviceBusy;
  if (!scene_ || buffer == nullptr || bytes / scene_->frameBytes() < kMinBufferFrames) return pvcam::kConfigurationInvalid;
  buffer_ = static_cast<uint8_t*>(buffer);
  capacity_ = static_cast<uint32_t>(bytes / scene_->frameBytes());
  infos_.assign(capacity_, {});
  stored_ = unlocked_ = exposed_ = 0;
  stopping_ = stalled_ = false;
  started_ = Clock::now();
  streaming_ = true;
  thread_ = std::thread([this] { run(); });
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
  stalled_ = true;
}

uint32_t Camera::framesDone() const {
  const std::lock_guard guard(mutex_);
  return stored_;
}

bool Camera::failed() const {
  const std::lock_guard guard(mutex_);
  return exposed_ > failAfter_;
}

FRAME_INFO Camera::infoOf(uint32_t frameNumber) const {
  const auto ticks = [this](Clock::duration since) { return duration_cast<nanoseconds>(since).count() / pvcam::kTickNs; };
  FRAME_INFO info{};
  info.hCam = handle_;
  info.FrameNr = static_cast<int32_t>(frameNumber);
  info.TimeStamp = ticks(period_ * frameNumber);
  info.TimeStampBOF = ticks(period_ * (frameNumber - 1));
  info.ReadoutTime = static_cast<int32_t>(ticks(duration_cast<Clock::duration>(duration<double>(readoutSeconds()))));
  return info;
}

// A frame that finds the buffer full is lost, as with CIRC_NO_OVERWRITE; its number is not given again.
void Camera::run() {
  std::unique_lock guard(mutex_);
  bool owed = false;
  while (expose(guard, started_ + period_ * (exposed_ + 1))) {
    const uint32_t number = ++exposed_;
    if (stalled_ || number > failAfter_ || stored_ - unlocked_ >= capacity_) continue;
    guard.unlock();  // the place is ours alone until `stored_` counts it
    const FRAME_INFO info = infoOf(number);
    scene_->draw(number, duration<double>(period_ * number).count(), reinterpret_cast<uint16_t*>(place(stored_ + 1)));
    guard.lock();
    infos_[stored_ % capacity_] = info;
    ++stored_;
    const bool later = !owed && period_ < kCoalesceBelow && random_() % kCoalesceOneIn == 0;
    owed = later;
    if (later) continue;
    guard.unlock();
    {
      const std::lock_guard calling(callbackMutex_);
      FRAME_INFO copy = info;
      if (callback_ != nullptr) callback_(&copy, context_);
    }
    guard.lock();
  }
}

// False when the camera is to stop.
bool Camera::expose(std::unique_lock<std::mutex>& guard, Clock::time_point end) {
  return !changed_.wait_until(guard, end, [this] { return stopping_; });
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
