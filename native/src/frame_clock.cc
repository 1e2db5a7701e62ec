#include "frame_clock.h"

#include <algorithm>

namespace kymograph {

namespace {

constexpr int64_t kDriftOneIn = 10'000;            // 100 ppm: twice what two poor crystals differ by
constexpr int64_t kClockWasSetNs = 1'000'000'000;  // no callback is this late: somebody has set the host's clock

}  // namespace

void FrameClock::observe(int64_t hostNs, int64_t cameraNs) {
  const int64_t offset = hostNs - cameraNs;
  const int64_t drifted = offsetNs_.value_or(offset) + std::max<int64_t>(0, cameraNs - observedNs_) / kDriftOneIn;
  offsetNs_ = offset - drifted > kClockWasSetNs ? offset : std::min(offset, drifted);
  observedNs_ = cameraNs;
}

std::optional<int64_t> FrameClock::hostTime(int64_t cameraNs) {
  if (!offsetNs_) return std::nullopt;
  lastNs_ = std::max(lastNs_ + 1, cameraNs + *offsetNs_);
  return lastNs_;
}

}  // namespace kymograph
