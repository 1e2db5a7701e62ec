#pragma once

#include <cstdint>

namespace kymograph {

struct PixelStatistics {
  uint16_t minimum;
  uint16_t maximum;
  double mean;
  uint64_t saturated;
};

// Minimum, maximum and mean of all pixels, and how many reach `saturation`; and, into `out`, the rounded mean of each bin x bin square (bin is 1, 2 or 4).
// What is left over at the right and at the bottom is not in `out`, which has (width / bin) * (height / bin) pixels.
PixelStatistics reduce(const uint16_t* pixels, uint32_t width, uint32_t height, uint32_t bin, uint16_t saturation, uint16_t* out);

}  // namespace kymograph
