#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "bench.h"
#include "comedi_api.h"

namespace comedi_sim {

// As the board's own driver does it: what is not right is set right, and the number says in which of its steps. 0: the command can be given.
int testCommand(kymograph::comedi::Command& command);

// A command under way, and the file it is read from. `convert` gives the sample of one channel word.
class Acquisition {
 public:
  using Convert = std::function<uint16_t(unsigned word)>;

  explicit Acquisition(Convert convert);
  ~Acquisition();
  // What poll() is asked about: readable when read() would not wait. It cannot be read itself.
  int descriptor() const { return ready_; }
  // False: one is under way, or has not been read to its end.
  bool start(const kymograph::comedi::Command& command);
  // An edge at a programmable function input: what a command may be waiting for.
  void edge(unsigned pin, bool rising);
  void cancel();
  bool busy();
  // As the read() of the kernel's device file: what there is; 0 after the end; -1 and EPIPE after an overflow, when what came before it has been read.
  ssize_t read(void* bytes, size_t count);

 private:
  void run(std::vector<unsigned> words, unsigned scanIntervalNs, uint64_t scans);
  bool waitForEdge();
  bool addScans(const std::vector<unsigned>& words, uint64_t count);
  void signal();
  void endThread();

  Bench bench_;  // as it stood when the command was given
  const Convert convert_;
  int ready_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;  // guards what follows
  std::deque<uint8_t> samples_;
  bool signalled_ = false;
  bool busy_ = false;
  bool running_ = false;
  std::optional<unsigned> awaited_;  // the edge, as the command's start argument has it
  std::condition_variable edges_;
  bool overflowed_ = false;
  uint64_t conversions_ = 0;
};

}  // namespace comedi_sim
