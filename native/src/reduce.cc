#include "reduce.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace kymograph {

namespace {

template <uint32_t kBin>
void binRows(const uint16_t* rows, uint32_t width, uint16_t* out) {
  constexpr uint32_t kPixels = kBin * kBin;
  for (uint32_t x = 0; x < width / kBin; ++x) {
    uint32_t sum = kPixels / 2;
    for (uint32_t dy = 0; dy < kBin; ++dy)
      for (uint32_t dx = 0; dx < kBin; ++dx) sum += rows[size_t{dy} * width + x * kBin + dx];
    out[x] = static_cast<uint16_t>(sum / kPixels);
  }
}

void binRows(const uint16_t* rows, uint32_t width, uint32_t bin, uint16_t* out) {
  if (bin == 4) binRows<4>(rows, width, out);
  else if (bin == 2) binRows<2>(rows, width, out);
  else std::memcpy(out, rows, size_t{width} * sizeof(uint16_t));
}

}  // namespace

PixelStatistics reduce(const uint16_t* pixels, uint32_t width, uint32_t height, uint32_t bin, uint16_t saturation, uint16_t* out) {
  uint16_t minimum = UINT16_MAX;
  uint16_t maximum = 0;
  uint64_t total = 0;
  uint64_t saturated = 0;
  for (uint32_t y = 0; y < height; ++y) {
    const uint16_t* row = pixels + size_t{y} * width;
    uint32_t rowSaturated = 0;
    uint32_t rowTotal = 0;  // 65 536 pixels of 65 535 fit
    for (uint32_t x = 0; x < width; ++x) {
      minimum = std::min(minimum, row[x]);
      maximum = std::max(maximum, row[x]);
      rowTotal += row[x];
      rowSaturated += row[x] >= saturation;
    }
    total += rowTotal;
    saturated += rowSaturated;
    if ((y + 1) % bin == 0) binRows(row - size_t{bin - 1} * width, width, bin, out + size_t{y / bin} * (width / bin));
  }
  return {minimum, maximum, static_cast<double>(total) / (static_cast<double>(width) * height), saturated};
}

}  // namespace kymograph
