#pragma once

#include <napi.h>

#include <memory>

#include "ring.h"
#include "thread_stopwatch.h"

namespace kymograph {

// A ring as JavaScript sees it.
class RingObject : public Napi::ObjectWrap<RingObject> {
 public:
  static Napi::Function define(Napi::Env env);
  static Napi::Object wrap(Napi::Env env, std::shared_ptr<Ring> ring);
  explicit RingObject(const Napi::CallbackInfo& info);

 private:
  Ring& ring() const;
  Napi::Value path(const Napi::CallbackInfo& info);
  Napi::Value slots(const Napi::CallbackInfo& info);
  Napi::Value width(const Napi::CallbackInfo& info);
  Napi::Value height(const Napi::CallbackInfo& info);
  Napi::Value frameBytes(const Napi::CallbackInfo& info);
  Napi::Value saturation(const Napi::CallbackInfo& info);
  Napi::Value regions(const Napi::CallbackInfo& info);
  Napi::Value published(const Napi::CallbackInfo& info);
  Napi::Value closed(const Napi::CallbackInfo& info);
  Napi::Value stamps(const Napi::CallbackInfo& info);
  Napi::Value frame(const Napi::CallbackInfo& info);
  Napi::Value tapNewest(const Napi::CallbackInfo& info);
  Napi::Value record(const Napi::CallbackInfo& info);
  Napi::Value startTestPattern(const Napi::CallbackInfo& info);
  Napi::Value dispose(const Napi::CallbackInfo& info);

  std::shared_ptr<Ring> ring_;
};

Napi::Object javaScriptTimes(Napi::Env env, const ThreadTimes& times);
// Of options that may have `saturation` and `regions`, a list of { x, y, width, height }.
RingMeasures measuresOption(const Napi::Object& options);
Napi::Value createRing(const Napi::CallbackInfo& info);
Napi::Value mapRing(const Napi::CallbackInfo& info);

}  // namespace kymograph
