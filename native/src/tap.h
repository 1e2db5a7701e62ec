#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>

#include "ring.h"

namespace kymograph {

// The newest whole frame of the ring as { pixels, width, height, sequence, timeNs, exposureNs, hardwareTimeNs?, minimum, maximum, mean, saturated }, or undefined until there is one
// with a sequence above `after`. It reads the ring and touches nothing: the source and the recorder do not notice it.
Napi::Value tap(Napi::Env env, const Ring& ring, uint32_t bin, uint16_t saturation, std::optional<uint64_t> after);

}  // namespace kymograph
