#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gpio_lines.h"

namespace kymograph {

// How long to wait after each step, in microseconds: `rising` after the first ones, `falling` after the last ones, `cruiseUs` between them.
struct StepPlan {
  uint64_t steps = 0;
  bool directionHigh = false;
  std::vector<double> rising;
  std::vector<double> falling;
  double cruiseUs = 0;

  double delayUs(uint64_t step) const;
  // Throws invalid_argument.
  void check() const;
};

struct StepsMade {
  uint64_t steps = 0;
  bool stopped = false;
  // The thread ran with real-time priority.
  bool realTime = false;
  // Steps that came later than their delay by more than half of it: the system had other things to do.
  uint64_t late = 0;
  // Why it ended early; empty: it did not, or it was told to stop.
  std::string failure;
};

// One move of a step-and-direction driver, on a thread of its own: line 0 of `lines` is STEP (rising edge), line 1 is DIR. It can be stopped between any
// two steps. Lost time is never caught up with faster steps, on which a motor would stall.
class Stepper {
 public:
  Stepper(std::shared_ptr<GpioLines> lines, StepPlan plan, std::function<void(const StepsMade&)> onEnd);
  ~Stepper();
  void requestStop() { stopping_ = true; }
  void join();
  uint64_t remaining() const { return plan_.steps - made_.load(); }

 private:
  void run() noexcept;
  void step(StepsMade& result);

  std::shared_ptr<GpioLines> lines_;
  const StepPlan plan_;
  std::function<void(const StepsMade&)> onEnd_;
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> made_ = 0;
  std::thread thread_;
};

}  // namespace kymograph
