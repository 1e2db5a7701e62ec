#pragma once

#include <napi.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace kymograph {

// Reading the options objects of JavaScript. Each throws a TypeError that names the property.
double numberOption(const Napi::Object& options, const char* name);
std::optional<double> optionalNumber(const Napi::Object& options, const char* name);
// A whole number of 0 ... 2^53 - 1.
uint64_t countOption(const Napi::Object& options, const char* name);
std::optional<uint64_t> optionalCount(const Napi::Object& options, const char* name);
std::string textOption(const Napi::Object& options, const char* name);
std::vector<uint8_t> bytesOption(const Napi::Object& options, const char* name);
Napi::Object objectArgument(const Napi::CallbackInfo& info, size_t index);
std::string textArgument(const Napi::CallbackInfo& info, size_t index);

// The JavaScript error for a C++ one. It carries `pvcamCode` for a PVCAM error, `comediCode` for a Comedi one, `errno` for a system error, `refused: 'value'` for an argument that is not
// allowed and `refused: 'state'` for a call that is not allowed now.
Napi::Error javaScriptError(Napi::Env env, const std::exception& error);

// Runs `body`; what it throws becomes a JavaScript error.
template <typename Body>
auto guarded(Napi::Env env, Body&& body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception& error) {
    throw javaScriptError(env, error);
  }
}

}  // namespace kymograph
