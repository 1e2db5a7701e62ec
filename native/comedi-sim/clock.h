#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace comedi_sim {

constexpr uint64_t kNever = UINT64_MAX;

// The board's one time base: inputs and outputs that are timed by it see the same time. It stands while there is nothing to time.
class Clock {
 public:
  // With the mutex held: does everything that is due by then, and says whether anything goes on.
  using Advance = std::function<bool(uint64_t nowNs)>;

  Clock(std::mutex& mutex, Advance advance);
  ~Clock();
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;

  // Both with the mutex held.
  uint64_t nowNs() const { return nowNs_; }
  // There is something to time, `pace` times as fast as it should be.
  void wake(double pace);

 private:
  void run();

  std::mutex& mutex_;
  const Advance advance_;
  std::condition_variable woken_;
  uint64_t nowNs_ = 0;
  double pace_ = 1;
  bool going_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace comedi_sim
