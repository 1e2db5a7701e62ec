#include "tap.h"

#include <stdexcept>

#include "reduce.h"

namespace kymograph {

namespace {

constexpr int kAttempts = 3;  // a frame is overwritten under us only if the whole ring goes by during one reduction

}  // namespace

Napi::Value tap(Napi::Env env, const Ring& ring, uint32_t bin, uint16_t saturation, std::optional<uint64_t> after) {
  if (bin != 1 && bin != 2 && bin != 4) throw std::invalid_argument("bin: must be 1, 2 or 4");
  const uint32_t width = ring.width() / bin;
  const uint32_t height = ring.height() / bin;
  auto pixels = Napi::Uint16Array();
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const uint64_t published = ring.published();
    if (published == 0) return env.Undefined();
    const uint64_t newest = published - 1;
    const FrameStamp stamp = ring.stamp(newest);
    if (!ring.whole(newest)) continue;
    if (after && stamp.sequence <= *after) return env.Undefined();
    if (pixels.IsEmpty()) pixels = Napi::Uint16Array::New(env, size_t{width} * height);
    const PixelStatistics statistics = reduce(ring.pixels(newest), ring.width(), ring.height(), bin, saturation, pixels.Data());
    if (!ring.whole(newest)) continue;
    auto result = Napi::Object::New(env);
    result.Set("pixels", pixels);
    result.Set("width", width);
    result.Set("height", height);
    result.Set("sequence", Napi::BigInt::New(env, stamp.sequence));
    result.Set("timeNs", Napi::BigInt::New(env, stamp.timeNs));
    result.Set("exposureNs", Napi::BigInt::New(env, stamp.exposureNs));
    if (stamp.hardwareTimeNs != kNoHardwareTime) result.Set("hardwareTimeNs", Napi::BigInt::New(env, stamp.hardwareTimeNs));
    result.Set("minimum", static_cast<uint32_t>(statistics.minimum));
    result.Set("maximum", static_cast<uint32_t>(statistics.maximum));
    result.Set("mean", statistics.mean);
    result.Set("saturated", static_cast<double>(statistics.saturated));
    return result;
  }
  return env.Undefined();
}

}  // namespace kymograph
