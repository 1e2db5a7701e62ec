#include "comedi_library.h"

#include <dlfcn.h>

#include <condition_variable>
#include <map>

namespace kymograph {

namespace {

// One that nobody holds any more stays listed until it is unloaded.
struct Loaded {
  std::mutex mutex;
  std::condition_variable changed;
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
  std::shared_ptr<ComediLibrary> library;  // before the lock: one that goes takes it again
  std::unique_lock guard(all.mutex);
  for (auto known = all.libraries.find(path); known != all.libraries.end(); known = all.libraries.find(path)) {
    library = known->second.lock();
    if (library) return library;
    all.changed.wait(guard);
  }
  library.reset(new ComediLibrary(path));
  all.libraries[path] = library;
  return library;
}

// RTLD_NODELETE: what a library keeps for good it keeps once, however often it is loaded.
ComediLibrary::ComediLibrary(const std::string& path) : path_(path), handle_(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE)) {
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

ComediLibrary::~ComediLibrary() {
  ::dlclose(handle_);
  Loaded& all = loaded();
  const std::lock_guard guard(all.mutex);
  all.libraries.erase(path_);
  all.changed.notify_all();
}

void ComediLibrary::fail(const char* call) const {
  const int code = comedi_errno();
  const char* text = comedi_strerror(code);
  throw ComediError(std::string(call) + ": " + (text == nullptr ? "no text" : text) + " (Comedi error " + std::to_string(code) + ")", code);
}

}  // namespace kymograph
