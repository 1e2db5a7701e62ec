#include "exit_stop.h"

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

namespace kymograph {

namespace {

struct Registry {
  std::mutex mutex;
  std::map<const ExitStop*, std::function<void()>> stops;
  std::atomic<bool> exiting = false;
};

void stopAll();

// Never destroyed: threads may still look at it while the process ends.
Registry& registry() {
  static Registry& instance = *[] {
    std::atexit(stopAll);
    return new Registry();
  }();
  return instance;
}

// Under the lock: a thread that destroys an ExitStop waits until its owner has been stopped.
void stopAll() {
  registry().exiting = true;
  const std::lock_guard guard(registry().mutex);
  for (const auto& [owner, stop] : registry().stops) stop();
  registry().stops.clear();
}

}  // namespace

ExitStop::ExitStop(std::function<void()> stop) {
  const std::lock_guard guard(registry().mutex);
  registry().stops.emplace(this, std::move(stop));
}

ExitStop::~ExitStop() {
  const std::lock_guard guard(registry().mutex);
  registry().stops.erase(this);
}

bool ExitStop::exiting() { return registry().exiting; }

}  // namespace kymograph
