#include "driver_library.h"

#include <dlfcn.h>

#include <array>
#include <cmath>
#include <utility>
#include <vector>

namespace kymograph {

namespace {

constexpr size_t kErrorBytes = 1024;                   // a sentence
constexpr size_t kTextBytes = 4 * 4096 + 1;            // core/parameter.ts, MAX_TEXT_LENGTH, in UTF-8
constexpr size_t kFirstDescriptionBytes = 64 * 1024;   // some hundred parameters; larger ones say what they need
constexpr size_t kMaxDescriptionBytes = 16 * 1024 * 1024;

// Makes a call that writes its sentence into a buffer of ours.
template <typename Call>
void check(const char* name, Call call) {
  std::array<char, kErrorBytes> error{};
  const int32_t code = call(error.data(), error.size());
  if (code == KYMOGRAPH_OK) return;
  error.back() = '\0';
  throw DriverCallFailed(error[0] == '\0' ? std::string(name) + " failed without a word (" + std::to_string(code) + ")" : error.data(), code);
}

}  // namespace

// RTLD_NODELETE: a library may leave threads behind that still run its code after the last close.
DriverLibrary::DriverLibrary(const std::string& path) : path_(path), handle_(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) {
  if (handle_ == nullptr) throw std::runtime_error("cannot load the library: " + std::string(::dlerror()));
  try {
    decltype(&kymograph_driver_api) api = nullptr;
    find(api, "kymograph_driver_api");
    const int32_t version = api();
    if (version != KYMOGRAPH_DRIVER_API)
      throw std::runtime_error(path + " is written for driver API " + std::to_string(version) + "; this is driver API " + std::to_string(KYMOGRAPH_DRIVER_API));
    find(open, "kymograph_open");
    find(close, "kymograph_close");
    find(describe, "kymograph_describe");
    find(read, "kymograph_read");
    find(write, "kymograph_write");
    find(stop, "kymograph_stop");
  } catch (...) {
    ::dlclose(handle_);
    throw;
  }
}

DriverLibrary::~DriverLibrary() { ::dlclose(handle_); }

template <typename Function>
void DriverLibrary::find(Function& function, const char* name) const {
  function = reinterpret_cast<Function>(::dlsym(handle_, name));
  if (function == nullptr) throw std::runtime_error(path_ + " is not a library for this program: it has no function " + name);
}

DriverDevice::DriverDevice(std::shared_ptr<DriverLibrary> library, const std::string& settings) : library_(std::move(library)) {
  check("kymograph_open", [&](char* error, size_t size) { return library_->open(settings.c_str(), &device_, error, size); });
  if (device_ == nullptr) throw DriverCallFailed("kymograph_open said that it succeeded and gave no device", KYMOGRAPH_FAILED);
}

DriverDevice::~DriverDevice() { library_->close(device_); }

std::string DriverDevice::describe() {
  std::vector<char> json(kFirstDescriptionBytes);
  for (;;) {
    size_t needed = 0;
    bool tooSmall = false;
    check("kymograph_describe", [&](char* error, size_t size) {
      const int32_t code = library_->describe(device_, json.data(), json.size(), &needed, error, size);
      tooSmall = code == KYMOGRAPH_TOO_SMALL && needed > json.size() && needed <= kMaxDescriptionBytes;
      return tooSmall ? static_cast<int32_t>(KYMOGRAPH_OK) : code;
    });
    if (!tooSmall) break;
    json.assign(needed, '\0');
  }
  json.back() = '\0';
  return json.data();
}

DriverValue DriverDevice::read(const std::string& name) {
  std::vector<char> text(kTextBytes);
  kymograph_value value{KYMOGRAPH_NUMBER, std::nan(""), text.data(), text.size()};  // what is forgotten is no number
  check("kymograph_read", [&](char* error, size_t size) { return library_->read(device_, name.c_str(), &value, error, size); });
  text.back() = '\0';
  return {value.kind, value.number, text.data()};
}

void DriverDevice::write(const std::string& name, const DriverValue& given) {
  std::string text = given.text;
  const kymograph_value value{given.kind, given.number, text.data(), text.size() + 1};
  check("kymograph_write", [&](char* error, size_t size) { return library_->write(device_, name.c_str(), &value, error, size); });
}

void DriverDevice::stop() {
  check("kymograph_stop", [&](char* error, size_t size) { return library_->stop(device_, error, size); });
}

}  // namespace kymograph
