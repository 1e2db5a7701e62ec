#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "bench.h"
#include "clock.h"
#include "comedi_api.h"
#include "device_file.h"

namespace comedi_sim {

// A command of the outputs under way, and what is written for it. Not for several threads at once; whoever calls it sees to that.
class Playback {
 public:
  // Brings one sample to the output of a channel word.
  using Put = std::function<void(unsigned word, uint16_t sample)>;

  Playback(DeviceFile& file, Put put);
  // False: one is under way, or its end has not been heard. It plays once it is triggered.
  bool start(const kymograph::comedi::Command& command);
  // 0, or an errno: EINVAL for one that waits for no trigger, EPIPE for one without samples. `nowNs` is the board's time.
  int trigger(uint64_t nowNs);
  void cancel();
  bool busy() const { return busy_; }
  bool running() const { return running_; }
  // When the next samples are.
  uint64_t dueNs() const { return running_ && triggered_ ? startNs_ + (played_ + 1) * intervalNs_ : kNever; }
  // One sample to each channel; without any it is an underrun, and the outputs stay where they are.
  void update();
  // As the write() of the kernel's device file: what there is room for; after the end 0, or -1 and EPIPE when it was an underrun.
  ssize_t write(const void* bytes, size_t count);
  double pace() const { return bench_.pace; }

 private:
  void signal();

  DeviceFile& file_;
  const Put put_;
  Bench bench_;  // as it stood when the command was given
  std::vector<unsigned> words_;
  uint64_t intervalNs_ = 0;
  uint64_t startNs_ = 0;
  uint64_t scans_ = 0;
  uint64_t played_ = 0;
  std::deque<uint8_t> samples_;
  bool busy_ = false;
  bool running_ = false;
  bool triggered_ = false;
  bool underrun_ = false;
};

}  // namespace comedi_sim
