#pragma once

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

#include "comedi_api.h"

namespace kymograph {

// A failed call, with the code and the text that the library gives for it. Codes are those of the system (EBUSY) or, from 0x1000, the library's own.
class ComediError : public std::runtime_error {
 public:
  ComediError(const std::string& message, int code) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

// libcomedi, found at run time. Its functions promise nothing to several threads, and its error code is one for all: whoever calls one holds lock() until
// the error is read.
class ComediLibrary {
 public:
  // Waits for one of the same path that is being unloaded.
  static std::shared_ptr<ComediLibrary> load(const std::string& path);
  ~ComediLibrary();
  ComediLibrary(const ComediLibrary&) = delete;
  ComediLibrary& operator=(const ComediLibrary&) = delete;

  [[nodiscard]] std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }
  // Throws ComediError for the library's last error; `call` is the name of the function that failed.
  [[noreturn]] void fail(const char* call) const;
  int check(int result, const char* call) const {
    if (result < 0) fail(call);
    return result;
  }

#define X(result, name, arguments) result(*name) arguments = nullptr;
  KYMOGRAPH_COMEDI_FUNCTIONS(X)
#undef X

 private:
  explicit ComediLibrary(const std::string& path);

  const std::string path_;
  void* handle_;
  mutable std::mutex mutex_;
};

}  // namespace kymograph
