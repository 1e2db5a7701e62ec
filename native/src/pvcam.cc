#include "pvcam.h"

#include <stdlib.h>

#include <algorithm>
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
          options.Has("measures") ? measuresOption(options.Get("measures").As<Napi::Object>()) : RingMeasures{},
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
    result.Set("bitDepth", identity.bitDepth);
    result.Set("serialNumber", identity.serialNumber);
    result.Set("chipName", identity.chipName);
    result.Set("firmwareVersion", identity.firmwareVersion);
    return result;
  });
}

Napi::Value PvcamCameraObject::centiParameter(Napi::Env env, pvcam::Parameter parameter) {
  return guarded(env, [&] {
    return onThreadPool<double>(
        env, [camera = camera(), parameter] { return camera->centiParameter(parameter); },
        [](Napi::Env settled, double celsius) { return Napi::Number::New(settled, celsius); });
  });
}

Napi::Value PvcamCameraObject::temperature(const Napi::CallbackInfo& info) { return centiParameter(info.Env(), pvcam::kTemperature); }

Napi::Value PvcamCameraObject::temperatureSetpoint(const Napi::CallbackInfo& info) { return centiParameter(info.Env(), pvcam::kTemperatureSetpoint); }

Napi::Value PvcamCameraObject::setTemperatureSetpoint(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    if (!info[0].IsNumber()) throw Napi::TypeError::New(info.Env(), "celsius: a number is expected");
    const double celsius = info[0].As<Napi::Number>().DoubleValue();
    return onThreadPool(info.Env(), [camera = camera(), celsius] { camera->setTemperatureSetpoint(celsius); }, undefined);
  });
}

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
Napi::Value PvcamCameraObject::close(const Napi::CallbackInfo& info) { return letGoOnThreadPool(info.Env(), std::move(camera_)); }

Napi::Value PvcamCameraObject::streaming(const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), camera_ && camera_->streaming()); }

Napi::Value PvcamCameraObject::statistics(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const PvcamStatistics statistics = camera()->statistics();
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

}  // namespace kymograph
