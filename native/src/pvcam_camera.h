#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "exit_stop.h"
#include "frame_clock.h"
#include "pvcam_library.h"
#include "ring.h"
#include "writer.h"

namespace kymograph {

struct PvcamStart {
  uint32_t x, y, width, height;  // in sensor pixels
  uint32_t binning;
  double exposureSeconds;
  std::string ringPath;
  uint32_t ringSlots;
  RingMeasures measures;
  std::optional<uint64_t> frames;
};

struct PvcamIdentity {
  std::string name;
  uint32_t sensorWidth, sensorHeight;
  int bitDepth;
  std::string serialNumber, chipName, firmwareVersion;
};

struct PvcamStatistics {
  uint64_t produced;
  uint64_t lost;
  double frameRate;
};

// Where end-of-frame callbacks arrive, on a thread of the vendor's.
class EndOfFrame {
 public:
  void notify(const FRAME_INFO& info);
  void wake();
  void reset();
  // Returns at the next callback, at wake(), or, false, when the time is over.
  bool wait(std::chrono::milliseconds timeout);
  // Host time, in nanoseconds since 1970, at which that frame ended.
  int64_t timeOf(const FRAME_INFO& info);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool pending_ = false;
  FrameClock clock_;
};

// One opened camera. Any thread may call it: what reaches the library is done one call after the other, beside the acquisition, which runs in a thread of
// its own. The constructor and the destructor, too, call the library and may take their time.
class PvcamCamera {
 public:
  PvcamCamera(std::shared_ptr<PvcamLibrary> library, const std::string& name);
  ~PvcamCamera();
  PvcamCamera(const PvcamCamera&) = delete;
  PvcamCamera& operator=(const PvcamCamera&) = delete;

  const PvcamIdentity& identity() const { return identity_; }
  // Refused while streaming: reading a parameter then breaks the acquisition.
  double centiParameter(pvcam::Parameter parameter) const;
  void setTemperatureSetpoint(double celsius);
  std::shared_ptr<Ring> start(const PvcamStart& options);
  // Waits for the end of the acquisition.
  void stop();
  bool streaming() const { return streaming_; }
  PvcamStatistics statistics() const;

 private:
  template <typename Value>
  Value parameter(pvcam::Parameter parameter, pvcam::Attribute attribute = pvcam::kCurrent) const;
  std::string textParameter(pvcam::Parameter parameter) const;
  bool available(pvcam::Parameter parameter) const;
  std::optional<int32_t> firstChoice(pvcam::Parameter parameter, std::optional<int32_t> wanted) const;
  int16_t exposureMode() const;
  void refuseWhileStreaming(const char* what) const;
  void join();
  void acquire(std::shared_ptr<Ring> ring, PageBuffer buffer, PvcamStart options, uint64_t token) noexcept;
  bool drain(Ring& ring, const PvcamStart& options);
  bool failed() const;
  void count(int32_t frameNumber);

  const std::shared_ptr<PvcamLibrary> library_;
  int16_t handle_ = -1;
  PvcamIdentity identity_;
  const std::shared_ptr<EndOfFrame> endOfFrame_ = std::make_shared<EndOfFrame>();
  std::atomic<bool> streaming_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> produced_ = 0;
  std::atomic<uint64_t> lost_ = 0;
  std::atomic<int64_t> framePeriodNs_ = 0;
  std::atomic<int64_t> lastFrameNs_ = 0;
  uint32_t lastFrameNumber_ = 0;
  uint64_t sequence_ = 0;
  mutable std::mutex calls_;  // held by whoever calls the library for this camera, but for the acquisition's thread
  std::thread thread_;
  const ExitStop exitStop_{[this] { stop(); }};
};

}  // namespace kymograph
