#include "crc32c.h"

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

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) uint32_t byInstruction(uint32_t state, const uint8_t* data, size_t bytes) {
  uint64_t wide = state;
  for (; bytes >= 8; data += 8, bytes -= 8) {
    uint64_t word;
    std::memcpy(&word, data, sizeof word);
    wide = _mm_crc32_u64(wide, word);
  }
  state = static_cast<uint32_t>(wide);
  for (; bytes > 0; ++data, --bytes) state = _mm_crc32_u8(state, *data);
  return state;
}

uint32_t update(uint32_t state, const uint8_t* data, size_t bytes) {
  static const bool hasInstruction = __builtin_cpu_supports("sse4.2");
  return hasInstruction ? byInstruction(state, data, bytes) : byTable(state, data, bytes);
}

#elif defined(__ARM_FEATURE_CRC32)

uint32_t update(uint32_t state, const uint8_t* data, size_t bytes) {
  for (; bytes >= 8; data += 8, bytes -= 8) {
    uint64_t word;
    std::memcpy(&word, data, sizeof word);
    state = __crc32cd(state, word);
  }
  for (; bytes > 0; ++data, --bytes) state = __crc32cb(state, *data);
  return state;
}

#else

uint32_t update(uint32_t state, const uint8_t* data, size_t bytes) { return byTable(state, data, bytes); }

#endif

}  // namespace

uint32_t crc32c(uint32_t before, const void* data, size_t bytes) { return ~update(~before, static_cast<const uint8_t*>(data), bytes); }

}  // namespace kymograph
