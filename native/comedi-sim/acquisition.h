#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "bench.h"
#include "clock.h"
#include "comedi_api.h"
#include "device_file.h"

namespace comedi_sim {

// A command of the inputs under way, and what is read of it. Not for several threads at once; whoever calls it sees to that.
class Acquisition {
 public:
  // Gives the sample of one channel word.
  using Convert = std::function<uint16_t(unsigned word)>;

  Acquisition(DeviceFile& file, Convert convert);
  // False: one is under way, or has not been read to its end. Times are the board's.
  bool start(const kymograph::comedi::Command& command, uint64_t nowNs);
  // An edge at a programmable function input. True: it is what a command was waiting for.
  bool edge(unsigned pin, bool rising, uint64_t nowNs);
  void cancel();
  bool busy() const { return busy_; }
  bool running() const { return running_; }
  // When the next scan is.
  uint64_t dueNs() const { return running_ && !awaited_ ? startNs_ + (made_ + 1) * intervalNs_ : kNever; }
  void scan();
  // As the read() of the kernel's device file: what there is; 0 after the end; -1 and EPIPE after an overflow, when what came before it has been read.
  ssize_t read(void* bytes, size_t count);
  double pace() const { return bench_.pace; }

 private:
  void signal();

  DeviceFile& file_;
  const Convert convert_;
  Bench bench_;  // as it stood when the command was given
  std::vector<unsigned> words_;
  uint64_t intervalNs_ = 0;
  uint64_t startNs_ = 0;
  uint64_t scans_ = 0;
  uint64_t made_ = 0;
  std::deque<uint8_t> samples_;
  bool busy_ = false;
  bool running_ = false;
  std::optional<unsigned> awaited_;  // the edge, as the command's start argument has it
  bool overflowed_ = false;
  uint64_t conversions_ = 0;
};

}  // namespace comedi_sim
