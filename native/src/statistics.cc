#include "statistics.h"

#include <algorithm>
#include <cstring>

namespace kymograph {

namespace {

constexpr size_t kPieceBytes = 32 * 1024;   // copied, then measured: half of it stays in the first cache, all of it in the second
constexpr size_t kPiecePixels = 16 * 1024;  // a count of pixels fits in 16 bits, and their sum in 32

struct PieceStatistics {
  uint16_t minimum;
  uint16_t maximum;
  uint16_t saturated;
  uint32_t sum;
};

// At most kPiecePixels, so that each sum stays as narrow as its vector lane. The compiler makes vectors of these loops.
[[gnu::always_inline]] inline PieceStatistics pieceStatistics(const uint16_t* pixels, size_t count, uint16_t saturation) {
  uint16_t minimum = UINT16_MAX;
  uint16_t maximum = 0;
  uint16_t saturated = 0;
  uint32_t sum = 0;
  for (size_t at = 0; at < count; ++at) {
    const uint16_t pixel = pixels[at];
    minimum = std::min(minimum, pixel);
    maximum = std::max(maximum, pixel);
    saturated = static_cast<uint16_t>(saturated + (pixel >= saturation ? 1 : 0));
    sum += pixel;
  }
  return {minimum, maximum, saturated, sum};
}

[[gnu::always_inline]] inline uint32_t pieceSum(const uint16_t* pixels, size_t count) {
  uint32_t sum = 0;
  for (size_t at = 0; at < count; ++at) sum += pixels[at];
  return sum;
}

struct Kernels {
  PieceStatistics (*statistics)(const uint16_t*, size_t, uint16_t);
  uint32_t (*sum)(const uint16_t*, size_t);
};

PieceStatistics plainStatistics(const uint16_t* pixels, size_t count, uint16_t saturation) { return pieceStatistics(pixels, count, saturation); }
uint32_t plainSum(const uint16_t* pixels, size_t count) { return pieceSum(pixels, count); }

#if defined(__x86_64__)

// SSE2, which every x86-64 has, knows no minimum and maximum of unsigned 16 bits. Not target_clones: it needs ifunc, which musl and macOS do not have.
__attribute__((target("avx2"))) PieceStatistics wideStatistics(const uint16_t* pixels, size_t count, uint16_t saturation) {
  return pieceStatistics(pixels, count, saturation);
}
__attribute__((target("avx2"))) uint32_t wideSum(const uint16_t* pixels, size_t count) { return pieceSum(pixels, count); }

const Kernels& kernels() {
  static const Kernels chosen = __builtin_cpu_supports("avx2") ? Kernels{wideStatistics, wideSum} : Kernels{plainStatistics, plainSum};
  return chosen;
}

#else

const Kernels& kernels() {  // arm64: NEON is part of it, and the plain loops use it
  static const Kernels chosen{plainStatistics, plainSum};
  return chosen;
}

#endif

uint64_t sumOf(const uint16_t* pixels, size_t count) {
  uint64_t sum = 0;
  for (size_t at = 0; at < count; at += kPiecePixels) sum += kernels().sum(pixels + at, std::min(kPiecePixels, count - at));
  return sum;
}

void addRows(FrameStatistics& total, const Measures& measures, const uint16_t* frame, uint32_t first, uint32_t end) {
  const size_t width = measures.width;
  addPixels(total, frame + first * width, (end - first) * width, measures.saturation);
  for (size_t at = 0; at < measures.regions.size(); ++at) {
    const Region& region = measures.regions[at];
    const uint32_t last = std::min(end, region.y + region.height);
    for (uint32_t y = std::max(first, region.y); y < last; ++y) total.regionSums[at] += sumOf(frame + y * width + region.x, region.width);
  }
}

// Whole rows, as many as fill a piece.
template <typename Rows>
void inPieces(const Measures& measures, uint32_t first, uint32_t end, Rows&& rows) {
  const size_t rowBytes = size_t{measures.width} * sizeof(uint16_t);
  const auto step = static_cast<uint32_t>(std::max<size_t>(1, kPieceBytes / rowBytes));
  for (uint32_t y = first; y < end;) {
    const uint32_t next = end - y > step ? y + step : end;
    rows(y, next);
    y = next;
  }
}

}  // namespace

FrameStatistics& FrameStatistics::operator+=(const FrameStatistics& other) {
  minimum = std::min(minimum, other.minimum);
  maximum = std::max(maximum, other.maximum);
  saturated += other.saturated;
  sum += other.sum;
  for (size_t at = 0; at < kMaxRegions; ++at) regionSums[at] += other.regionSums[at];
  return *this;
}

void addPixels(FrameStatistics& total, const uint16_t* pixels, size_t count, uint16_t saturation) {
  for (size_t at = 0; at < count; at += kPiecePixels) {
    const PieceStatistics piece = kernels().statistics(pixels + at, std::min(kPiecePixels, count - at), saturation);
    total.minimum = std::min(total.minimum, piece.minimum);
    total.maximum = std::max(total.maximum, piece.maximum);
    total.saturated += piece.saturated;
    total.sum += piece.sum;
  }
}

FrameStatistics measureRows(const Measures& measures, const uint16_t* frame, uint32_t first, uint32_t end) {
  FrameStatistics total;
  inPieces(measures, first, end, [&](uint32_t y, uint32_t next) { addRows(total, measures, frame, y, next); });
  return total;
}

FrameStatistics copyAndMeasure(const Measures& measures, const void* from, uint16_t* to) {
  const size_t rowBytes = size_t{measures.width} * sizeof(uint16_t);
  FrameStatistics total;
  inPieces(measures, 0, measures.height, [&](uint32_t y, uint32_t next) {
    std::memcpy(to + y * size_t{measures.width}, static_cast<const uint8_t*>(from) + y * rowBytes, (next - y) * rowBytes);
    addRows(total, measures, to, y, next);
  });
  return total;
}

}  // namespace kymograph
