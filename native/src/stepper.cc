#include "stepper.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <utility>

#ifdef __linux__
#include <sys/prctl.h>
#endif

namespace kymograph {

namespace {

using namespace std::chrono;
using Time = steady_clock::time_point;

constexpr uint64_t kStep = 1;       // masks of the requested lines
constexpr uint64_t kDirection = 2;
constexpr microseconds kPulse{10};            // a DM556T needs 2.5 us
constexpr microseconds kDirectionSettles{10};  // before the first step; a DM556T needs 5 us
constexpr microseconds kSpin{20};              // the last of each wait, which sleeping would overshoot
constexpr double kShortestUs = 50;             // pulse, two system calls and the spin fit into it
constexpr double kLongestUs = 1e6;
constexpr double kCatchUp = 0.9;  // of a delay: no step comes sooner than this after the one before

void spinUntil(Time when) {
  while (steady_clock::now() < when) continue;
}

nanoseconds microsecondsOf(double us) { return duration_cast<nanoseconds>(duration<double, std::micro>(us)); }

// Best effort: without the privilege the move is made all the same, and says so.
bool becomeRealTime() {
#ifdef __linux__
  ::prctl(PR_SET_TIMERSLACK, 1000UL);  // nanoseconds; the default of 50 us is a fifth of a step
#endif
  sched_param priority{};
  priority.sched_priority = sched_get_priority_min(SCHED_FIFO) + 1;
  return ::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &priority) == 0;
}

}  // namespace

double StepPlan::delayUs(uint64_t step) const {
  if (step < rising.size()) return rising[step];
  const uint64_t fallsFrom = steps - falling.size();
  return step >= fallsFrom ? falling[step - fallsFrom] : cruiseUs;
}

void StepPlan::check() const {
  if (steps == 0) throw std::invalid_argument("steps: at least one");
  if (rising.size() + falling.size() > steps) throw std::invalid_argument("rising: the ramps are longer than the move");
  const auto allowed = [](double us) { return us >= kShortestUs && us <= kLongestUs; };
  if (!allowed(cruiseUs) || !std::all_of(rising.begin(), rising.end(), allowed) || !std::all_of(falling.begin(), falling.end(), allowed))
    throw std::invalid_argument("cruiseUs: delays are 50 to 1000000 microseconds");
}

Stepper::Stepper(std::shared_ptr<GpioLines> lines, StepPlan plan, std::function<void(const StepsMade&)> onEnd)
    : lines_(std::move(lines)), plan_(std::move(plan)), onEnd_(std::move(onEnd)) {
  thread_ = std::thread([this] { run(); });
}

Stepper::~Stepper() {
  requestStop();
  join();
}

void Stepper::join() {
  if (thread_.joinable()) thread_.join();
}

void Stepper::run() noexcept {
  StepsMade result;
  try {
    result.realTime = becomeRealTime();
    step(result);
  } catch (const std::exception& error) {
    result.failure = error.what();
  }
  result.steps = made_;
  onEnd_(result);
}

void Stepper::step(StepsMade& result) {
  lines_->setLevels(plan_.directionHigh ? kDirection : 0, kStep | kDirection);
  spinUntil(steady_clock::now() + kDirectionSettles);
  Time due = steady_clock::now();
  for (uint64_t at = 0; at < plan_.steps; ++at) {
    std::this_thread::sleep_until(due - kSpin);
    spinUntil(due);
    if (stopping_) {
      result.stopped = true;
      return;
    }
    lines_->setLevels(kStep, kStep);
    const Time rose = steady_clock::now();  // after it: if we lose the processor in between, the next step is later still and not too soon
    made_ = at + 1;
    spinUntil(rose + kPulse);
    lines_->setLevels(0, kStep);
    const nanoseconds delay = microsecondsOf(plan_.delayUs(at));
    if (rose - due > delay / 2) ++result.late;
    due = std::max(due + delay, rose + duration_cast<nanoseconds>(delay * kCatchUp));
  }
}

}  // namespace kymograph
