#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "pvcam_api.h"

namespace kymograph {

// A failed call, with the code and the text that the library gives for it.
class PvcamError : public std::runtime_error {
 public:
  PvcamError(const std::string& message, int code) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

// The vendor's library, found at run time. One per path and process: PVCAM may be initialised only once. Any thread may use it; what opens, closes or lists
// cameras does so one after the other.
class PvcamLibrary {
 public:
  // Waits for one of the same path that is being unloaded.
  static std::shared_ptr<PvcamLibrary> load(const std::string& path);
  ~PvcamLibrary();
  PvcamLibrary(const PvcamLibrary&) = delete;
  PvcamLibrary& operator=(const PvcamLibrary&) = delete;

  const std::string& version() const { return version_; }
  std::vector<std::string> cameras() const;
  // Held while a camera is opened or closed.
  [[nodiscard]] std::unique_lock<std::mutex> camerasLock() const { return std::unique_lock(camerasMutex_); }
  // Throws PvcamError unless `done`; `call` is the name of the function that failed.
  void check(rs_bool done, const char* call) const;
  // Of the last call of this thread, which failed.
  PvcamError lastError(const char* call) const;

#define X(result, name, arguments) result(*name) arguments = nullptr;
  KYMOGRAPH_PVCAM_FUNCTIONS(X)
  KYMOGRAPH_PVCAM_LATER_FUNCTIONS(X)  // null where the library has none
#undef X

 private:
  explicit PvcamLibrary(const std::string& path);
  std::string askVersion() const;

  const std::string path_;
  void* handle_;
  bool initialised_ = false;
  std::string version_;
  mutable std::mutex camerasMutex_;
};

}  // namespace kymograph
