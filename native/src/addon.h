#pragma once

#include <napi.h>

namespace kymograph {

// The classes of this environment. They are not exported: only native code makes their objects.
struct Addon {
  Napi::FunctionReference ring;
  Napi::FunctionReference recording;
  Napi::FunctionReference pvcamLibrary;
  Napi::FunctionReference pvcamCamera;
  Napi::FunctionReference spi;
  Napi::FunctionReference gpioInput;
  Napi::FunctionReference stepper;
  Napi::FunctionReference driverDevice;
  Napi::FunctionReference usbtmc;
  Napi::FunctionReference comediDevice;
  Napi::FunctionReference comediAcquisition;
  Napi::FunctionReference comediPlayback;

  static Addon& of(Napi::Env env) { return *env.GetInstanceData<Addon>(); }
};

}  // namespace kymograph
