#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "comedi_transfer.h"

namespace kymograph {

struct ComediWaveform {
  unsigned subdevice;
  std::vector<ComediChannel> channels;  // in the order of a scan; their subdevice is the one above
  uint64_t scanIntervalNs;
  std::vector<uint32_t> samples;        // raw counts, scan after scan: one period
  std::optional<uint64_t> repeats;      // none: until stop()
};

// A command of outputs. Its samples are written to the file descriptor, each once and in order, as fast as the board's buffer takes them: period after period
// without a seam. When they come too late for the board, that is the end, with an error. However it ends, the outputs stay at the last sample that the board has
// played, which nobody but a voltmeter knows: what the board reads back of an output is what was written to it directly.
class ComediPlayback final : public ComediTransfer {
 public:
  // Throws std::invalid_argument when the board cannot do what is asked.
  ComediPlayback(std::shared_ptr<ComediDevice> device, const ComediWaveform& waveform);

  // Until the board has played the last sample, or it was stopped. Throws ComediError if it ended badly: EPIPE for an underrun.
  void waitForEnd();

 private:
  void started() override;
  void move() override;
  bool allWritten() const { return totalBytes_ && written_ == *totalBytes_; }
  void writeSome();
  void waitForLast();
  bool running() const;
  [[noreturn]] static void fail(int code);

  const std::vector<uint8_t> source_;  // whole periods
  const std::optional<uint64_t> totalBytes_;
  uint64_t written_ = 0;
};

}  // namespace kymograph
