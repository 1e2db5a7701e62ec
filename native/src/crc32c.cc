#include "crc32c.h"

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace kymograph {

namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;  // bits reversed

constexpr std::array<uint32_t, 256> makeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ (value & 1 ? kPolynomial : 0);
    table[byte] = value;
  }
  return table;
}
constexpr auto kTable = makeTable();

[[maybe_unused]] uint32_t byTable(uint32_t state, const uint8_t* data, size_t bytes) {
  for (; bytes > 0; ++data, --bytes) state = (state >> 8) ^ kTable[(state ^ *data) & 0xff];
  return state;
}

// One instruction takes three cycles, and another may begin in each: so three stripes are taken side by side, and their sums joined (Gopal et al., Fast CRC
// Computation for iSCSI Polynomial Using CRC32 Instruction, Intel 2011). Long enough that the joining is nothing beside it.
constexpr size_t kStripe = 8192;
constexpr size_t kStripes = 3 * kStripe;
constexpr size_t kCopied = 8 * kStripes;  // stays in the second cache between the sum and the copy

// Of polynomials modulo kPolynomial, bits reversed: 0x80000000 is 1.
constexpr uint32_t product(uint32_t left, uint32_t right) {
  uint32_t sum = 0;
  for (int bit = 31; bit >= 0; --bit) {
    if ((left >> bit & 1) != 0) sum ^= right;
    right = (right >> 1) ^ ((right & 1) != 0 ? kPolynomial : 0);
  }
  return sum;
}

// What a state becomes by `bytes` zeros is its product with this.
constexpr uint32_t zeros(size_t bytes) {
  uint32_t result = 0x80000000u;
  for (uint32_t power = 0x80000000u >> 8; bytes > 0; bytes >>= 1, power = product(power, power))
    if ((bytes & 1) != 0) result = product(result, power);
  return result;
}
constexpr uint32_t kOneStripe = zeros(kStripe);

uint64_t wordAt(const uint8_t* data) {
  uint64_t word;
  std::memcpy(&word, data, sizeof word);
  return word;
}

#if defined(__x86_64__)

#define KYMOGRAPH_CRC __attribute__((target("sse4.2")))
KYMOGRAPH_CRC inline uint32_t step(uint32_t state, uint64_t word) { return static_cast<uint32_t>(_mm_crc32_u64(state, word)); }
KYMOGRAPH_CRC inline uint32_t step(uint32_t state, uint8_t byte) { return _mm_crc32_u8(state, byte); }

#elif defined(__ARM_FEATURE_CRC32)

#define KYMOGRAPH_CRC
inline uint32_t step(uint32_t state, uint64_t word) { return __crc32cd(state, word); }
inline uint32_t step(uint32_t state, uint8_t byte) { return __crc32cb(state, byte); }

#endif

#ifdef KYMOGRAPH_CRC

KYMOGRAPH_CRC uint32_t byInstruction(uint32_t state, const uint8_t* data, size_t bytes) {
  for (; bytes >= kStripes; data += kStripes, bytes -= kStripes) {
    uint32_t second = 0;
    uint32_t third = 0;
    for (size_t at = 0; at < kStripe; at += sizeof(uint64_t)) {
      state = step(state, wordAt(data + at));
      second = step(second, wordAt(data + kStripe + at));
      third = step(third, wordAt(data + 2 * kStripe + at));
    }
    state = product(kOneStripe, product(kOneStripe, state) ^ second) ^ third;
  }
  for (; bytes >= sizeof(uint64_t); data += sizeof(uint64_t), bytes -= sizeof(uint64_t)) state = step(state, wordAt(data));
  for (; bytes > 0; ++data, --bytes) state = step(state, *data);
  return state;
}

bool hasInstruction() {
#if defined(__x86_64__)
  static const bool has = __builtin_cpu_supports("sse4.2");
  return has;
#else
  return true;
#endif
}

uint32_t update(uint32_t state, const uint8_t* data, size_t bytes) {
  return hasInstruction() ? byInstruction(state, data, bytes) : byTable(state, data, bytes);
}

#else

uint32_t update(uint32_t state, const uint8_t* data, size_t bytes) { return byTable(state, data, bytes); }

#endif

}  // namespace

uint32_t crc32c(uint32_t before, const void* data, size_t bytes) { return ~update(~before, static_cast<const uint8_t*>(data), bytes); }

uint32_t copyWithCrc32c(uint32_t before, void* to, const void* from, size_t bytes) {
  uint32_t sum = before;
  for (size_t at = 0; at < bytes; at += kCopied) {
    const size_t part = std::min(kCopied, bytes - at);
    sum = crc32c(sum, static_cast<const uint8_t*>(from) + at, part);
    std::memcpy(static_cast<uint8_t*>(to) + at, static_cast<const uint8_t*>(from) + at, part);
  }
  return sum;
}

}  // namespace kymograph
