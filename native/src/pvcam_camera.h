#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "exit_stop.h"
#include "pvcam_events.h"
#include "pvcam_library.h"
#include "pvcam_metadata.h"
#include "pvcam_parameters.h"
#include "pvcam_setup.h"
#include "ring.h"
#include "writer.h"

namespace kymograph {

struct PvcamIdentity {
  std::string name;
  uint32_t sensorWidth, sensorHeight;
  std::string serialNumber, chipName, firmwareVersion;
};

struct PvcamStatistics {
  uint64_t produced;
  uint64_t lost;
  double frameRate;
  double exposureSeconds;           // of the stream, as the camera does it
  std::optional<std::string> ended;  // why the last stream ended by itself before its last frame
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
  // At the present speed and gain.
  int bitDepth() const { return bitDepth_; }
  // All of them are refused while streaming: asking for a parameter then breaks the acquisition.
  std::vector<std::optional<PvcamDescription>> describe(const std::vector<uint32_t>& ids) const;
  // One for each, or why there is none.
  std::vector<std::variant<PvcamValue, std::exception_ptr>> get(const std::vector<uint32_t>& ids) const;
  void set(uint32_t id, const PvcamValue& value);
  void resetPostProcessing();
  // Only while streaming. False: the camera was not waiting for one.
  bool softwareTrigger();
  const std::shared_ptr<CameraEvents>& events() const { return events_; }
  std::shared_ptr<Ring> start(const PvcamStart& options);
  // Waits for the end of the acquisition.
  void stop();
  bool streaming() const { return streaming_; }
  PvcamStatistics statistics() const;

 private:
  struct Stream {
    std::shared_ptr<Ring> ring;
    PageBuffer buffer;
    FrameBox box;
    uint32_t frameBytes;  // in PVCAM's buffer
    bool metadata;
    int64_t exposureNs;
    std::optional<uint64_t> frames;
  };
  void refuseWhileStreaming(const char* what) const;
  void registerCallback(pvcam::Event event, void (*callback)(FRAME_INFO*, void*)) const;
  void join();
  void forgetCounts();
  void acquire(Stream stream) noexcept;
  bool drain(const Stream& stream);
  bool copy(const Stream& stream, const uint8_t* frame, FrameStamp& stamp);
  bool failed();
  void endBecause(std::string reason);
  void count(int32_t frameNumber);

  const std::shared_ptr<PvcamLibrary> library_;
  int16_t handle_ = -1;
  PvcamIdentity identity_;
  const std::shared_ptr<CameraEvents> events_ = std::make_shared<CameraEvents>();
  std::optional<CameraRegistration> registration_;
  std::optional<PvcamParameters> parameters_;
  std::atomic<int> bitDepth_ = 0;
  std::atomic<bool> streaming_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> produced_ = 0;
  std::atomic<uint64_t> lost_ = 0;
  std::atomic<int64_t> framePeriodNs_ = 0;
  std::atomic<int64_t> lastFrameNs_ = 0;
  uint32_t lastFrameNumber_ = 0;
  uint64_t sequence_ = 0;
  uint32_t undecodable_ = 0;  // frames in a row,
  std::string undecodableWhy_;  // and what was wrong with the last
  std::atomic<int64_t> exposureNs_ = 0;
  mutable std::mutex endMutex_;
  std::optional<std::string> ended_;
  mutable std::mutex calls_;  // held by whoever calls the library for this camera, but for the acquisition's thread
  std::thread thread_;
  const ExitStop exitStop_{[this] { stop(); }};
};

}  // namespace kymograph
