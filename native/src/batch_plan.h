#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "body_codec.h"
#include "ring.h"

namespace kymograph {

// Where the statistics of a frame go: u16, u16, f64, u64, and a f64 for each of the ring's regions.
struct StatisticsPlan {
  size_t minimumOffset;
  size_t maximumOffset;
  size_t meanOffset;
  size_t saturatedOffset;
  size_t regionMeansOffset;
  size_t regionMeansStep;
  size_t regions;
};

// What storage/frame-heads.ts prepares: the bytes of an Arrow IPC stream around the pixels, one frame in each record batch. Offsets count from the batch.
struct BatchPlan {
  std::vector<uint8_t> schemaMessage;
  std::vector<uint8_t> head;
  std::vector<uint8_t> headWithoutClock;  // of a frame whose hardware time is null
  std::vector<uint8_t> constants;         // columns that are the same in every batch
  std::vector<uint8_t> endOfStream;
  size_t constantsOffset;
  size_t sequenceOffset;
  size_t timeOffset;
  size_t hardwareTimeOffset;
  size_t exposureOffset;
  std::optional<StatisticsPlan> statistics;
  size_t pixelOffset;
  size_t batchBytes;  // uncompressed
  BodyCodec codec = BodyCodec::none;
  // In the head of a compressed batch, i64 each: the length of its body, and of its last buffer, the pixels.
  size_t bodyLengthOffset = 0;
  size_t pixelLengthOffset = 0;
};

struct RecordingPlan : BatchPlan {
  std::string path;
  std::optional<uint64_t> frames;
  uint64_t keepFreeBytes;
  // Of one file: the next batch would be the first of the next one. None: all goes into one.
  std::optional<uint64_t> segmentBytes;
  // Of one write: frames that are there already are written together. At least one frame.
  size_t writeBytes;
  bool buffered;  // through the page cache
};

// Throws std::invalid_argument with the name of what does not fit.
RecordingPlan checked(RecordingPlan plan, const Ring& ring);

// Everything of a batch before its pixels.
void fillHead(const BatchPlan& plan, const Ring& ring, const FrameStamp& stamp, uint8_t* head);

}  // namespace kymograph
