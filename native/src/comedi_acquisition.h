#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "comedi_device.h"
#include "exclusive_file.h"
#include "exit_stop.h"
#include "ring.h"

namespace kymograph {

struct ComediAcquisitionRequest {
  unsigned subdevice;
  std::vector<ComediChannel> channels;  // in the order of a scan; their subdevice is the one above
  uint64_t scanIntervalNs;
  std::optional<uint64_t> scans;  // none: until stop()
  uint64_t bufferScans;           // kept here for whoever takes them
};

// A command of the board under way. Its samples are read from the file descriptor (never from the mapped buffer too) by a thread of its own, into a buffer of
// fixed size; when nobody takes them the thread waits, the board's buffer overflows, and that is the end, with an error. Every sample comes once, in order:
// those that were read before an error come before it.
class ComediAcquisition {
 public:
  // Throws std::invalid_argument when the board cannot do what is asked, ComediError when it refuses.
  ComediAcquisition(std::shared_ptr<ComediDevice> device, const ComediAcquisitionRequest& request);
  ~ComediAcquisition();
  ComediAcquisition(const ComediAcquisition&) = delete;
  ComediAcquisition& operator=(const ComediAcquisition&) = delete;

  // As the board does it, after its own rounding.
  unsigned scanIntervalNs() const { return scanIntervalNs_; }
  unsigned convertIntervalNs() const { return convertIntervalNs_; }
  size_t sampleBytes() const { return sampleBytes_; }
  // Whole scans, at least one and at most `maximumScans`, as the board's bytes; waits for them. Nothing: it has ended as it should. Throws if it has not.
  std::vector<uint8_t> take(uint64_t maximumScans);
  // A ring whose frames are `scansPerFrame` rows, one for each scan, as wide as there are channels.
  std::shared_ptr<Ring> makeRing(const std::string& path, uint64_t scansPerFrame, uint64_t slots) const;
  // Takes everything until the end into frames of that ring, never past its recorder, closes it, and gives back the last scans, which are less than a frame.
  // A frame's own clock is the board's, from the first scan on. Throws as take() does; the frames before are in the ring.
  std::vector<uint8_t> pour(Ring& ring);
  // What was read before may still be taken. Returns when the board stands.
  void stop();

 private:
  std::vector<uint8_t> pourFrames(Ring& ring);
  void command(const ComediAcquisitionRequest& request);
  void run();
  void readAll();
  bool waitForRoom();
  bool waitForSamples() const;
  void append(const uint8_t* bytes, size_t count);

  const std::shared_ptr<ComediDevice> device_;
  const unsigned subdevice_;
  const size_t sampleBytes_;
  const size_t scanBytes_;
  const std::optional<uint64_t> expectedBytes_;
  unsigned scanIntervalNs_ = 0;
  unsigned convertIntervalNs_ = 0;
  int fd_ = -1;  // the library's
  Descriptor wakeReader_;
  Descriptor wakeWriter_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<uint8_t> buffer_;
  size_t first_ = 0;
  size_t filled_ = 0;
  uint64_t received_ = 0;
  bool stopping_ = false;
  bool ended_ = false;
  std::exception_ptr failure_;

  std::mutex joining_;
  std::thread thread_;
  std::optional<ExitStop> exitStop_;
};

}  // namespace kymograph
