#pragma once

#include <napi.h>

#include <memory>

#include "spi.h"

namespace kymograph {

// A spidev as JavaScript sees it: transfer(bytes) and close().
class SpiObject : public Napi::ObjectWrap<SpiObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit SpiObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value transfer(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<SpiDevice> device_;
};

// openSpi({ path, mode, speedHz })
Napi::Value openSpi(const Napi::CallbackInfo& info);

}  // namespace kymograph
