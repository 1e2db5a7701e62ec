#pragma once

#include <cstddef>
#include <cstdint>

#include "thread_stopwatch.h"

namespace kymograph {

// The yardstick of the ring: `count` times memcpy of `bytes`, from as many buffers as a camera has to as many places as a ring has slots, one after the other.
ThreadTimes plainCopy(size_t bytes, size_t places, uint64_t count);

}  // namespace kymograph
