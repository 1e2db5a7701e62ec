#pragma once

#include <cstdint>
#include <string>

namespace kymograph {

// The yardstick of the recordings: `count` writes of `bytes` (a multiple of 4096) one after the other to a new file, then a sync. Returns seconds.
double plainWrite(const std::string& path, size_t bytes, uint64_t count);

}  // namespace kymograph
