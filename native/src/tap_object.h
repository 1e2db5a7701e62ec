#pragma once

#include <napi.h>

#include <memory>

#include "ring.h"

namespace kymograph {

// `options`: { bin, region?: { x, y, width, height }, pixels?, compress?, after?: bigint }, as TapRequest. A promise of { width, height, data, encoding, sequence,
// timeNs, exposureNs, hardwareTimeNs?, minimum, maximum, mean, saturated }, or of undefined when there is no newer frame. Pixels are taken and packed on the
// thread pool.
Napi::Value tap(Napi::Env env, const std::shared_ptr<Ring>& ring, const Napi::Object& options);

}  // namespace kymograph
