#include "pvcam_library.h"

#include <dlfcn.h>

#include <array>
#include <condition_variable>
#include <map>

namespace kymograph {

namespace {

// Libraries are initialised and unloaded one after the other. One that nobody holds any more stays listed until it is unloaded.
struct Loaded {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::string, std::weak_ptr<PvcamLibrary>> libraries;
};

// Never destroyed: a library may be unloaded while the process ends.
Loaded& loaded() {
  static Loaded& instance = *new Loaded();
  return instance;
}

}  // namespace

std::shared_ptr<PvcamLibrary> PvcamLibrary::load(const std::string& path) {
  Loaded& all = loaded();
  std::shared_ptr<PvcamLibrary> library;  // before the lock: one that fails here takes it again when it goes
  std::unique_lock guard(all.mutex);
  for (auto known = all.libraries.find(path); known != all.libraries.end(); known = all.libraries.find(path)) {
    library = known->second.lock();
    if (library) return library;
    all.changed.wait(guard);
  }
  library.reset(new PvcamLibrary(path));
  library->check(library->pl_pvcam_init(), "pl_pvcam_init");
  library->initialised_ = true;
  all.libraries[path] = library;
  library->version_ = library->askVersion();
  return library;
}

// RTLD_NODELETE: a camera SDK may leave threads behind that still run its code after the last close.
PvcamLibrary::PvcamLibrary(const std::string& path) : path_(path), handle_(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) {
  if (handle_ == nullptr) throw std::runtime_error("cannot load the PVCAM library: " + std::string(::dlerror()));
#define X(result, name, arguments)                                                                     \
  name = reinterpret_cast<result(*) arguments>(::dlsym(handle_, #name));                               \
  if (name == nullptr) {                                                                               \
    ::dlclose(handle_);                                                                                \
    throw std::runtime_error(path + " is not a PVCAM library: it has no function " #name);             \
  }
  KYMOGRAPH_PVCAM_FUNCTIONS(X)
#undef X
#define X(result, name, arguments) name = reinterpret_cast<result(*) arguments>(::dlsym(handle_, #name));
  KYMOGRAPH_PVCAM_LATER_FUNCTIONS(X)
#undef X
}

PvcamLibrary::~PvcamLibrary() {
  if (initialised_) {
    Loaded& all = loaded();
    const std::lock_guard guard(all.mutex);
    pl_pvcam_uninit();
    all.libraries.erase(path_);
    all.changed.notify_all();
  }
  ::dlclose(handle_);
}

void PvcamLibrary::check(rs_bool done, const char* call) const {
  if (!done) throw lastError(call);
}

PvcamError PvcamLibrary::lastError(const char* call) const {
  const int16_t code = pl_error_code();
  std::array<char, pvcam::kErrorMessageLength + 1> text{};
  if (!pl_error_message(code, text.data())) text[0] = '\0';
  text.back() = '\0';
  return PvcamError(std::string(call) + ": " + (text[0] == '\0' ? "no text" : text.data()) + " (PVCAM error " + std::to_string(code) + ")", code);
}

// Packed as PVCAM packs it: major in the high byte, minor and trivial in the two halves of the low one.
std::string PvcamLibrary::askVersion() const {
  uint16_t version = 0;
  check(pl_pvcam_get_ver(&version), "pl_pvcam_get_ver");
  return std::to_string(version >> 8) + "." + std::to_string(version >> 4 & 0xf) + "." + std::to_string(version & 0xf);
}

std::vector<std::string> PvcamLibrary::cameras() const {
  const auto guard = camerasLock();
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
