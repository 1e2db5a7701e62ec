#pragma once

#include <cstdint>
#include <optional>

namespace kymograph {

// Translates a camera's time stamps into the host's time. A callback is late by an unknown, never negative, and jittering delay, so the smallest difference
// seen between host and camera is the best one; it may grow slowly, because the two clocks drift.
class FrameClock {
 public:
  void observe(int64_t hostNs, int64_t cameraNs);
  // When the frame ended; asked for in the order of the frames. Nothing before the first observation. Times grow, but where the host's clock was set back by
  // more than a second: there they go back with it, once. All other instruments' times do, and a frame is looked for beside them; for its place among the
  // frames there is the sequence, and for what lies between two of them the camera's own clock.
  std::optional<int64_t> hostTime(int64_t cameraNs);

 private:
  std::optional<int64_t> offsetNs_;
  int64_t observedNs_ = 0;
  int64_t lastNs_ = 0;
};

}  // namespace kymograph
