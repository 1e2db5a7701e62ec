#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <random>
#include <thread>
#include <vector>

#include "pvcam_api.h"
#include "scene.h"

namespace pvcam_sim {

// One simulated camera: a thread that exposes, writes into the caller's circular buffer and calls back, as PVCAM's own threads do.
class Camera {
 public:
  Camera(int16_t handle, uint32_t width, uint32_t height, uint32_t failAfter)
      : handle_(handle), width_(width), height_(height), failAfter_(failAfter) {}
  ~Camera() { stop(); }
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  bool open = false;
  int32_t exposureResolution = kymograph::pvcam::kMilliseconds;
  int16_t temperatureSetpoint = -2000;  // hundredths of a degree Celsius

  uint32_t width() const { return width_; }
  uint32_t height() const { return height_; }
  int16_t temperature();
  double readoutSeconds() const;
  void setCallback(PL_CALLBACK_EX3 callback, void* context);
  // Both return a PVCAM error code, 0 for success.
  int16_t setUp(const rgn_type& region, uint32_t exposure, uint32_t* frameBytes);
  int16_t start(void* buffer, uint32_t bytes);
  void stop();
  bool streaming() const { return streaming_; }
  // What a real camera does when a parameter is read in the middle of an acquisition: it sends nothing any more.
  void stall();
  uint32_t framesDone() const;
  bool failed() const;
  bool oldest(void** frame, FRAME_INFO* info);
  bool unlockOldest();
  bool latest(void** frame, FRAME_INFO* info);

 private:
  using Clock = std::chrono::steady_clock;
  void run();
  bool expose(std::unique_lock<std::mutex>& guard, Clock::time_point end);
  FRAME_INFO infoOf(uint32_t frameNumber) const;
  uint8_t* place(uint32_t frameNumber) const { return buffer_ + size_t{(frameNumber - 1) % capacity_} * scene_->frameBytes(); }

  const int16_t handle_;
  const uint32_t width_, height_;
  const uint32_t failAfter_;  // frames
  std::optional<Scene> scene_;
  rgn_type region_{};
  double exposureSeconds_ = 0;
  Clock::duration period_{};
  uint8_t* buffer_ = nullptr;
  uint32_t capacity_ = 0;

  std::atomic<bool> streaming_ = false;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool stalled_ = false;
  PL_CALLBACK_EX3 callback_ = nullptr;
  void* context_ = nullptr;
  std::mutex callbackMutex_;  // held during a callback: who deregisters waits for its end
  uint32_t stored_ = 0;       // frames in the buffer so far, which is also the newest one's number while none is lost
  uint32_t unlocked_ = 0;
  uint32_t exposed_ = 0;
  Clock::time_point started_;
  std::vector<FRAME_INFO> infos_;
  std::mt19937 random_{7};
  std::thread thread_;
};

}  // namespace pvcam_sim
