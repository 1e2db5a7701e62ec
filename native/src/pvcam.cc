#include "pvcam.h"

#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "addon.h"
#include "background_task.h"
#include "js_values.h"
#include "ring_object.h"

namespace kymograph {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

// PVCAM's regions are 16 bits wide; what does not fit is outside every sensor and refused by the camera's own check.
uint32_t pixels(const Napi::Object& options, const char* name) { return static_cast<uint32_t>(std::min<uint64_t>(countOption(options, name), UINT16_MAX)); }

PvcamRegion regionOf(const Napi::Value& value) {
  if (!value.IsObject()) throw Napi::TypeError::New(value.Env(), "regions: each is an object");
  const auto region = value.As<Napi::Object>();
  return {pixels(region, "x"), pixels(region, "y"), pixels(region, "width"), pixels(region, "height")};
}

std::vector<PvcamRegion> regionsOption(const Napi::Object& options) {
  const Napi::Value value = options.Get("regions");
  if (!value.IsArray()) throw Napi::TypeError::New(options.Env(), "regions: an array is expected");
  const auto array = value.As<Napi::Array>();
  std::vector<PvcamRegion> regions;
  for (uint32_t index = 0; index < array.Length(); ++index) regions.push_back(regionOf(array.Get(index)));
  return regions;
}

std::optional<int32_t> optionalMode(const Napi::Object& options, const char* name) {
  const auto value = optionalCount(options, name);
  return value ? std::optional(static_cast<int32_t>(std::min<uint64_t>(*value, INT16_MAX))) : std::nullopt;
}

PvcamStart startOptions(const Napi::Object& options) {
  return {regionsOption(options),
          pixels(options, "binningX"),
          pixels(options, "binningY"),
          numberOption(options, "exposureSeconds"),
          optionalMode(options, "triggerMode"),
          optionalMode(options, "exposeOutMode"),
          textOption(options, "ringPath"),
          pixels(options, "ringSlots"),
          options.Has("measures") ? measuresOption(options.Get("measures").As<Napi::Object>()) : RingMeasures{},
          optionalCount(options, "frames")};
}

std::vector<uint32_t> idsArgument(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray()) throw Napi::TypeError::New(info.Env(), "ids: an array is expected");
  const auto array = info[0].As<Napi::Array>();
  std::vector<uint32_t> ids;
  for (uint32_t index = 0; index < array.Length(); ++index) ids.push_back(array.Get(index).ToNumber().Uint32Value());
  return ids;
}

Napi::Value toJavaScript(Napi::Env env, const PvcamValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return Napi::Boolean::New(env, *flag);
  if (const auto* text = std::get_if<std::string>(&value)) return Napi::String::New(env, *text);
  if (const auto* real = std::get_if<double>(&value)) return Napi::Number::New(env, *real);
  return Napi::Number::New(env, static_cast<double>(std::get<int64_t>(value)));
}

PvcamValue valueArgument(const Napi::CallbackInfo& info, size_t index) {
  if (info[index].IsBoolean()) return info[index].As<Napi::Boolean>().Value();
  if (info[index].IsString()) return info[index].As<Napi::String>().Utf8Value();
  if (!info[index].IsNumber()) throw Napi::TypeError::New(info.Env(), "value: a number, a text or a flag is expected");
  const double number = info[index].As<Napi::Number>().DoubleValue();
  const bool whole = std::nearbyint(number) == number && std::abs(number) <= kMaxSafeInteger;
  return whole ? PvcamValue(static_cast<int64_t>(number)) : PvcamValue(number);
}

Napi::Value toJavaScript(Napi::Env env, const std::optional<PvcamDescription>& description) {
  if (!description) return env.Undefined();
  auto result = Napi::Object::New(env);
  result.Set("type", static_cast<double>(description->type));
  result.Set("access", static_cast<double>(description->access));
  const auto put = [&](const char* name, const std::optional<PvcamValue>& value) {
    if (value) result.Set(name, toJavaScript(env, *value));
  };
  put("minimum", description->minimum);
  put("maximum", description->maximum);
  put("increment", description->increment);
  put("default", description->initial);
  auto choices = Napi::Array::New(env);
  for (const PvcamChoice& choice : description->choices) {
    auto each = Napi::Object::New(env);
    each.Set("value", static_cast<double>(choice.value));
    each.Set("name", choice.name);
    choices.Set(choices.Length(), each);
  }
  result.Set("choices", choices);
  return result;
}

// A value, or the error instead of it.
Napi::Value toJavaScript(Napi::Env env, const std::variant<PvcamValue, std::exception_ptr>& read) {
  if (const auto* value = std::get_if<PvcamValue>(&read)) return toJavaScript(env, *value);
  try {
    std::rethrow_exception(std::get<std::exception_ptr>(read));
  } catch (const std::exception& error) {
    return javaScriptError(env, error).Value();
  }
}

template <typename Each>
Napi::Array arrayOf(Napi::Env env, const std::vector<Each>& all) {
  auto array = Napi::Array::New(env, all.size());
  for (uint32_t index = 0; index < all.size(); ++index) array.Set(index, toJavaScript(env, all[index]));
  return array;
}

Napi::Value undefined(Napi::Env env) { return env.Undefined(); }

}  // namespace

Napi::Function PvcamLibraryObject::define(Napi::Env env) {
  return DefineClass(env, "PvcamLibrary",
                     {
                         InstanceAccessor<&PvcamLibraryObject::version>("version"),
                         InstanceMethod<&PvcamLibraryObject::cameras>("cameras"),
                         InstanceMethod<&PvcamLibraryObject::open>("open"),
                         InstanceMethod<&PvcamLibraryObject::close>("close"),
                     });
}

PvcamLibraryObject::PvcamLibraryObject(const Napi::CallbackInfo& info)
    : ObjectWrap(info), library_(*info[0].As<Napi::External<std::shared_ptr<PvcamLibrary>>>().Data()) {}

const std::shared_ptr<PvcamLibrary>& PvcamLibraryObject::library() const {
  if (!library_) throw std::logic_error("this PVCAM library has been closed");
  return library_;
}

Napi::Value PvcamLibraryObject::version(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::String::New(info.Env(), library()->version()); });
}

Napi::Value PvcamLibraryObject::cameras(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return onThreadPool<std::vector<std::string>>(
        info.Env(), [library = library()] { return library->cameras(); },
        [](Napi::Env env, const std::vector<std::string>& found) {
          auto names = Napi::Array::New(env);
          for (const auto& name : found) names.Set(names.Length(), name);
          return names;
        });
  });
}

Napi::Value PvcamLibraryObject::open(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return onThreadPool<std::shared_ptr<PvcamCamera>>(
        info.Env(), [library = library(), name = textArgument(info, 0)] { return std::make_shared<PvcamCamera>(library, name); },
        [](Napi::Env env, std::shared_ptr<PvcamCamera>& camera) {
          return Addon::of(env).pvcamCamera.New({Napi::External<std::shared_ptr<PvcamCamera>>::New(env, &camera)});
        });
  });
}

// The library itself goes when its last camera is closed.
Napi::Value PvcamLibraryObject::close(const Napi::CallbackInfo& info) { return letGoOnThreadPool(info.Env(), std::move(library_)); }

Napi::Function PvcamCameraObject::define(Napi::Env env) {
  return DefineClass(env, "PvcamCamera",
                     {
                         InstanceAccessor<&PvcamCameraObject::identity>("identity"),
                         InstanceAccessor<&PvcamCameraObject::streaming>("streaming"),
                         InstanceAccessor<&PvcamCameraObject::removed>("removed"),
                         InstanceMethod<&PvcamCameraObject::describe>("describe"),
                         InstanceMethod<&PvcamCameraObject::get>("get"),
                         InstanceMethod<&PvcamCameraObject::set>("set"),
                         InstanceMethod<&PvcamCameraObject::resetPostProcessing>("resetPostProcessing"),
                         InstanceMethod<&PvcamCameraObject::softwareTrigger>("softwareTrigger"),
                         InstanceMethod<&PvcamCameraObject::start>("start"),
                         InstanceMethod<&PvcamCameraObject::stop>("stop"),
                         InstanceMethod<&PvcamCameraObject::close>("close"),
                         InstanceMethod<&PvcamCameraObject::statistics>("statistics"),
                     });
}

PvcamCameraObject::PvcamCameraObject(const Napi::CallbackInfo& info)
    : ObjectWrap(info), camera_(*info[0].As<Napi::External<std::shared_ptr<PvcamCamera>>>().Data()) {
  const auto task = std::make_shared<BackgroundTask>(info.Env(), "PVCAM camera removed");
  task->unref(info.Env());
  const auto events = camera_->events();
  task->started([events] { events->onRemoved(nullptr); });
  removed_ = Napi::Persistent(task->ended());
  const auto settle = [task](bool removed) { task->settle([removed](Napi::Env env) { return Napi::Boolean::New(env, removed); }); };
  events->onRemoved([settle] { settle(true); });
  notRemoved_ = [events, settle] {
    if (events->onRemoved(nullptr)) settle(false);
  };
}

PvcamCameraObject::~PvcamCameraObject() { notRemoved_(); }

const std::shared_ptr<PvcamCamera>& PvcamCameraObject::camera() const {
  if (!camera_) throw std::logic_error("this camera has been closed");
  return camera_;
}

Napi::Value PvcamCameraObject::identity(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const PvcamIdentity& identity = camera()->identity();
    auto result = Napi::Object::New(info.Env());
    result.Set("name", identity.name);
    result.Set("sensorWidth", identity.sensorWidth);
    result.Set("sensorHeight", identity.sensorHeight);
    result.Set("bitDepth", camera()->bitDepth());
    result.Set("serialNumber", identity.serialNumber);
    result.Set("chipName", identity.chipName);
    result.Set("firmwareVersion", identity.firmwareVersion);
    return result;
  });
}

Napi::Value PvcamCameraObject::describe(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    using Descriptions = std::vector<std::optional<PvcamDescription>>;
    return onThreadPool<Descriptions>(
        info.Env(), [camera = camera(), ids = idsArgument(info)] { return camera->describe(ids); },
        [](Napi::Env env, const Descriptions& all) { return arrayOf(env, all); });
  });
}

Napi::Value PvcamCameraObject::get(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    using Values = std::vector<std::variant<PvcamValue, std::exception_ptr>>;
    return onThreadPool<Values>(
        info.Env(), [camera = camera(), ids = idsArgument(info)] { return camera->get(ids); },
        [](Napi::Env env, const Values& all) { return arrayOf(env, all); });
  });
}

Napi::Value PvcamCameraObject::set(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const uint32_t id = info[0].ToNumber().Uint32Value();
    return onThreadPool(info.Env(), [camera = camera(), id, value = valueArgument(info, 1)] { camera->set(id, value); }, undefined);
  });
}

Napi::Value PvcamCameraObject::resetPostProcessing(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return onThreadPool(info.Env(), [camera = camera()] { camera->resetPostProcessing(); }, undefined); });
}

Napi::Value PvcamCameraObject::softwareTrigger(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return onThreadPool<bool>(
        info.Env(), [camera = camera()] { return camera->softwareTrigger(); },
        [](Napi::Env env, bool taken) { return Napi::Boolean::New(env, taken); });
  });
}

// A promise: true once the camera is pulled out, false once it is closed.
Napi::Value PvcamCameraObject::removed(const Napi::CallbackInfo&) { return removed_.Value(); }

Napi::Value PvcamCameraObject::start(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return onThreadPool<std::shared_ptr<Ring>>(
        info.Env(), [camera = camera(), options = startOptions(objectArgument(info, 0))] { return camera->start(options); },
        [](Napi::Env env, const std::shared_ptr<Ring>& ring) { return RingObject::wrap(env, ring); });
  });
}

Napi::Value PvcamCameraObject::stop(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return onThreadPool(info.Env(), [camera = camera()] { camera->stop(); }, undefined); });
}

// The camera itself is closed by whoever lets go of it last: a call that is still on its way keeps it.
Napi::Value PvcamCameraObject::close(const Napi::CallbackInfo& info) {
  notRemoved_();
  return letGoOnThreadPool(info.Env(), std::move(camera_));
}

Napi::Value PvcamCameraObject::streaming(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), camera_ && camera_->streaming()); }

Napi::Value PvcamCameraObject::statistics(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const PvcamStatistics statistics = camera()->statistics();
    auto result = Napi::Object::New(info.Env());
    result.Set("produced", static_cast<double>(statistics.produced));
    result.Set("lost", static_cast<double>(statistics.lost));
    result.Set("frameRate", statistics.frameRate);
    result.Set("exposureSeconds", statistics.exposureSeconds);
    if (statistics.ended) result.Set("ended", *statistics.ended);
    return result;
  });
}

Napi::Value loadPvcam(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    const Napi::Object environment = objectArgument(info, 1);
    const Napi::Array names = environment.GetPropertyNames();
    for (uint32_t index = 0; index < names.Length(); ++index) {
      const std::string name = names.Get(index).ToString();
      ::setenv(name.c_str(), textOption(environment, name.c_str()).c_str(), 1);  // here and not on the pool: Node reads the environment on this thread
    }
    return onThreadPool<std::shared_ptr<PvcamLibrary>>(
        env, [path = textArgument(info, 0)] { return PvcamLibrary::load(path); },
        [](Napi::Env settled, std::shared_ptr<PvcamLibrary>& library) {
          return Addon::of(settled).pvcamLibrary.New({Napi::External<std::shared_ptr<PvcamLibrary>>::New(settled, &library)});
        });
  });
}

Napi::Value decodePvcamFrame(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&]() -> Napi::Value {
    const Napi::Object options = objectArgument(info, 0);
    const std::vector<uint8_t> bytes = bytesOption(options, "bytes");
    const FrameBox box{pixels(options, "x"), pixels(options, "y"), pixels(options, "width"), pixels(options, "height"), pixels(options, "binningX"), pixels(options, "binningY")};
    if (box.binningX == 0 || box.binningY == 0) throw std::invalid_argument("binning: must be at least 1");
    const DecodedFrame frame = decodeFrame(bytes);
    auto image = Napi::Uint16Array::New(env, size_t{box.columns()} * box.rows());
    composeFrame(frame, box, image.Data());
    auto result = Napi::Object::New(env);
    result.Set("version", static_cast<double>(frame.version));
    result.Set("number", static_cast<double>(frame.number));
    result.Set("beginNs", Napi::BigInt::New(env, frame.beginNs));
    result.Set("endNs", Napi::BigInt::New(env, frame.endNs));
    result.Set("exposureNs", Napi::BigInt::New(env, frame.exposureNs));
    result.Set("bitDepth", static_cast<double>(frame.bitDepth));
    result.Set("regions", static_cast<double>(frame.regions.size()));
    result.Set("pixels", image);
    return result;
  });
}

}  // namespace kymograph
