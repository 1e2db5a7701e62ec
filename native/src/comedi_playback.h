#pragma once

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
#include "wake_pipe.h"

namespace kymograph {

struct ComediWaveform {
  unsigned subdevice;
  std::vector<ComediChannel> channels;  // in the order of a scan; their subdevice is the one above
  uint64_t scanIntervalNs;
  std::vector<uint32_t> samples;        // raw counts, scan after scan: one period
  std::optional<uint64_t> repeats;      // none: until stop()
};

// A command of outputs under way. A thread of its own writes the samples to the file descriptor, each once and in order, as fast as the board's buffer takes
// them: period after period without a seam. When it comes too late for the board, that is the end, with an error. However it ends, the outputs stay at the last
// sample that the board has played, which nobody but a voltmeter knows: what the board reads back of an output is what was written to it directly.
class ComediPlayback {
 public:
  // Plays from here on. Throws std::invalid_argument when the board cannot do what is asked, ComediError when it refuses.
  ComediPlayback(std::shared_ptr<ComediDevice> device, const ComediWaveform& waveform);
  ~ComediPlayback();
  ComediPlayback(const ComediPlayback&) = delete;
  ComediPlayback& operator=(const ComediPlayback&) = delete;

  // As the board does it, after its own rounding.
  unsigned scanIntervalNs() const { return command_.scanIntervalNs(); }
  // Until the board has played the last sample, or it was stopped. Throws ComediError if it ended badly: EPIPE for an underrun.
  void waitForEnd();
  // Returns when the board stands.
  void stop();

 private:
  void start();
  void run();
  void feed();
  bool allWritten() const { return totalBytes_ && written_ == *totalBytes_; }
  void writeSome();
  void waitForLast();
  bool running() const;
  [[noreturn]] static void fail(int code);

  const std::shared_ptr<ComediDevice> device_;
  ComediCommand command_;
  const unsigned subdevice_;
  const size_t sampleBytes_;
  const std::vector<uint8_t> source_;  // whole periods
  const std::optional<uint64_t> totalBytes_;
  uint64_t written_ = 0;
  int fd_ = -1;  // the library's
  WakePipe wake_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool ended_ = false;
  std::exception_ptr failure_;

  std::mutex joining_;
  std::thread thread_;
  std::optional<ExitStop> exitStop_;
};

}  // namespace kymograph
