#pragma once

#include <cstddef>
#include <cstdint>

namespace kymograph {

// More than this at a time is not to be given to a kernel: a count of pixels then fits in 16 bits and their sum in 32, and a vector holds more of them.
constexpr size_t kPiecePixels = 16 * 1024;

struct PieceStatistics {
  uint16_t minimum;
  uint16_t maximum;
  uint16_t saturated;
  uint32_t sum;
};

// Of at most kPiecePixels pixels, at any address. The vectors of this machine do them where there are any.
struct PixelKernels {
  PieceStatistics (*measure)(const uint8_t* pixels, size_t count, uint16_t saturation);
  uint32_t (*sum)(const uint8_t* pixels, size_t count);
  // Copies and measures in one go; `to` is aligned as uint16_t is.
  PieceStatistics (*copy)(const uint8_t* from, uint16_t* to, size_t count, uint16_t saturation);
  // The same past the caches, for what is larger than they are. Such stores keep no order with others but across settle().
  PieceStatistics (*stream)(const uint8_t* from, uint16_t* to, size_t count, uint16_t saturation);
  void (*settle)();
};

const PixelKernels& pixelKernels();

}  // namespace kymograph
