#include "ring_object.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "addon.h"
#include "background_task.h"
#include "js_values.h"
#include "recording_object.h"
#include "tap.h"
#include "test_pattern.h"

namespace kymograph {

namespace {

uint32_t size(const Napi::Object& options, const char* name) {
  const uint64_t value = countOption(options, name);
  if (value > UINT32_MAX) throw std::invalid_argument(std::string(name) + ": is too large");
  return static_cast<uint32_t>(value);
}

// A sequence as a BigInt, if one is given; a negative one comes before every frame.
std::optional<uint64_t> sequenceArgument(const Napi::Value& value) {
  if (value.IsUndefined()) return std::nullopt;
  if (!value.IsBigInt()) throw Napi::TypeError::New(value.Env(), "the number of a frame is a bigint");
  bool lossless = false;
  const int64_t sequence = value.As<Napi::BigInt>().Int64Value(&lossless);
  if (sequence < 0) return std::nullopt;
  return static_cast<uint64_t>(sequence);
}

}  // namespace

Napi::Function RingObject::define(Napi::Env env) {
  return DefineClass(env, "FrameRing",
                     {
                         InstanceAccessor<&RingObject::path>("path"),
                         InstanceAccessor<&RingObject::slots>("slots"),
                         InstanceAccessor<&RingObject::width>("width"),
                         InstanceAccessor<&RingObject::height>("height"),
                         InstanceAccessor<&RingObject::frameBytes>("frameBytes"),
                         InstanceAccessor<&RingObject::published>("published"),
                         InstanceAccessor<&RingObject::closed>("closed"),
                         InstanceMethod<&RingObject::tapNewest>("tap"),
                         InstanceMethod<&RingObject::frame>("frame"),
                         InstanceMethod<&RingObject::record>("record"),
                         InstanceMethod<&RingObject::startTestPattern>("startTestPattern"),
                         InstanceMethod<&RingObject::dispose>("dispose"),
                     });
}

Napi::Object RingObject::wrap(Napi::Env env, std::shared_ptr<Ring> ring) {
  return Addon::of(env).ring.New({Napi::External<std::shared_ptr<Ring>>::New(env, &ring)});
}

RingObject::RingObject(const Napi::CallbackInfo& info) : ObjectWrap(info), ring_(*info[0].As<Napi::External<std::shared_ptr<Ring>>>().Data()) {}

Ring& RingObject::ring() const {
  if (!ring_) throw std::logic_error("this ring has been disposed of");
  return *ring_;
}

Napi::Value RingObject::path(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::String::New(info.Env(), ring().path()); });
}
Napi::Value RingObject::slots(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), ring().slots()); });
}
Napi::Value RingObject::width(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), ring().width()); });
}
Napi::Value RingObject::height(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), ring().height()); });
}
Napi::Value RingObject::frameBytes(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), static_cast<double>(ring().frameBytes())); });
}
Napi::Value RingObject::published(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::BigInt::New(info.Env(), ring().published()); });
}

Napi::Value RingObject::closed(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Boolean::New(info.Env(), ring().closed()); });
}

// A copy of publication `index`; undefined when it is not there, not yet or no more.
Napi::Value RingObject::frame(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const std::optional<uint64_t> index = sequenceArgument(info[0]);
    if (!index || *index >= ring().published() || !ring().whole(*index)) return env.Undefined();
    const FrameStamp stamp = ring().stamp(*index);
    auto pixels = Napi::Uint16Array::New(env, ring().frameBytes() / kPixelBytes);
    std::memcpy(pixels.Data(), ring().pixels(*index), ring().frameBytes());
    if (!ring().whole(*index)) return env.Undefined();
    auto result = Napi::Object::New(env);
    result.Set("pixels", pixels);
    result.Set("index", Napi::BigInt::New(env, *index));
    result.Set("sequence", Napi::BigInt::New(env, stamp.sequence));
    result.Set("timeNs", Napi::BigInt::New(env, stamp.timeNs));
    result.Set("exposureNs", Napi::BigInt::New(env, stamp.exposureNs));
    if (stamp.hardwareTimeNs != kNoHardwareTime) result.Set("hardwareTimeNs", Napi::BigInt::New(env, stamp.hardwareTimeNs));
    return result;
  });
}

Napi::Value RingObject::tapNewest(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const uint32_t bin = info[0].IsNumber() ? info[0].As<Napi::Number>().Uint32Value() : 0;
    const uint32_t saturation = info[1].IsNumber() ? info[1].As<Napi::Number>().Uint32Value() : UINT16_MAX;
    return tap(info.Env(), ring(), bin, static_cast<uint16_t>(std::min<uint32_t>(saturation, UINT16_MAX)), sequenceArgument(info[2]));
  });
}

Napi::Value RingObject::record(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    ring();
    return RecordingObject::start(info.Env(), ring_, objectArgument(info, 0));
  });
}

// Resolves once the pattern has published its last frame and closed the ring.
Napi::Value RingObject::startTestPattern(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    ring();
    const Napi::Object options = objectArgument(info, 0);
    const TestPattern::Options pattern{optionalNumber(options, "rateHz"), countOption(options, "frames")};
    auto task = std::make_shared<BackgroundTask>(env, "kymograph.testPattern");
    std::shared_ptr<TestPattern> source;
    try {
      source = std::make_shared<TestPattern>(ring_, pattern, [raw = task.get()] { raw->settle([](Napi::Env ended) { return ended.Undefined(); }); });
    } catch (...) {
      task->abandon();
      throw;
    }
    task->started([source] {
      source->requestStop();
      source->join();
    });
    return task->ended();
  });
}

// Its memory goes with the last map of the file: of a large ring that takes tens of milliseconds.
Napi::Value RingObject::dispose(const Napi::CallbackInfo& info) {
  if (ring_) ring_->unlinkFile();
  return letGoOnThreadPool(info.Env(), std::move(ring_));
}

Napi::Value createRing(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return RingObject::wrap(info.Env(), Ring::create(textOption(options, "path"), {size(options, "width"), size(options, "height"), size(options, "slots")}));
  });
}

Napi::Value mapRing(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return RingObject::wrap(info.Env(), Ring::openReadOnly(textArgument(info, 0))); });
}

}  // namespace kymograph
