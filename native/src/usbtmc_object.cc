#include "usbtmc_object.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "addon.h"
#include "background_task.h"
#include "js_values.h"

namespace kymograph {

namespace {

uint32_t timeoutOption(const Napi::Object& options) {
  const uint64_t timeoutMs = countOption(options, "timeoutMs");
  if (timeoutMs > INT32_MAX) throw std::invalid_argument("timeoutMs: at most 2147483647");
  return static_cast<uint32_t>(timeoutMs);
}

}  // namespace

Napi::Function UsbtmcObject::define(Napi::Env env) {
  return DefineClass(env, "UsbtmcDevice",
                     {InstanceMethod<&UsbtmcObject::write>("write"), InstanceMethod<&UsbtmcObject::read>("read"), InstanceMethod<&UsbtmcObject::clear>("clear"),
                      InstanceMethod<&UsbtmcObject::statusByte>("statusByte"), InstanceMethod<&UsbtmcObject::close>("close")});
}

UsbtmcObject::UsbtmcObject(const Napi::CallbackInfo& info) : ObjectWrap(info), device_(*info[0].As<Napi::External<std::shared_ptr<UsbtmcDevice>>>().Data()) {}

std::shared_ptr<UsbtmcDevice> UsbtmcObject::device() const {
  if (!device_) throw std::logic_error("this usbtmc device is closed");
  return device_;
}

Napi::Value UsbtmcObject::write(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return onThreadPool(
        info.Env(), [device = device(), message = bytesOption(options, "message"), timeoutMs = timeoutOption(options)] { device->write(message, timeoutMs); },
        [](Napi::Env env) { return env.Undefined(); });
  });
}

Napi::Value UsbtmcObject::read(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return onThreadPool<std::optional<std::vector<uint8_t>>>(
        info.Env(),
        [device = device(), maximumBytes = static_cast<size_t>(countOption(options, "maximumBytes")), timeoutMs = timeoutOption(options)] {
          return device->read(maximumBytes, timeoutMs);
        },
        [](Napi::Env env, const std::optional<std::vector<uint8_t>>& message) -> Napi::Value {
          if (!message) return env.Undefined();
          auto bytes = Napi::Uint8Array::New(env, message->size());
          std::copy(message->begin(), message->end(), bytes.Data());
          return bytes;
        });
  });
}

Napi::Value UsbtmcObject::clear(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return onThreadPool(info.Env(), [device = device()] { device->clear(); }, [](Napi::Env env) { return env.Undefined(); });
  });
}

Napi::Value UsbtmcObject::statusByte(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return onThreadPool<uint8_t>(
        info.Env(), [device = device()] { return device->statusByte(); }, [](Napi::Env env, uint8_t status) { return Napi::Number::New(env, status); });
  });
}

// A call under way keeps the descriptor until it ends.
Napi::Value UsbtmcObject::close(const Napi::CallbackInfo& info) {
  device_.reset();
  return info.Env().Undefined();
}

Napi::Value openUsbtmc(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    auto device = std::make_shared<UsbtmcDevice>(textArgument(info, 0));
    return Addon::of(info.Env()).usbtmc.New({Napi::External<std::shared_ptr<UsbtmcDevice>>::New(info.Env(), &device)});
  });
}

}  // namespace kymograph
