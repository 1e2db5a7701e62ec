#include "spi_object.h"

#include <stdexcept>
#include <utility>

#include "addon.h"
#include "background_task.h"
#include "js_values.h"

namespace kymograph {

Napi::Function SpiObject::define(Napi::Env env) {
  return DefineClass(env, "SpiDevice", {InstanceMethod<&SpiObject::transfer>("transfer"), InstanceMethod<&SpiObject::close>("close")});
}

SpiObject::SpiObject(const Napi::CallbackInfo& info) : ObjectWrap(info), device_(*info[0].As<Napi::External<std::shared_ptr<SpiDevice>>>().Data()) {}

Napi::Value SpiObject::transfer(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    if (!device_) throw std::logic_error("this SPI device is closed");
    if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
      throw std::invalid_argument("bytes: a Uint8Array is expected");
    const auto array = info[0].As<Napi::Uint8Array>();
    return onThreadPool<std::vector<uint8_t>>(
        info.Env(), [device = device_, out = std::vector<uint8_t>(array.Data(), array.Data() + array.ByteLength())] { return device->transfer(out); },
        [](Napi::Env env, const std::vector<uint8_t>& in) {
          auto bytes = Napi::Uint8Array::New(env, in.size());
          std::copy(in.begin(), in.end(), bytes.Data());
          return bytes;
        });
  });
}

// A transfer under way keeps the descriptor until it ends.
Napi::Value SpiObject::close(const Napi::CallbackInfo& info) {
  device_.reset();
  return info.Env().Undefined();
}

Napi::Value openSpi(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    const uint64_t mode = countOption(options, "mode");
    const uint64_t speedHz = countOption(options, "speedHz");
    if (mode > 3) throw std::invalid_argument("mode: 0 to 3");
    if (speedHz == 0 || speedHz > UINT32_MAX) throw std::invalid_argument("speedHz: above 0");
    auto device = std::make_shared<SpiDevice>(SpiDevice::Options{textOption(options, "path"), static_cast<uint8_t>(mode), static_cast<uint32_t>(speedHz)});
    return Addon::of(info.Env()).spi.New({Napi::External<std::shared_ptr<SpiDevice>>::New(info.Env(), &device)});
  });
}

}  // namespace kymograph
