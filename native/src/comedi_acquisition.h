#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "comedi_command.h"
#include "exit_stop.h"
#include "ring.h"
#include "scan_table.h"
#include "wake_pipe.h"

namespace kymograph {

// A command of the board under way. Its samples are read from the file descriptor (never from the mapped buffer too) by a thread of its own, into a buffer of
// fixed size; when nobody takes them the thread waits, the board's buffer overflows, and that is the end, with an error. Every sample comes once, in order:
// those that were read before an error come before it.
class ComediAcquisition {
 public:
  // Throws std::invalid_argument when the board cannot do what is asked, ComediError when it refuses.
  // `bufferScans` are kept here for whoever takes them.
  ComediAcquisition(std::shared_ptr<ComediDevice> device, const ComediAcquisitionRequest& request, uint64_t bufferScans);
  ~ComediAcquisition();
  ComediAcquisition(const ComediAcquisition&) = delete;
  ComediAcquisition& operator=(const ComediAcquisition&) = delete;

  // As the board does it, after its own rounding.
  unsigned scanIntervalNs() const { return command_.scanIntervalNs(); }
  unsigned convertIntervalNs() const { return command_.convertIntervalNs(); }
  size_t sampleBytes() const { return sampleBytes_; }
  // Whole scans, at least one and at most `maximumScans`, as the board's bytes; waits for them. Nothing: it has ended as it should. Throws if it has not.
  std::vector<uint8_t> take(uint64_t maximumScans);
  // The newest whole scan; empty before the first.
  std::vector<uint8_t> latest();
  // A ring whose slots are the columns of one record batch each.
  std::shared_ptr<Ring> makeRing(const std::string& path, const ScanTable& table, uint64_t slots) const;
  // Takes everything until the end into batches of that ring, never past its recorder, and closes it; the last scans, which are less than a batch, are its
  // last one. Scans are timed by the board's clock, from the host's at the start of the command (a command that waits for a trigger: at its first scans).
  // Throws as take() does; what came before is in the ring.
  void pour(Ring& ring, const ScanTable& table);
  // Nobody records any more what is poured.
  void abandon() { abandoned_ = true; }
  // Of pour()'s last batch, once it has ended.
  uint64_t lastScans() const { return lastScans_; }
  // What was read before may still be taken. Returns when the board stands.
  void stop();

 private:
  void pourBatches(Ring& ring, const ScanColumns& columns, size_t rows, std::vector<uint8_t>& scans, uint64_t& poured);
  bool waitForRoom(Ring& ring) const;
  void start();
  void run();
  void readAll();
  bool waitForRoom();
  bool waitForSamples() const;
  void keepLatest(size_t end);
  void append(const uint8_t* bytes, size_t count);

  const std::shared_ptr<ComediDevice> device_;
  ComediCommand command_;
  const unsigned subdevice_;
  const std::vector<comedi::Range> ranges_;  // of its channels
  const size_t sampleBytes_;
  const size_t scanBytes_;
  const std::optional<uint64_t> expectedBytes_;
  const bool triggered_;
  std::atomic<int64_t> startNs_ = 0;  // since 1970
  std::atomic<bool> abandoned_ = false;
  std::atomic<uint64_t> lastScans_ = 0;
  int fd_ = -1;  // the library's
  WakePipe wake_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<uint8_t> buffer_;
  size_t first_ = 0;
  size_t filled_ = 0;
  uint64_t received_ = 0;
  std::vector<uint8_t> latest_;
  bool stopping_ = false;
  bool ended_ = false;
  std::exception_ptr failure_;

  std::mutex joining_;
  std::thread thread_;
  std::optional<ExitStop> exitStop_;
};

}  // namespace kymograph
