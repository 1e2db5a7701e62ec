#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "pvcam_camera.h"
#include "pvcam_library.h"

namespace kymograph {

// A loaded library as JavaScript sees it, and its cameras. Whatever calls the library is a promise and runs on the thread pool; calls for one object are to
// be made one after the other, since the pool keeps no order.
class PvcamLibraryObject : public Napi::ObjectWrap<PvcamLibraryObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit PvcamLibraryObject(const Napi::CallbackInfo& info);

 private:
  const std::shared_ptr<PvcamLibrary>& library() const;
  Napi::Value version(const Napi::CallbackInfo& info);
  Napi::Value cameras(const Napi::CallbackInfo& info);
  Napi::Value open(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<PvcamLibrary> library_;
};

class PvcamCameraObject : public Napi::ObjectWrap<PvcamCameraObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit PvcamCameraObject(const Napi::CallbackInfo& info);
  ~PvcamCameraObject();

 private:
  const std::shared_ptr<PvcamCamera>& camera() const;
  Napi::Value identity(const Napi::CallbackInfo& info);
  Napi::Value describe(const Napi::CallbackInfo& info);
  Napi::Value get(const Napi::CallbackInfo& info);
  Napi::Value set(const Napi::CallbackInfo& info);
  Napi::Value resetPostProcessing(const Napi::CallbackInfo& info);
  Napi::Value softwareTrigger(const Napi::CallbackInfo& info);
  Napi::Value removed(const Napi::CallbackInfo& info);
  Napi::Value start(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  Napi::Value streaming(const Napi::CallbackInfo& info);
  Napi::Value statistics(const Napi::CallbackInfo& info);

  std::shared_ptr<PvcamCamera> camera_;
  Napi::Reference<Napi::Promise> removed_;
  std::function<void()> notRemoved_;
};

// loadPvcam(path, environment): a promise. The environment is set in this process first, because the library reads it when it is loaded.
Napi::Value loadPvcam(const Napi::CallbackInfo& info);

// decodePvcamFrame(bytes, box): the frame's numbers, and its pixels as they would stand in a ring.
Napi::Value decodePvcamFrame(const Napi::CallbackInfo& info);

}  // namespace kymograph
