#pragma once

#include <cstdint>
#include <map>
#include <memory>
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

// The vendor's library, found at run time. One per path and process: PVCAM may be initialised only once.
class PvcamLibrary {
 public:
  // `environment` is set before the library is loaded, because PVCAM reads it then.
  static std::shared_ptr<PvcamLibrary> load(const std::string& path, const std::map<std::string, std::string>& environment);
  ~PvcamLibrary();
  PvcamLibrary(const PvcamLibrary&) = delete;
  PvcamLibrary& operator=(const PvcamLibrary&) = delete;

  std::string version() const;
  std::vector<std::string> cameras() const;
  // Throws PvcamError unless `done`; `call` is the name of the function that failed.
  void check(rs_bool done, const char* call) const;

#define X(result, name, arguments) result(*name) arguments = nullptr;
  KYMOGRAPH_PVCAM_FUNCTIONS(X)
#undef X

 private:
  explicit PvcamLibrary(const std::string& path);
  void* handle_;
  bool initialised_ = false;
};

}  // namespace kymograph
