#include "pvcam.h"

#include <map>
#include <stdexcept>
#include <string>
#include <utility>

#include "addon.h"
#include "background_task.h"
#include "js_values.h"
#include "ring_object.h"

namespace kymograph {

namespace {

// PVCAM's regions are 16 bits wide; what does not fit is outside every sensor and refused by the camera's own check.
uint32_t pixels(const Napi::Object& options, const char* name) { return static_cast<uint32_t>(std::min<uint64_t>(countOption(options, name), UINT16_MAX)); }

PvcamStart startOptions(const Napi::Object& options) {
  const Napi::Value roi = options.Get("roi");
  if (!roi.IsObject()) throw Napi::TypeError::New(options.Env(), "roi: an object is expected");
  const auto region = roi.As<Napi::Object>();
  return {pixels(region, "x"),
          pixels(region, "y"),
          pixels(region, "width"),
          pixels(region, "height"),
          pixels(options, "binning"),
          numberOption(options, "exposureSeconds"),
          textOption(options, "ringPath"),
          pixels(options, "ringSlots"),
          optionalCount(options, "frames")};
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
    auto names = Napi::Array::New(info.Env());
    for (const auto& name : library()->cameras()) names.Set(names.Length(), name);
    return names;
  });
}

Napi::Value PvcamLibraryObject::open(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto camera = std::make_shared<PvcamCamera>(library(), textArgument(info, 0));
    return Addon::of(info.Env()).pvcamCamera.New({Napi::External<std::shared_ptr<PvcamCamera>>::New(info.Env(), &camera)});
  });
}

// The library itself goes when its last camera is closed.
void PvcamLibraryObject::close(const Napi::CallbackInfo&) { library_.reset(); }

Napi::Function PvcamCameraObject::define(Napi::Env env) {
  return DefineClass(env, "PvcamCamera",
                     {
                         InstanceAccessor<&PvcamCameraObject::identity>("identity"),
                         InstanceAccessor<&PvcamCameraObject::streaming>("streaming"),
                         InstanceMethod<&PvcamCameraObject::temperature>("temperature"),
                         InstanceMethod<&PvcamCameraObject::temperatureSetpoint>("temperatureSetpoint"),
                         InstanceMethod<&PvcamCameraObject::setTemperatureSetpoint>("setTemperatureSetpoint"),
                         InstanceMethod<&PvcamCameraObject::start>("start"),
                         InstanceMethod<&PvcamCameraObject::stop>("stop"),
                         InstanceMethod<&PvcamCameraObject::close>("close"),
                         InstanceMethod<&PvcamCameraObject::statistics>("statistics"),
                     });
}

PvcamCameraObject::PvcamCameraObject(const Napi::CallbackInfo& info)
    : ObjectWrap(info), camera_(*info[0].As<Napi::External<std::shared_ptr<PvcamCamera>>>().Data()) {}

PvcamCamera& PvcamCameraObject::camera() const {
  if (!camera_) throw std::logic_error("this camera has been closed");
  return *camera_;
}

Napi::Value PvcamCameraObject::identity(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const PvcamIdentity& identity = camera().identity();
    auto result = Napi::Object::New(info.Env());
    result.Set("name", identity.name);
    result.Set("sensorWidth", identity.sensorWidth);
    result.Set("sensorHeight", identity.sensorHeight);
    result.Set("bitDepth", identity.bitDepth);
    result.Set("serialNumber", identity.serialNumber);
    result.Set("chipName", identity.chipName);
    result.Set("firmwareVersion", identity.firmwareVersion);
    return result;
  });
}

Napi::Value PvcamCameraObject::temperature(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), camera().centiParameter(pvcam::kTemperature)); });
}

Napi::Value PvcamCameraObject::temperatureSetpoint(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Number::New(info.Env(), camera().centiParameter(pvcam::kTemperatureSetpoint)); });
}

void PvcamCameraObject::setTemperatureSetpoint(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    if (!info[0].IsNumber()) throw Napi::TypeError::New(info.Env(), "celsius: a number is expected");
    camera().setTemperatureSetpoint(info[0].As<Napi::Number>().DoubleValue());
  });
}

Napi::Value PvcamCameraObject::start(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return RingObject::wrap(info.Env(), camera().start(startOptions(objectArgument(info, 0)))); });
}

// The end of an exposure can take a while: it is waited for on the pool.
Napi::Value PvcamCameraObject::stop(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    camera().requestStop();
    return onThreadPool(info.Env(), [camera = camera_] { camera->join(); }, undefined);
  });
}

Napi::Value PvcamCameraObject::close(const Napi::CallbackInfo& info) {
  if (camera_) camera_->requestStop();
  // The camera is closed by whoever lets go of it last; the job's own copy is dropped on the pool, before the promise resolves.
  auto last = std::make_shared<std::shared_ptr<PvcamCamera>>(std::move(camera_));
  return onThreadPool(info.Env(), [last] { last->reset(); }, undefined);
}

Napi::Value PvcamCameraObject::streaming(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), camera_ && camera_->streaming()); }

Napi::Value PvcamCameraObject::statistics(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const PvcamStatistics statistics = camera().statistics();
    auto result = Napi::Object::New(info.Env());
    result.Set("produced", static_cast<double>(statistics.produced));
    result.Set("lost", static_cast<double>(statistics.lost));
    result.Set("frameRate", statistics.frameRate);
    return result;
  });
}

Napi::Value loadPvcam(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    const Napi::Object given = objectArgument(info, 1);
    std::map<std::string, std::string> environment;
    const Napi::Array names = given.GetPropertyNames();
    for (uint32_t index = 0; index < names.Length(); ++index) {
      const std::string name = names.Get(index).ToString();
      environment[name] = textOption(given, name.c_str());
    }
    auto library = PvcamLibrary::load(textArgument(info, 0), environment);
    return Addon::of(env).pvcamLibrary.New({Napi::External<std::shared_ptr<PvcamLibrary>>::New(env, &library)});
  });
}

}  // namespace kymograph
