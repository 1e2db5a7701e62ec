#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "frame_clock.h"
#include "pvcam_library.h"

namespace kymograph {

// Where the callbacks of one camera arrive, on threads of the vendor's.
class CameraEvents {
 public:
  void frameEnded(const FRAME_INFO& info);
  void cameraRemoved();
  bool removed() const;
  // Called once, at once if the camera is gone already; from the vendor's thread else. Nothing after `nullptr`. Returns whether somebody was still to be told.
  bool onRemoved(std::function<void()> told);

  void wake();
  void reset();
  // Returns at the next callback, at wake(), or, false, when the time is over.
  bool wait(std::chrono::milliseconds timeout);
  // Host time, in nanoseconds since 1970, at which that frame ended.
  int64_t timeOf(const FRAME_INFO& info);

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool pending_ = false;
  bool removed_ = false;
  FrameClock clock_;
  std::mutex telling_;  // held while somebody is told, so that who asks no more to be told is told nothing after that
  std::function<void()> told_;
};

// One camera's place among those that callbacks are for. PVCAM's context pointer has been seen to be unreliable, so it is never followed: it carries a
// number, and a callback counts only if the camera handle in its frame info fits. Several cameras, and several libraries, may run at once.
class CameraRegistration {
 public:
  CameraRegistration(int16_t camera, std::weak_ptr<CameraEvents> events);
  ~CameraRegistration();
  CameraRegistration(const CameraRegistration&) = delete;
  CameraRegistration& operator=(const CameraRegistration&) = delete;

  // For pl_cam_register_callback_ex3.
  void* context() const;

 private:
  const uint64_t token_;
};

void onEndOfFrame(FRAME_INFO* info, void* context);
void onCameraRemoved(FRAME_INFO* info, void* context);

}  // namespace kymograph
