#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace kymograph {

// What a frame's stamp has room for. Each costs a pass over its own pixels, which are in the cache then; more curves than this nobody tells apart on a chart.
constexpr size_t kMaxRegions = 8;
constexpr uint16_t kFullScale = UINT16_MAX;

// In pixels of the frame; inside of it, at least one pixel.
struct Region {
  uint32_t x, y, width, height;
};

// Of all pixels of a frame, and the sums of its regions. Laid out as it stands in the ring (docs/frame-ring.md). As it is made, of no pixel.
struct FrameStatistics {
  uint16_t minimum = UINT16_MAX;
  uint16_t maximum = 0;
  uint32_t saturated = 0;  // pixels at or above the saturation level; no frame has 2^32 pixels: a ring is too small for it
  uint64_t sum = 0;
  uint64_t regionSums[kMaxRegions] = {};

  // Of both together, which have no pixel in common.
  FrameStatistics& operator+=(const FrameStatistics& other);
};
static_assert(sizeof(FrameStatistics) == 80);

// Which frames are measured, and what of them.
struct Measures {
  uint32_t width;
  uint32_t height;
  uint16_t saturation;
  std::span<const Region> regions;
};

// Adds `count` pixels that stand one behind the other.
void addPixels(FrameStatistics& total, const uint16_t* pixels, size_t count, uint16_t saturation);

// Of the rows from `first` up to `end`; `frame` is where row 0 begins. Any alignment.
FrameStatistics measureRows(const Measures& measures, const uint16_t* frame, uint32_t first, uint32_t end);

// Copies a frame, and measures every piece of it while it is in the cache. `from` needs no alignment; the two do not overlap.
FrameStatistics copyAndMeasure(const Measures& measures, const void* from, uint16_t* to);

}  // namespace kymograph
