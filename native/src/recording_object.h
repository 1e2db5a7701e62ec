#pragma once

#include <napi.h>

#include <memory>

#include "background_task.h"
#include "writer.h"

namespace kymograph {

// A recording as JavaScript sees it: progress(), stop() and the promise `ended`.
class RecordingObject : public Napi::ObjectWrap<RecordingObject> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Object start(Napi::Env env, std::shared_ptr<Ring> ring, const Napi::Object& options);
  explicit RecordingObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value progress(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);
  Napi::Value ended(const Napi::CallbackInfo& info);

  std::shared_ptr<Recording> recording_;
  Napi::Reference<Napi::Promise> ended_;
};

// decompressBody(codec, bytes, into): a promise of `into` being filled with what the pixels of a compressed batch were.
Napi::Value decompressBody(const Napi::CallbackInfo& info);

}  // namespace kymograph
