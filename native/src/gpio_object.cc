#include "gpio_object.h"

#include <stdexcept>
#include <utility>

#include "addon.h"
#include "background_task.h"
#include "js_values.h"

namespace kymograph {

namespace {

using Lines = std::shared_ptr<GpioLines>;

uint32_t lineOption(const Napi::Object& options, const char* name) {
  const uint64_t line = countOption(options, name);
  if (line > UINT32_MAX) throw std::invalid_argument(std::string(name) + ": is too large");
  return static_cast<uint32_t>(line);
}

GpioLines::Use useOf(const std::string& bias) {
  if (bias == "pull-up") return GpioLines::Use::inputPulledUp;
  if (bias == "pull-down") return GpioLines::Use::inputPulledDown;
  if (bias == "none") return GpioLines::Use::input;
  throw std::invalid_argument("bias: pull-up, pull-down or none");
}

std::vector<double> delaysOption(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array)
    throw std::invalid_argument(std::string(name) + ": a Float64Array is expected");
  const auto array = value.As<Napi::Float64Array>();
  return {array.Data(), array.Data() + array.ElementLength()};
}

StepPlan planOf(const Napi::Object& options) {
  StepPlan plan;
  plan.steps = countOption(options, "steps");
  plan.directionHigh = options.Get("directionHigh").ToBoolean();
  plan.rising = delaysOption(options, "risingUs");
  plan.falling = delaysOption(options, "fallingUs");
  plan.cruiseUs = numberOption(options, "cruiseUs");
  plan.check();
  return plan;
}

Napi::Value javaScriptSteps(Napi::Env env, const StepsMade& made) {
  auto result = Napi::Object::New(env);
  result.Set("steps", static_cast<double>(made.steps));
  result.Set("stopped", made.stopped);
  result.Set("realTime", made.realTime);
  result.Set("late", static_cast<double>(made.late));
  if (!made.failure.empty()) result.Set("failure", made.failure);
  return result;
}

GpioLines& required(const Lines& lines) {
  if (!lines) throw std::logic_error("these GPIO lines are closed");
  return *lines;
}

}  // namespace

Napi::Function GpioInputObject::define(Napi::Env env) {
  return DefineClass(env, "GpioInput",
                     {
                         InstanceAccessor<&GpioInputObject::chip>("chip"),
                         InstanceMethod<&GpioInputObject::level>("level"),
                         InstanceMethod<&GpioInputObject::close>("close"),
                     });
}

GpioInputObject::GpioInputObject(const Napi::CallbackInfo& info) : ObjectWrap(info), lines_(*info[0].As<Napi::External<Lines>>().Data()) {}

Napi::Value GpioInputObject::chip(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::String::New(info.Env(), required(lines_).chip()); });
}

Napi::Value GpioInputObject::level(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::Boolean::New(info.Env(), (required(lines_).levels() & 1) != 0); });
}

Napi::Value GpioInputObject::close(const Napi::CallbackInfo& info) {
  lines_.reset();
  return info.Env().Undefined();
}

Napi::Function StepperObject::define(Napi::Env env) {
  return DefineClass(env, "Stepper",
                     {
                         InstanceAccessor<&StepperObject::chip>("chip"),
                         InstanceAccessor<&StepperObject::remaining>("remaining"),
                         InstanceMethod<&StepperObject::move>("move"),
                         InstanceMethod<&StepperObject::stop>("stop"),
                         InstanceMethod<&StepperObject::close>("close"),
                     });
}

StepperObject::StepperObject(const Napi::CallbackInfo& info) : ObjectWrap(info), lines_(*info[0].As<Napi::External<Lines>>().Data()) {}

Napi::Value StepperObject::chip(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return Napi::String::New(info.Env(), required(lines_).chip()); });
}

// Resolves when the motor stands, however the move ended.
Napi::Value StepperObject::move(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    required(lines_);
    if (!move_.expired()) throw std::logic_error("a move is under way");
    StepPlan plan = planOf(objectArgument(info, 0));
    auto task = std::make_shared<BackgroundTask>(env, "kymograph.stepper");
    std::shared_ptr<Stepper> stepper;
    try {
      stepper = std::make_shared<Stepper>(lines_, std::move(plan), [raw = task.get()](const StepsMade& made) {
        raw->settle([made](Napi::Env ended) { return javaScriptSteps(ended, made); });
      });
    } catch (...) {
      task->abandon();
      throw;
    }
    move_ = stepper;
    task->started([stepper] {
      stepper->requestStop();
      stepper->join();
    });
    return task->ended();
  });
}

Napi::Value StepperObject::remaining(const Napi::CallbackInfo& info) {
  const auto move = move_.lock();
  return Napi::Number::New(info.Env(), move ? static_cast<double>(move->remaining()) : 0);
}

Napi::Value StepperObject::stop(const Napi::CallbackInfo& info) {
  if (const auto move = move_.lock()) move->requestStop();
  return info.Env().Undefined();
}

// A move under way is stopped; its thread holds the lines until it has ended.
Napi::Value StepperObject::close(const Napi::CallbackInfo& info) {
  stop(info);
  lines_.reset();
  return info.Env().Undefined();
}

Napi::Value openGpioInput(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    auto lines = std::make_shared<GpioLines>(GpioLines::Request{textOption(options, "path"), {lineOption(options, "line")}, useOf(textOption(options, "bias"))});
    return Addon::of(info.Env()).gpioInput.New({Napi::External<Lines>::New(info.Env(), &lines)});
  });
}

Napi::Value openStepper(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    auto lines = std::make_shared<GpioLines>(
        GpioLines::Request{textOption(options, "path"), {lineOption(options, "stepLine"), lineOption(options, "directionLine")}, GpioLines::Use::outputLow});
    return Addon::of(info.Env()).stepper.New({Napi::External<Lines>::New(info.Env(), &lines)});
  });
}

}  // namespace kymograph
