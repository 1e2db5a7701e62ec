#include "batch_plan.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace kymograph {

namespace {

void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

template <typename Value>
void put(uint8_t* head, size_t offset, Value value) {
  std::memcpy(head + offset, &value, sizeof value);
}

}  // namespace

RecordingPlan checked(RecordingPlan plan, const Ring& ring) {
  require(!plan.path.empty() && plan.path.front() == '/', "path: give an absolute path");
  require(!plan.schemaMessage.empty() && plan.schemaMessage.size() % kPageBytes == 0, "schemaMessage: its length must be a multiple of 4096");
  require(plan.pixelOffset > 0 && plan.pixelOffset % kPageBytes == 0, "pixelOffset: must be a multiple of 4096");
  require(plan.head.size() <= plan.pixelOffset, "batchHead: may not reach into the pixels");
  require(plan.batchBytes == plan.pixelOffset + ring.paddedFrameBytes(), "batchBytes: does not fit the ring's frames");
  require(plan.headWithoutClock.size() == plan.head.size(), "batchHeadWithoutClock: must be as long as batchHead");
  require(plan.constants.size() <= plan.pixelOffset && plan.constantsOffset <= plan.pixelOffset - plan.constants.size(), "constants: must lie before the pixels");
  for (const size_t offset : {plan.sequenceOffset, plan.timeOffset, plan.hardwareTimeOffset, plan.exposureOffset})
    require(offset <= plan.pixelOffset - sizeof(uint64_t), "the columns must lie before the pixels");
  if (plan.codec != BodyCodec::none)
    for (const size_t offset : {plan.bodyLengthOffset, plan.pixelLengthOffset})
      require(offset > 0 && offset + sizeof(uint64_t) <= plan.head.size(), "the lengths of a compressed batch must lie in its head");
  if (plan.statistics) {
    const StatisticsPlan& columns = *plan.statistics;
    require(columns.regions == ring.measures().regions.size(), "statistics: as many regions as the ring has");
    for (const size_t offset : {columns.minimumOffset, columns.maximumOffset, columns.meanOffset, columns.saturatedOffset})
      require(offset <= plan.pixelOffset - sizeof(uint64_t), "statistics: the columns must lie before the pixels");
    require(columns.regionMeansOffset + columns.regions * columns.regionMeansStep <= plan.pixelOffset, "statistics: the columns must lie before the pixels");
  }
  require(plan.frames.value_or(1) > 0, "frames: must be at least 1");
  require(plan.segmentBytes.value_or(1) > 0, "segmentBytes: must be at least 1");
  return plan;
}

void fillHead(const BatchPlan& plan, const Ring& ring, const FrameStamp& stamp, uint8_t* head) {
  std::memset(head, 0, plan.pixelOffset);
  const bool hasClock = stamp.hardwareTimeNs != kNoHardwareTime;
  const std::vector<uint8_t>& fixed = hasClock ? plan.head : plan.headWithoutClock;
  std::copy(fixed.begin(), fixed.end(), head);
  std::copy(plan.constants.begin(), plan.constants.end(), head + plan.constantsOffset);
  put(head, plan.sequenceOffset, stamp.sequence);
  put(head, plan.timeOffset, stamp.timeNs);
  put(head, plan.hardwareTimeOffset, hasClock ? stamp.hardwareTimeNs : int64_t{0});  // under a null
  put(head, plan.exposureOffset, stamp.exposureNs);
  if (!plan.statistics) return;
  const StatisticsPlan& columns = *plan.statistics;
  put(head, columns.minimumOffset, stamp.statistics.minimum);
  put(head, columns.maximumOffset, stamp.statistics.maximum);
  put(head, columns.meanOffset, ring.mean(stamp.statistics));
  put(head, columns.saturatedOffset, uint64_t{stamp.statistics.saturated});
  for (size_t region = 0; region < columns.regions; ++region)
    put(head, columns.regionMeansOffset + region * columns.regionMeansStep, ring.regionMean(stamp.statistics, region));
}

}  // namespace kymograph
