#pragma once

#include <napi.h>

#include <memory>

#include "usbtmc.h"

namespace kymograph {

// A usbtmc device as JavaScript sees it. Every call is made on the thread pool, which keeps no order: make the next one when the last has been answered.
class UsbtmcObject : public Napi::ObjectWrap<UsbtmcObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit UsbtmcObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value write(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value clear(const Napi::CallbackInfo& info);
  Napi::Value statusByte(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  std::shared_ptr<UsbtmcDevice> device() const;

  std::shared_ptr<UsbtmcDevice> device_;
};

// openUsbtmc(path)
Napi::Value openUsbtmc(const Napi::CallbackInfo& info);

}  // namespace kymograph
