#include "pvcam_library.h"

#include <dlfcn.h>
#include <stdlib.h>

#include <array>
#include <mutex>

namespace kymograph {

namespace {

std::mutex loadedMutex;
std::map<std::string, std::weak_ptr<PvcamLibrary>>& loaded() {
  static auto& libraries = *new std::map<std::string, std::weak_ptr<PvcamLibrary>>();
  return libraries;
}

}  // namespace

std::shared_ptr<PvcamLibrary> PvcamLibrary::load(const std::string& path, const std::map<std::string, std::string>& environment) {
  const std::lock_guard guard(loadedMutex);
  if (auto library = loaded()[path].lock()) return library;
  for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
  std::shared_ptr<PvcamLibrary> library(new PvcamLibrary(path));
  library->check(library->pl_pvcam_init(), "pl_pvcam_init");
  library->initialised_ = true;
  loaded()[path] = library;
  return library;
}

// RTLD_NODELETE: a camera SDK may leave threads behind that still run its code after the last close.
PvcamLibrary::PvcamLibrary(const std::string& path) : handle_(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) {
  if (handle_ == nullptr) throw std::runtime_error("cannot load the PVCAM library: " + std::string(::dlerror()));
#define X(result, name, arguments)                                                                     \
  name = reinterpret_cast<result(*) arguments>(::dlsym(handle_, #name));                               \
  if (name == nullptr) {                                                                               \
    ::dlclose(handle_);                                                                                \
    throw std::runtime_error(path + " is not a PVCAM library: it has no function " #name);             \
  }
  KYMOGRAPH_PVCAM_FUNCTIONS(X)
#undef X
}

PvcamLibrary::~PvcamLibrary() {
  if (initialised_) pl_pvcam_uninit();
  ::dlclose(handle_);
}

void PvcamLibrary::check(rs_bool done, const char* call) const {
  if (done) return;
  const int16_t code = pl_error_code();
  std::array<char, pvcam::kErrorMessageLength + 1> text{};
  if (!pl_error_message(code, text.data())) text[0] = '\0';
  text.back() = '\0';
  throw PvcamError(std::string(call) + ": " + (text[0] == '\0' ? "no text" : text.data()) + " (PVCAM error " + std::to_string(code) + ")", code);
}

// Packed as PVCAM packs it: major in the high byte, minor and trivial in the two halves of the low one.
std::string PvcamLibrary::version() const {
  uint16_t version = 0;
  check(pl_pvcam_get_ver(&version), "pl_pvcam_get_ver");
  return std::to_string(version >> 8) + "." + std::to_string(version >> 4 & 0xf) + "." + std::to_string(version & 0xf);
}

std::vector<std::string> PvcamLibrary::cameras() const {
  int16_t total = 0;
  check(pl_cam_get_total(&total), "pl_cam_get_total");
  std::vector<std::string> names;
  for (int16_t number = 0; number < total; ++number) {
    std::array<char, pvcam::kCameraNameLength + 1> name{};
    check(pl_cam_get_name(number, name.data()), "pl_cam_get_name");
    names.emplace_back(name.data());
  }
  return names;
}

}  // namespace kymograph
