#pragma once

#include <cstddef>
#include <cstdint>

namespace kymograph {

// CRC-32C (Castagnoli; RFC 3720, B.4) of what came before, whose checksum is `before` (0 at the start), and of `bytes` more: by the processor's instruction
// where it has one.
uint32_t crc32c(uint32_t before, const void* data, size_t bytes);

// The same of `bytes` at `from`, which are copied meanwhile: they come from memory once.
uint32_t copyWithCrc32c(uint32_t before, void* to, const void* from, size_t bytes);

}  // namespace kymograph
