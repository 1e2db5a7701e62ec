#include <cstdint>
#include <iostream>

#include "frame_clock.h"

// Reads lines "host camera", both in nanoseconds: a callback at that host time for a frame of that camera time. Prints the frame's host time.
int main() {
  kymograph::FrameClock clock;
  for (int64_t hostNs = 0, cameraNs = 0; std::cin >> hostNs >> cameraNs;) {
    clock.observe(hostNs, cameraNs);
    std::cout << clock.hostTime(cameraNs).value_or(0) << std::endl;
  }
}
