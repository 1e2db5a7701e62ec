#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "options.h"
#include "pvcam_api.h"
#include "scene.h"
#include "settings.h"

namespace pvcam_sim {

// One simulated camera: a thread that waits for triggers, exposes, writes into the caller's circular buffer and calls back, as PVCAM's own threads do.
class Camera {
 public:
  Camera(int16_t handle, const Options& options) : settings(handle, options), handle_(handle), options_(options) {}
  ~Camera() { stop(); }
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  bool open = false;
  Settings settings;

  void setCallback(int32_t event, PL_CALLBACK_EX3 callback, void* context);
  // For a library that mixes up its contexts.
  void setContext(int32_t event, void* context);
  void tellRemoved();
  // All return a PVCAM error code, 0 for success.
  int16_t setUp(std::span<const rgn_type> regions, int16_t mode, uint32_t exposure, uint32_t* frameBytes);
  int16_t start(void* buffer, uint32_t bytes);
  int16_t trigger(uint32_t* flags);
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
  struct Callback {
    PL_CALLBACK_EX3 function = nullptr;
    void* context = nullptr;
  };
  bool allows(std::span<const rgn_type> regions) const;
  void run();
  bool waitForTrigger(std::unique_lock<std::mutex>& guard);
  bool external() const;
  void write(uint32_t number, const FRAME_INFO& info, uint8_t* to) const;
  void writeHeader(uint32_t number, const FRAME_INFO& info, uint8_t* to) const;
  FRAME_INFO infoOf(uint32_t number, Clock::duration end) const;
  void call(int32_t event, const FRAME_INFO& info);
  Callback& callbackOf(int32_t event) { return event == kymograph::pvcam::kCameraRemoved ? removed_ : ended_; }
  uint8_t* place(uint32_t stored) const { return buffer_ + size_t{(stored - 1) % capacity_} * frameBytes_; }

  const int16_t handle_;
  const Options options_;
  std::vector<rgn_type> regions_;
  std::vector<Scene> scenes_;
  int16_t mode_ = 0;
  bool metadata_ = false;
  uint32_t frameBytes_ = 0;
  uint64_t exposureNs_ = 0;
  int16_t bitDepth_ = 0;
  Clock::duration period_{}, readout_{};
  uint8_t* buffer_ = nullptr;
  uint32_t capacity_ = 0;

  std::atomic<bool> streaming_ = false;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool stalled_ = false;
  bool waiting_ = false;    // for a trigger
  bool triggered_ = false;  // by software
  std::mutex callbackMutex_;  // held during a callback: who deregisters waits for its end
  Callback ended_, removed_;
  uint32_t stored_ = 0;  // frames in the buffer so far
  uint32_t unlocked_ = 0;
  uint32_t exposed_ = 0;
  Clock::time_point started_;
  std::vector<FRAME_INFO> infos_;
  std::mt19937 random_{7};
  std::thread thread_;
};

}  // namespace pvcam_sim
