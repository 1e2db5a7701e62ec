#pragma once

#include <napi.h>

#include <memory>

#include "pvcam_camera.h"
#include "pvcam_library.h"

namespace kymograph {

class PvcamLibraryObject : public Napi::ObjectWrap<PvcamLibraryObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit PvcamLibraryObject(const Napi::CallbackInfo& info);

 private:
  const std::shared_ptr<PvcamLibrary>& library() const;
  Napi::Value version(const Napi::CallbackInfo& info);
  Napi::Value cameras(const Napi::CallbackInfo& info);
  Napi::Value open(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  std::shared_ptr<PvcamLibrary> library_;
};

class PvcamCameraObject : public Napi::ObjectWrap<PvcamCameraObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit PvcamCameraObject(const Napi::CallbackInfo& info);

 private:
  PvcamCamera& camera() const;
  Napi::Value identity(const Napi::CallbackInfo& info);
  Napi::Value temperature(const Napi::CallbackInfo& info);
  Napi::Value temperatureSetpoint(const Napi::CallbackInfo& info);
  void setTemperatureSetpoint(const Napi::CallbackInfo& info);
  Napi::Value start(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  Napi::Value streaming(const Napi::CallbackInfo& info);
  Napi::Value statistics(const Napi::CallbackInfo& info);

  std::shared_ptr<PvcamCamera> camera_;
};

// loadPvcam(path, environment)
Napi::Value loadPvcam(const Napi::CallbackInfo& info);

}  // namespace kymograph
