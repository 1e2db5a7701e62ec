#pragma once

#include <napi.h>

#include <memory>

#include "gpio_lines.h"
#include "stepper.h"

namespace kymograph {

// Requested input lines: chip, levels() and close().
class GpioInputObject : public Napi::ObjectWrap<GpioInputObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit GpioInputObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value chip(const Napi::CallbackInfo& info);
  Napi::Value level(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<GpioLines> lines_;
};

// A step and a direction line: chip, move(plan), remaining, stop() and close().
class StepperObject : public Napi::ObjectWrap<StepperObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit StepperObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value chip(const Napi::CallbackInfo& info);
  Napi::Value move(const Napi::CallbackInfo& info);
  Napi::Value remaining(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<GpioLines> lines_;
  // Of the last move; it may have ended.
  std::weak_ptr<Stepper> move_;
};

// openGpioInput({ path, line, bias })
Napi::Value openGpioInput(const Napi::CallbackInfo& info);
// openStepper({ path, stepLine, directionLine })
Napi::Value openStepper(const Napi::CallbackInfo& info);

}  // namespace kymograph
