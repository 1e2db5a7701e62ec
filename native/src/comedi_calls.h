#pragma once

#include <napi.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

inline std::vector<ComediChannel> channelsOption(const Napi::Object& options, unsigned subdevice) {
  const Napi::Value given = options.Get("channels");
  if (!given.IsArray()) throw Napi::TypeError::New(options.Env(), "channels: a list is expected");
  const auto list = given.As<Napi::Array>();
  std::vector<ComediChannel> channels;
  for (uint32_t index = 0; index < list.Length(); ++index) {
    const Napi::Value each = list.Get(index);
    if (!each.IsObject()) throw Napi::TypeError::New(options.Env(), "channels: objects are expected");
    channels.push_back(channelOf(each.As<Napi::Object>(), subdevice));
  }
  return channels;
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
