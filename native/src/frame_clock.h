#pragma once

#include <cstdint>
#include <optional>

namespace kymograph {

// Translates a camera's time stamps into the host's time. A callback is late by an unknown, never negative, and jittering delay, so the smallest difference
// seen between host and camera is the best one; it may grow slowly, because the two clocks drift.
class FrameClock {
 public:
  void observe(int64_t hostNs, int64_t cameraNs);
  // When the frame ended. Times only grow. Nothing before the first observation.
  std::optional<int64_t> hostTime(int64_t cameraNs);

 private:
  std::optional<int64_t> offsetNs_;
  int64_t observedNs_ = 0;
  int64_t lastNs_ = 0;
};

}  // namespace kymograph
