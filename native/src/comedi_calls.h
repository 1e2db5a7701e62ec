#pragma once

#include <napi.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "call_lane.h"
#include "comedi_device.h"
#include "js_values.h"

namespace kymograph {

// What does not fit is beyond every board and refused by the device's own check.
inline unsigned small(const Napi::Object& options, const char* name) { return static_cast<unsigned>(std::min<uint64_t>(countOption(options, name), UINT32_MAX)); }

inline bool flag(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  if (!value.IsBoolean()) throw Napi::TypeError::New(options.Env(), std::string(name) + ": true or false is expected");
  return value.As<Napi::Boolean>();
}

inline ComediChannel channelOf(const Napi::Object& options, unsigned subdevice) {
  return {subdevice, small(options, "channel"), small(options, "range"), small(options, "reference")};
}

inline Napi::Value undefined(Napi::Env env) { return env.Undefined(); }
inline Napi::Value number(Napi::Env env, unsigned value) { return Napi::Number::New(env, value); }
inline Napi::Value boolean(Napi::Env env, bool value) { return Napi::Boolean::New(env, value); }

// A call of the board on its lane, and what it gave.
template <typename Made, typename Work, typename ToJavaScript>
Napi::Value onLane(Napi::Env env, CallLane& lane, Work work, ToJavaScript toJavaScript) {
  const auto made = std::make_shared<std::optional<Made>>();
  return lane.call(
      env, [made, work = std::move(work)] { *made = work(); }, [made, toJavaScript](Napi::Env settled) -> Napi::Value { return toJavaScript(settled, **made); });
}

}  // namespace kymograph
