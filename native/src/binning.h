#pragma once

#include <cstddef>
#include <cstdint>

namespace kymograph {

// The mean of each bin x bin square of `bin` rows, rounded half up, into `out`, which takes width / bin pixels. `stride` is from one row to the next, in pixels;
// `width` is a whole multiple of bin, which is 2 or 4. Any alignment.
void binRows(const uint16_t* rows, size_t stride, size_t width, uint32_t bin, uint16_t* out);

}  // namespace kymograph
