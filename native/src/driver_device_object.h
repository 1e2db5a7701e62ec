#pragma once

#include <napi.h>

#include <memory>

#include "call_lane.h"
#include "driver_library.h"

namespace kymograph {

// An open device of a driver library as JavaScript sees it: describe(), read(name), write(name, value), stop() and close(). Each resolves to
// { code, text?, value? }; what the library says went wrong is an answer, not an exception.
class DriverDeviceObject : public Napi::ObjectWrap<DriverDeviceObject> {
 public:
  struct Opened {
    std::shared_ptr<DriverDevice> device;
    std::shared_ptr<CallLane> calls;
  };

  static Napi::Function define(Napi::Env env);
  explicit DriverDeviceObject(const Napi::CallbackInfo& info);
  // A device that JavaScript forgot is closed on its own thread.
  ~DriverDeviceObject() override;

 private:
  Napi::Value describe(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value write(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  const std::shared_ptr<DriverDevice>& device() const;

  std::shared_ptr<DriverDevice> device_;
  std::shared_ptr<CallLane> calls_;
  std::unique_ptr<CallLane> stops_;
};

// openDriverDevice(path, settings as JSON): { code, text?, device? }
Napi::Value openDriverDevice(const Napi::CallbackInfo& info);

}  // namespace kymograph
