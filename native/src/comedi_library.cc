#include "comedi_library.h"

#include <dlfcn.h>

#include <map>

namespace kymograph {

namespace {

struct Loaded {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<ComediLibrary>> libraries;
};

// Never destroyed: a device may be closed while the process ends.
Loaded& loaded() {
  static Loaded& instance = *new Loaded();
  return instance;
}

}  // namespace

// One for each path, so that all its devices share one lock.
std::shared_ptr<ComediLibrary> ComediLibrary::load(const std::string& path) {
  Loaded& all = loaded();
  const std::lock_guard guard(all.mutex);
  std::erase_if(all.libraries, [](const auto& each) { return each.second.expired(); });
  if (const auto known = all.libraries.find(path); known != all.libraries.end())
    if (auto library = known->second.lock()) return library;
  std::shared_ptr<ComediLibrary> library(new ComediLibrary(path));
  all.libraries[path] = library;
  return library;
}

ComediLibrary::ComediLibrary(const std::string& path) : handle_(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
  if (handle_ == nullptr) throw std::runtime_error("cannot load the Comedi library: " + std::string(::dlerror()));
#define X(result, name, arguments)                                                                     \
  name = reinterpret_cast<result(*) arguments>(::dlsym(handle_, #name));                               \
  if (name == nullptr) {                                                                               \
    ::dlclose(handle_);                                                                                \
    throw std::runtime_error(path + " is not a Comedi library: it has no function " #name);            \
  }
  KYMOGRAPH_COMEDI_FUNCTIONS(X)
#undef X
}

ComediLibrary::~ComediLibrary() { ::dlclose(handle_); }

void ComediLibrary::fail(const char* call) const {
  const int code = comedi_errno();
  const char* text = comedi_strerror(code);
  throw ComediError(std::string(call) + ": " + (text == nullptr ? "no text" : text) + " (Comedi error " + std::to_string(code) + ")", code);
}

}  // namespace kymograph
