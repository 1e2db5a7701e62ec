#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "ring.h"

namespace kymograph {

// What is wanted of a frame.
struct TapRequest {
  uint32_t bin = 1;              // 1, 2 or 4
  std::optional<Region> region;  // in pixels of the ring's frames; absent: all of them
  bool pixels = true;            // false: only what is known of the frame
  bool compress = false;         // one block of LZ4, if it gets smaller by it
  std::optional<uint64_t> after; // a sequence
};

// One frame, as it was asked for.
struct Picture {
  uint64_t index;  // its publication in the ring: how many frames came before it
  FrameStamp stamp;
  FrameStatistics statistics;  // of the frame's own pixels that it is made of
  uint64_t measured;           // how many those are
  uint32_t width;
  uint32_t height;
  std::unique_ptr<uint8_t[]> data;
  size_t bytes = 0;
  bool compressed = false;
};

// Throws invalid_argument unless `request` fits the ring's frames and leaves at least one pixel. What does not fill a square of bin x bin pixels at the right
// and at the bottom of the frame, or of the region, is not in the picture.
void check(const TapRequest& request, const Ring& ring);

// Whether a frame with a sequence above `after` has been published.
bool hasNewer(const Ring& ring, std::optional<uint64_t> after);

// The newest whole frame; none until there is one above `request.after`. It reads the ring and touches nothing: the source and the recorder do not notice it.
// Takes milliseconds for a large frame. `request` has been checked.
std::optional<Picture> takePicture(const Ring& ring, const TapRequest& request);

}  // namespace kymograph
