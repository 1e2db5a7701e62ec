#include "driver_device_object.h"

#include <stdexcept>
#include <utility>

#include "addon.h"
#include "js_values.h"

namespace kymograph {

namespace {

// What a call made, or why it made nothing.
template <typename Made>
struct Answer {
  Made made{};
  int32_t code = KYMOGRAPH_OK;
  std::string text;
};

template <typename Made, typename Call, typename ToJavaScript>
Napi::Promise ask(CallLane& lane, Napi::Env env, Call call, const char* name, ToJavaScript toJavaScript) {
  const auto answer = std::make_shared<Answer<Made>>();
  return lane.call(
      env,
      [answer, call = std::move(call)] {
        try {
          answer->made = call();
        } catch (const DriverCallFailed& failed) {
          answer->code = failed.code();
          answer->text = failed.what();
        }
      },
      [answer, name, toJavaScript](Napi::Env settled) -> Napi::Value {
        auto result = Napi::Object::New(settled);
        result.Set("code", answer->code);
        if (answer->code == KYMOGRAPH_OK)
          result.Set(name, toJavaScript(settled, std::move(answer->made)));
        else
          result.Set("text", answer->text);
        return result;
      });
}

Napi::Value nothing(Napi::Env env, bool) { return env.Undefined(); }

Napi::Value valueOf(Napi::Env env, const DriverValue& value) {
  switch (value.kind) {
    case KYMOGRAPH_NUMBER:
      return Napi::Number::New(env, value.number);
    case KYMOGRAPH_BOOLEAN:
      return Napi::Boolean::New(env, value.number != 0);
    case KYMOGRAPH_TEXT:
      return Napi::String::New(env, value.text);
    default:
      return env.Undefined();
  }
}

DriverValue valueArgument(const Napi::Value& value) {
  if (value.IsNumber()) return {KYMOGRAPH_NUMBER, value.As<Napi::Number>().DoubleValue(), ""};
  if (value.IsBoolean()) return {KYMOGRAPH_BOOLEAN, value.As<Napi::Boolean>() ? 1.0 : 0.0, ""};
  if (value.IsString()) return {KYMOGRAPH_TEXT, 0, value.As<Napi::String>().Utf8Value()};
  throw std::invalid_argument("value: a number, a boolean or a text is expected");
}

}  // namespace

Napi::Function DriverDeviceObject::define(Napi::Env env) {
  return DefineClass(env, "DriverDevice",
                     {InstanceMethod<&DriverDeviceObject::describe>("describe"), InstanceMethod<&DriverDeviceObject::read>("read"),
                      InstanceMethod<&DriverDeviceObject::write>("write"), InstanceMethod<&DriverDeviceObject::stop>("stop"),
                      InstanceMethod<&DriverDeviceObject::close>("close")});
}

DriverDeviceObject::DriverDeviceObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  auto& opened = *info[0].As<Napi::External<Opened>>().Data();
  device_ = std::move(opened.device);
  calls_ = std::move(opened.calls);
  stops_ = std::make_unique<CallLane>(info.Env(), "stops of a driver library");
}

DriverDeviceObject::~DriverDeviceObject() {
  if (device_) calls_->post([device = std::move(device_)] {});
}

const std::shared_ptr<DriverDevice>& DriverDeviceObject::device() const {
  if (!device_) throw std::logic_error("this device is closed");
  return device_;
}

Napi::Value DriverDeviceObject::describe(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return ask<std::string>(
        *calls_, info.Env(), [device = device()] { return device->describe(); }, "value",
        [](Napi::Env env, const std::string& json) { return Napi::String::New(env, json); });
  });
}

Napi::Value DriverDeviceObject::read(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return ask<DriverValue>(*calls_, info.Env(), [device = device(), name = textArgument(info, 0)] { return device->read(name); }, "value", valueOf);
  });
}

Napi::Value DriverDeviceObject::write(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return ask<bool>(
        *calls_, info.Env(),
        [device = device(), name = textArgument(info, 0), value = valueArgument(info[1])] {
          device->write(name, value);
          return true;
        },
        "value", nothing);
  });
}

Napi::Value DriverDeviceObject::stop(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return ask<bool>(
        *stops_, info.Env(),
        [device = device()] {
          device->stop();
          return true;
        },
        "value", nothing);
  });
}

// What still runs keeps the device; it is closed on the thread that lets go of it last.
Napi::Value DriverDeviceObject::close(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    device();
    const Napi::Promise closed = ask<bool>(*calls_, info.Env(), [device = std::move(device_)] { return true; }, "value", nothing);
    calls_.reset();
    stops_.reset();
    return closed;
  });
}

Napi::Value openDriverDevice(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const auto calls = std::make_shared<CallLane>(info.Env(), "calls of a driver library");
    return ask<std::shared_ptr<DriverDevice>>(
        *calls, info.Env(),
        [path = textArgument(info, 0), settings = textArgument(info, 1)] {
          return std::make_shared<DriverDevice>(std::make_shared<DriverLibrary>(path), settings);
        },
        "device",
        [calls](Napi::Env env, std::shared_ptr<DriverDevice> device) -> Napi::Value {
          DriverDeviceObject::Opened opened{std::move(device), calls};
          return Addon::of(env).driverDevice.New({Napi::External<DriverDeviceObject::Opened>::New(env, &opened)});
        });
  });
}

}  // namespace kymograph
