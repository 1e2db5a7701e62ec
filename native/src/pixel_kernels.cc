#include "pixel_kernels.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace kymograph {

namespace {

// The loops that say what is meant. The compiler makes vectors of them, as the caller's target allows.
[[gnu::always_inline]] inline PieceStatistics measureLoop(const uint8_t* pixels, size_t count, uint16_t saturation) {
  uint16_t minimum = UINT16_MAX;
  uint16_t maximum = 0;
  uint16_t saturated = 0;
  uint32_t sum = 0;
  for (size_t at = 0; at < count; ++at) {
    uint16_t pixel;
    std::memcpy(&pixel, pixels + at * sizeof pixel, sizeof pixel);
    minimum = std::min(minimum, pixel);
    maximum = std::max(maximum, pixel);
    saturated = static_cast<uint16_t>(saturated + (pixel >= saturation ? 1 : 0));
    sum += pixel;
  }
  return {minimum, maximum, saturated, sum};
}

[[gnu::always_inline]] inline uint32_t sumLoop(const uint8_t* pixels, size_t count) {
  uint32_t sum = 0;
  for (size_t at = 0; at < count; ++at) {
    uint16_t pixel;
    std::memcpy(&pixel, pixels + at * sizeof pixel, sizeof pixel);
    sum += pixel;
  }
  return sum;
}

PieceStatistics plainMeasure(const uint8_t* pixels, size_t count, uint16_t saturation) { return measureLoop(pixels, count, saturation); }
uint32_t plainSum(const uint8_t* pixels, size_t count) { return sumLoop(pixels, count); }

PieceStatistics plainCopy(const uint8_t* from, uint16_t* to, size_t count, uint16_t saturation) {
  std::memcpy(to, from, count * sizeof *to);
  return measureLoop(reinterpret_cast<const uint8_t*>(to), count, saturation);
}

void settleNothing() {}

constexpr PixelKernels kPlain{plainMeasure, plainSum, plainCopy, plainCopy, settleNothing};

#if defined(__x86_64__)

// SSE2, which every x86-64 has, knows no minimum and maximum of unsigned 16 bits. Not by target_clones: it needs ifunc, which musl and macOS do not have.
#define KYMOGRAPH_AVX2 __attribute__((target("avx2")))

KYMOGRAPH_AVX2 PieceStatistics wideMeasure(const uint8_t* pixels, size_t count, uint16_t saturation) { return measureLoop(pixels, count, saturation); }
KYMOGRAPH_AVX2 uint32_t wideSum(const uint8_t* pixels, size_t count) { return sumLoop(pixels, count); }

KYMOGRAPH_AVX2 void add(PieceStatistics& total, const PieceStatistics& part) {
  total.minimum = std::min(total.minimum, part.minimum);
  total.maximum = std::max(total.maximum, part.maximum);
  total.saturated = static_cast<uint16_t>(total.saturated + part.saturated);
  total.sum += part.sum;
}

// Every pixel is loaded once. A store past the caches fetches nothing first: a third less traffic, which is what a large frame takes its time for.
template <bool kPastCaches>
KYMOGRAPH_AVX2 PieceStatistics wideCopy(const uint8_t* from, uint16_t* to, size_t count, uint16_t saturation) {
  constexpr size_t kLanes = sizeof(__m256i) / sizeof(uint16_t);
  const size_t toBoundary = (sizeof(__m256i) - reinterpret_cast<uintptr_t>(to) % sizeof(__m256i)) % sizeof(__m256i) / sizeof(uint16_t);
  const size_t head = std::min(count, toBoundary);
  const size_t vectors = (count - head) / kLanes;
  PieceStatistics total = plainCopy(from, to, head, saturation);

  const __m256i level = _mm256_set1_epi16(static_cast<int16_t>(saturation));
  const __m256i middle = _mm256_set1_epi16(INT16_MIN);  // makes a pixel signed, less 32768: only signed ones are added in pairs
  const __m256i one = _mm256_set1_epi16(1);
  __m256i minima = _mm256_set1_epi16(-1);
  __m256i maxima = _mm256_setzero_si256();
  __m256i saturated = _mm256_setzero_si256();
  __m256i sums = _mm256_setzero_si256();
  const auto* source = reinterpret_cast<const __m256i*>(from + head * sizeof(uint16_t));
  auto* target = reinterpret_cast<__m256i*>(to + head);
  for (size_t at = 0; at < vectors; ++at) {
    const __m256i pixels = _mm256_loadu_si256(source + at);
    if constexpr (kPastCaches) _mm256_stream_si256(target + at, pixels);
    else _mm256_store_si256(target + at, pixels);
    minima = _mm256_min_epu16(minima, pixels);
    maxima = _mm256_max_epu16(maxima, pixels);
    saturated = _mm256_sub_epi16(saturated, _mm256_cmpeq_epi16(_mm256_max_epu16(pixels, level), pixels));
    sums = _mm256_add_epi32(sums, _mm256_madd_epi16(_mm256_xor_si256(pixels, middle), one));
  }
  uint16_t lanes[3][kLanes];
  int32_t pairs[kLanes / 2];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes[0]), minima);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes[1]), maxima);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(lanes[2]), saturated);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(pairs), sums);
  uint32_t sum = static_cast<uint32_t>(vectors * kLanes) * 32768u;
  for (const int32_t pair : pairs) sum += static_cast<uint32_t>(pair);
  for (size_t lane = 0; lane < kLanes; ++lane) add(total, {lanes[0][lane], lanes[1][lane], lanes[2][lane], 0});
  total.sum += sum;

  const size_t done = head + vectors * kLanes;
  add(total, plainCopy(from + done * sizeof(uint16_t), to + done, count - done, saturation));
  return total;
}

// Stores past the caches are not in the order that a release gives to others.
void settleStores() { _mm_sfence(); }

constexpr PixelKernels kWide{wideMeasure, wideSum, wideCopy<false>, wideCopy<true>, settleStores};

#endif

}  // namespace

const PixelKernels& pixelKernels() {
#if defined(__x86_64__)
  static const PixelKernels& chosen = __builtin_cpu_supports("avx2") ? kWide : kPlain;
  return chosen;
#else
  return kPlain;  // arm64: NEON is part of it, and the loops use it
#endif
}

}  // namespace kymograph
