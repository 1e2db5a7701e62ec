#include "ring_object.h"

#include <cstring>
#include <stdexcept>
#include <utility>

#include "addon.h"
#include "background_task.h"
#include "js_values.h"
#include "recording_object.h"
#include "tap_object.h"
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

void setStamp(Napi::Object result, const Ring& ring, uint64_t index, const FrameStamp& stamp) {
  const Napi::Env env = result.Env();
  const FrameStatistics& measured = stamp.statistics;
  const size_t regions = ring.measures().regions.size();
  auto regionMeans = Napi::Array::New(env, regions);
  for (size_t at = 0; at < regions; ++at) regionMeans.Set(static_cast<uint32_t>(at), ring.regionMean(measured, at));
  auto statistics = Napi::Object::New(env);
  statistics.Set("minimum", static_cast<uint32_t>(measured.minimum));
  statistics.Set("maximum", static_cast<uint32_t>(measured.maximum));
  statistics.Set("mean", ring.mean(measured));
  statistics.Set("saturated", measured.saturated);
  statistics.Set("regionMeans", regionMeans);
  result.Set("index", Napi::BigInt::New(env, index));
  result.Set("sequence", Napi::BigInt::New(env, stamp.sequence));
  result.Set("timeNs", Napi::BigInt::New(env, stamp.timeNs));
  result.Set("exposureNs", Napi::BigInt::New(env, stamp.exposureNs));
  if (stamp.hardwareTimeNs != kNoHardwareTime) result.Set("hardwareTimeNs", Napi::BigInt::New(env, stamp.hardwareTimeNs));
  result.Set("statistics", statistics);
}

TestPattern::Fill fillOption(const Napi::Object& options) {
  if (!options.Has("copied")) return TestPattern::Fill::row;
  const std::string copied = textOption(options, "copied");
  if (copied != "measured" && copied != "unmeasured") throw std::invalid_argument("copied: must be measured or unmeasured");
  return copied == "measured" ? TestPattern::Fill::copied : TestPattern::Fill::copiedUnmeasured;
}

Napi::Uint16Array pixelsFor(const Napi::Value& given, const Ring& ring) {
  const size_t count = ring.frameBytes() / kPixelBytes;
  if (given.IsUndefined()) return Napi::Uint16Array::New(given.Env(), count);
  const bool fits = given.IsTypedArray() && given.As<Napi::TypedArray>().TypedArrayType() == napi_uint16_array && given.As<Napi::TypedArray>().ElementLength() == count;
  if (!fits) throw std::invalid_argument("into: must be a Uint16Array of " + std::to_string(count) + " pixels");
  return given.As<Napi::Uint16Array>();
}

uint32_t side(const Napi::Object& region, const char* name) {
  try {
    return size(region, name);
  } catch (const Napi::Error&) {
    throw std::invalid_argument(std::string("regions: ") + name + " of each must be a whole number");
  }
}

}  // namespace

Napi::Object javaScriptTimes(Napi::Env env, const ThreadTimes& times) {
  auto result = Napi::Object::New(env);
  result.Set("seconds", times.seconds);
  result.Set("threadSeconds", times.threadSeconds);
  return result;
}

RingMeasures measuresOption(const Napi::Object& options) {
  RingMeasures measures;
  if (options.Has("saturation")) measures.saturation = size(options, "saturation");
  if (!options.Has("regions")) return measures;
  const Napi::Value given = options.Get("regions");
  if (!given.IsArray()) throw Napi::TypeError::New(options.Env(), "regions: a list is expected");
  const auto list = given.As<Napi::Array>();
  for (uint32_t at = 0; at < list.Length(); ++at) {
    const Napi::Value item = list.Get(at);
    if (!item.IsObject()) throw Napi::TypeError::New(options.Env(), "regions: each is { x, y, width, height }");
    const auto region = item.As<Napi::Object>();
    measures.regions.push_back({side(region, "x"), side(region, "y"), side(region, "width"), side(region, "height")});
  }
  return measures;
}

Napi::Function RingObject::define(Napi::Env env) {
  return DefineClass(env, "FrameRing",
                     {
                         InstanceAccessor<&RingObject::path>("path"),
                         InstanceAccessor<&RingObject::slots>("slots"),
                         InstanceAccessor<&RingObject::width>("width"),
                         InstanceAccessor<&RingObject::height>("height"),
                         InstanceAccessor<&RingObject::frameBytes>("frameBytes"),
                         InstanceAccessor<&RingObject::saturation>("saturation"),
                         InstanceAccessor<&RingObject::regions>("regions"),
                         InstanceAccessor<&RingObject::published>("published"),
                         InstanceAccessor<&RingObject::closed>("closed"),
                         InstanceMethod<&RingObject::tapNewest>("tap"),
                         InstanceMethod<&RingObject::stamps>("stamps"),
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
Napi::Value RingObject::saturation(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), ring().measures().saturation); });
}
Napi::Value RingObject::regions(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const std::span<const Region> regions = ring().measures().regions;
    auto list = Napi::Array::New(info.Env(), regions.size());
    for (size_t at = 0; at < regions.size(); ++at) {
      auto region = Napi::Object::New(info.Env());
      region.Set("x", regions[at].x);
      region.Set("y", regions[at].y);
      region.Set("width", regions[at].width);
      region.Set("height", regions[at].height);
      list.Set(static_cast<uint32_t>(at), region);
    }
    return list;
  });
}
Napi::Value RingObject::published(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::BigInt::New(info.Env(), ring().published()); });
}

Napi::Value RingObject::closed(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Boolean::New(info.Env(), ring().closed()); });
}

// What is known of the publications from `from` on, at most `most` of them, without their pixels. Those that are known no more are missing in front.
Napi::Value RingObject::stamps(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    const double most = info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : 0;
    if (!(most >= 1 && most <= kKeptStamps)) throw std::invalid_argument("most: must lie in 1 ... " + std::to_string(kKeptStamps));
    const Ring::Stamps found = ring().stamps(sequenceArgument(info[0]).value_or(0), static_cast<size_t>(most));
    auto list = Napi::Array::New(env, found.stamps.size());
    for (size_t at = 0; at < found.stamps.size(); ++at) {
      auto stamp = Napi::Object::New(env);
      setStamp(stamp, ring(), found.first + at, found.stamps[at]);
      list.Set(static_cast<uint32_t>(at), stamp);
    }
    return list;
  });
}

// A copy of publication `index`, in the array given second or in a new one; undefined when it is not there, not yet or no more.
Napi::Value RingObject::frame(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const std::optional<uint64_t> index = sequenceArgument(info[0]);
    if (!index || *index >= ring().published() || !ring().whole(*index)) return env.Undefined();
    const FrameStamp stamp = ring().stamp(*index);
    Napi::Uint16Array pixels = pixelsFor(info[1], ring());
    std::memcpy(pixels.Data(), ring().pixels(*index), ring().frameBytes());
    if (!ring().whole(*index)) return env.Undefined();
    auto result = Napi::Object::New(env);
    result.Set("pixels", pixels);
    setStamp(result, ring(), *index, stamp);
    return result;
  });
}

Napi::Value RingObject::tapNewest(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    ring();
    return tap(info.Env(), ring_, objectArgument(info, 0));
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
    const TestPattern::Options pattern{optionalNumber(options, "rateHz"), countOption(options, "frames"), fillOption(options),
                                       static_cast<uint32_t>(optionalCount(options, "period").value_or(65536))};
    auto task = std::make_shared<BackgroundTask>(env, "kymograph.testPattern");
    std::shared_ptr<TestPattern> source;
    try {
      source = std::make_shared<TestPattern>(ring_, pattern, [raw = task.get()](const ThreadTimes& times) {
        raw->settle([times](Napi::Env ended) { return javaScriptTimes(ended, times); });
      });
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
    const RingShape shape{size(options, "width"), size(options, "height"), size(options, "slots")};
    return RingObject::wrap(info.Env(), Ring::create(textOption(options, "path"), shape, measuresOption(options)));
  });
}

Napi::Value mapRing(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return RingObject::wrap(info.Env(), Ring::openReadOnly(textArgument(info, 0))); });
}

}  // namespace kymograph
