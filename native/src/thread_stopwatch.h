#pragma once

#include <chrono>
#include <ctime>

namespace kymograph {

struct ThreadTimes {
  double seconds;
  double threadSeconds;  // of the processor's time, which a busy machine does not make longer
};

// From its making on, for the thread that made it.
class ThreadStopwatch {
 public:
  ThreadTimes elapsed() const { return {std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(), threadSeconds() - threadStart_}; }

 private:
  static double threadSeconds() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
  }

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double threadStart_ = threadSeconds();
};

}  // namespace kymograph
