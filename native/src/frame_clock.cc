#include "frame_clock.h"

#include <algorithm>

namespace kymograph {

namespace {

constexpr int64_t kDriftOneIn = 10'000;            // 100 ppm: twice what two poor crystals differ by
constexpr int64_t kClockWasSetNs = 1'000'000'000;  // no callback is this late: somebody has set the host's clock. What is less may be the first callback's delay

}  // namespace

void FrameClock::observe(int64_t hostNs, int64_t cameraNs) {
  const int64_t offset = hostNs - cameraNs;
  const int64_t drifted = offsetNs_.value_or(offset) + std::max<int64_t>(0, cameraNs - observedNs_) / kDriftOneIn;
  offsetNs_ = offset - drifted > kClockWasSetNs ? offset : std::min(offset, drifted);
  observedNs_ = cameraNs;
}

std::optional<int64_t> FrameClock::hostTime(int64_t cameraNs) {
  if (!offsetNs_) return std::nullopt;
  const int64_t timeNs = cameraNs + *offsetNs_;
  lastNs_ = lastNs_ - timeNs > kClockWasSetNs ? timeNs : std::max(lastNs_ + 1, timeNs);
  return lastNs_;
}

}  // namespace kymograph
