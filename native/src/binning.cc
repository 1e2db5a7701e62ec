#include "binning.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace kymograph {

namespace {

// From column `from` on. On arm64 the compiler makes NEON of it.
template <size_t kBin>
void plainRows(const uint16_t* rows, size_t stride, size_t from, size_t width, uint16_t* out) {
  constexpr uint32_t kSquare = kBin * kBin;
  for (size_t x = from; x < width; x += kBin) {
    uint32_t sum = kSquare / 2;
    for (size_t dy = 0; dy < kBin; ++dy)
      for (size_t dx = 0; dx < kBin; ++dx) sum += rows[dy * stride + x + dx];
    out[x / kBin] = static_cast<uint16_t>(sum / kSquare);
  }
}

#if defined(__x86_64__)

// Sums of two neighbours in each of 8 lanes of 32 bits, over kBin rows: 16 columns.
template <size_t kBin>
__attribute__((target("avx2"))) inline __m256i pairSums(const uint16_t* at, size_t stride) {
  __m256i sum = _mm256_setzero_si256();
  for (size_t dy = 0; dy < kBin; ++dy) {
    const __m256i row = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at + dy * stride));
    sum = _mm256_add_epi32(sum, _mm256_add_epi32(_mm256_and_si256(row, _mm256_set1_epi32(0xffff)), _mm256_srli_epi32(row, 16)));
  }
  return sum;
}

// Both return how many columns they have done, and leave less than one step of them. AVX2's pack and add work in each half of a vector for itself, so what
// comes out is put in order again.

__attribute__((target("avx2"))) size_t wideRowsBy2(const uint16_t* rows, size_t stride, size_t width, uint16_t* out) {
  constexpr size_t kStep = 32;
  const __m256i half = _mm256_set1_epi32(2);
  size_t x = 0;
  for (; x + kStep <= width; x += kStep) {
    const __m256i left = _mm256_srli_epi32(_mm256_add_epi32(pairSums<2>(rows + x, stride), half), 2);
    const __m256i right = _mm256_srli_epi32(_mm256_add_epi32(pairSums<2>(rows + x + 16, stride), half), 2);
    const __m256i means = _mm256_permute4x64_epi64(_mm256_packus_epi32(left, right), 0b11'01'10'00);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + x / 2), means);
  }
  return x;
}

__attribute__((target("avx2"))) size_t wideRowsBy4(const uint16_t* rows, size_t stride, size_t width, uint16_t* out) {
  constexpr size_t kStep = 64;
  const __m256i half = _mm256_set1_epi32(8);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  size_t x = 0;
  for (; x + kStep <= width; x += kStep) {
    const __m256i left = _mm256_hadd_epi32(pairSums<4>(rows + x, stride), pairSums<4>(rows + x + 16, stride));
    const __m256i right = _mm256_hadd_epi32(pairSums<4>(rows + x + 32, stride), pairSums<4>(rows + x + 48, stride));
    const __m256i means = _mm256_packus_epi32(_mm256_srli_epi32(_mm256_add_epi32(left, half), 4), _mm256_srli_epi32(_mm256_add_epi32(right, half), 4));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + x / 4), _mm256_permutevar8x32_epi32(means, order));
  }
  return x;
}

bool isWide() {
  static const bool wide = __builtin_cpu_supports("avx2") != 0;
  return wide;
}

#endif

}  // namespace

void binRows(const uint16_t* rows, size_t stride, size_t width, uint32_t bin, uint16_t* out) {
  size_t done = 0;
#if defined(__x86_64__)
  if (isWide()) done = bin == 2 ? wideRowsBy2(rows, stride, width, out) : wideRowsBy4(rows, stride, width, out);
#endif
  if (bin == 2) plainRows<2>(rows, stride, done, width, out);
  else plainRows<4>(rows, stride, done, width, out);
}

}  // namespace kymograph
