#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "../include/kymograph_driver.h"

namespace kymograph {

// A call that the library answered with anything but KYMOGRAPH_OK, with its sentence.
class DriverCallFailed : public std::runtime_error {
 public:
  DriverCallFailed(const std::string& message, int32_t code) : std::runtime_error(message), code_(code) {}
  int32_t code() const { return code_; }

 private:
  int32_t code_;
};

// A shared library with the functions of kymograph_driver.h, found at run time.
class DriverLibrary {
 public:
  // Throws std::runtime_error that says what is missing or of another version.
  explicit DriverLibrary(const std::string& path);
  ~DriverLibrary();
  DriverLibrary(const DriverLibrary&) = delete;
  DriverLibrary& operator=(const DriverLibrary&) = delete;

  decltype(&kymograph_open) open = nullptr;
  decltype(&kymograph_close) close = nullptr;
  decltype(&kymograph_describe) describe = nullptr;
  decltype(&kymograph_read) read = nullptr;
  decltype(&kymograph_write) write = nullptr;
  decltype(&kymograph_stop) stop = nullptr;

 private:
  template <typename Function>
  void find(Function& function, const char* name) const;

  const std::string path_;
  void* handle_;
};

// A number, a boolean or a text.
struct DriverValue {
  int32_t kind = KYMOGRAPH_NUMBER;
  double number = 0;
  std::string text;
};

// One open device of a library. Calls block; one at a time, but for stop.
class DriverDevice {
 public:
  DriverDevice(std::shared_ptr<DriverLibrary> library, const std::string& settings);
  ~DriverDevice();
  DriverDevice(const DriverDevice&) = delete;
  DriverDevice& operator=(const DriverDevice&) = delete;

  std::string describe();
  DriverValue read(const std::string& name);
  void write(const std::string& name, const DriverValue& value);
  void stop();

 private:
  const std::shared_ptr<DriverLibrary> library_;
  kymograph_device* device_ = nullptr;
};

}  // namespace kymograph
