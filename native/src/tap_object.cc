#include "tap_object.h"

#include <stdexcept>
#include <utility>

#include "background_task.h"
#include "js_values.h"
#include "tap.h"

namespace kymograph {

namespace {

uint32_t sideOption(const Napi::Object& options, const char* name) {
  const uint64_t value = countOption(options, name);
  if (value > UINT32_MAX) throw std::invalid_argument(std::string(name) + ": is too large");
  return static_cast<uint32_t>(value);
}

TapRequest requestOption(const Napi::Object& options) {
  TapRequest request;
  request.bin = sideOption(options, "bin");
  request.pixels = !options.Has("pixels") || options.Get("pixels").ToBoolean();
  request.compress = options.Get("compress").ToBoolean();
  if (const Napi::Value region = options.Get("region"); region.IsObject()) {
    const auto sides = region.As<Napi::Object>();
    request.region = Region{sideOption(sides, "x"), sideOption(sides, "y"), sideOption(sides, "width"), sideOption(sides, "height")};
  }
  if (const Napi::Value after = options.Get("after"); after.IsBigInt()) {
    bool lossless = false;
    request.after = after.As<Napi::BigInt>().Uint64Value(&lossless);
  }
  return request;
}

// The bytes are JavaScript's from now on.
Napi::Value giveBytes(Napi::Env env, std::unique_ptr<uint8_t[]> data, size_t bytes) {
  if (!data) return Napi::Uint8Array::New(env, 0);
  auto buffer = Napi::ArrayBuffer::New(env, data.get(), bytes, [](Napi::Env, void* held) { delete[] static_cast<uint8_t*>(held); });
  data.release();
  return Napi::Uint8Array::New(env, bytes, buffer, 0);
}

Napi::Value describe(Napi::Env env, std::optional<Picture>& picture) {
  if (!picture) return env.Undefined();
  const auto& [index, stamp, statistics, measured, width, height, data, bytes, compressed] = *picture;
  auto result = Napi::Object::New(env);
  result.Set("width", width);
  result.Set("height", height);
  result.Set("encoding", compressed ? "LZ4" : "RAW");
  result.Set("index", Napi::BigInt::New(env, index));
  result.Set("sequence", Napi::BigInt::New(env, stamp.sequence));
  result.Set("timeNs", Napi::BigInt::New(env, stamp.timeNs));
  result.Set("exposureNs", Napi::BigInt::New(env, stamp.exposureNs));
  if (stamp.hardwareTimeNs != kNoHardwareTime) result.Set("hardwareTimeNs", Napi::BigInt::New(env, stamp.hardwareTimeNs));
  result.Set("minimum", static_cast<uint32_t>(statistics.minimum));
  result.Set("maximum", static_cast<uint32_t>(statistics.maximum));
  result.Set("mean", static_cast<double>(statistics.sum) / static_cast<double>(measured));
  result.Set("saturated", statistics.saturated);
  result.Set("data", giveBytes(env, std::move(picture->data), bytes));
  return result;
}

Napi::Promise resolved(Napi::Env env, std::optional<Picture> picture) {
  const auto deferred = Napi::Promise::Deferred::New(env);
  deferred.Resolve(describe(env, picture));
  return deferred.Promise();
}

}  // namespace

Napi::Value tap(Napi::Env env, const std::shared_ptr<Ring>& ring, const Napi::Object& options) {
  const TapRequest request = requestOption(options);
  check(request, *ring);
  if (!hasNewer(*ring, request.after)) return resolved(env, std::nullopt);
  if (!request.pixels && !request.region) return resolved(env, takePicture(*ring, request));
  return onThreadPool<std::optional<Picture>>(
      env, [ring, request] { return takePicture(*ring, request); },
      [](Napi::Env settled, std::optional<Picture>& picture) { return describe(settled, picture); });
}

}  // namespace kymograph
