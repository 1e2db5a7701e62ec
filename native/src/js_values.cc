#include "js_values.h"

#include <cmath>
#include <stdexcept>

#include "comedi_library.h"
#include "exclusive_file.h"
#include "pvcam_library.h"

namespace kymograph {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

Napi::TypeError wrong(const Napi::Object& options, const char* name, const char* expected) {
  return Napi::TypeError::New(options.Env(), std::string(name) + ": " + expected + " is expected");
}

bool absent(const Napi::Value& value) { return value.IsUndefined() || value.IsNull(); }

}  // namespace

double numberOption(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  if (!value.IsNumber()) throw wrong(options, name, "a number");
  return value.As<Napi::Number>().DoubleValue();
}

std::optional<double> optionalNumber(const Napi::Object& options, const char* name) {
  if (absent(options.Get(name))) return std::nullopt;
  return numberOption(options, name);
}

uint64_t countOption(const Napi::Object& options, const char* name) {
  const double number = numberOption(options, name);
  if (!(number >= 0 && number <= kMaxSafeInteger) || number != std::floor(number)) throw wrong(options, name, "a whole number from 0");
  return static_cast<uint64_t>(number);
}

std::optional<uint64_t> optionalCount(const Napi::Object& options, const char* name) {
  if (absent(options.Get(name))) return std::nullopt;
  return countOption(options, name);
}

std::string textOption(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  if (!value.IsString()) throw wrong(options, name, "a text");
  return value.As<Napi::String>().Utf8Value();
}

std::vector<uint8_t> bytesOption(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) throw wrong(options, name, "a Uint8Array");
  const auto array = value.As<Napi::Uint8Array>();
  return {array.Data(), array.Data() + array.ByteLength()};
}

Napi::Object objectArgument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsObject()) throw Napi::TypeError::New(info.Env(), "an options object is expected");
  return info[index].As<Napi::Object>();
}

std::string textArgument(const Napi::CallbackInfo& info, size_t index) {
  if (!info[index].IsString()) throw Napi::TypeError::New(info.Env(), "a text is expected");
  return info[index].As<Napi::String>().Utf8Value();
}

Napi::Error javaScriptError(Napi::Env env, const std::exception& error) {
  Napi::Error result = Napi::Error::New(env, error.what());
  if (const auto* pvcam = dynamic_cast<const PvcamError*>(&error)) result.Set("pvcamCode", Napi::Number::New(env, pvcam->code()));
  else if (const auto* comedi = dynamic_cast<const ComediError*>(&error)) result.Set("comediCode", Napi::Number::New(env, comedi->code()));
  else if (const auto* system = dynamic_cast<const SystemError*>(&error)) result.Set("errno", Napi::Number::New(env, system->code()));
  else if (dynamic_cast<const std::invalid_argument*>(&error)) result.Set("refused", Napi::String::New(env, "value"));
  else if (dynamic_cast<const std::logic_error*>(&error)) result.Set("refused", Napi::String::New(env, "state"));
  return result;
}

}  // namespace kymograph
