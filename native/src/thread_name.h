#pragma once

#include <pthread.h>

namespace kymograph {

// Under this name, of at most 15 characters, top, perf and a debugger show the calling thread.
inline void nameThread(const char* name) {
#ifdef __APPLE__
  ::pthread_setname_np(name);
#else
  ::pthread_setname_np(::pthread_self(), name);
#endif
}

}  // namespace kymograph
