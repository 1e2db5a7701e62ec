#include "exit_stop.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace kymograph {

namespace {

// All stops together: a recording may have a full ring to write. What has not stopped by then hangs in code of others, and its device is left to the system,
// which closes it with the process.
constexpr std::chrono::seconds kStopWithin{5};

struct Registry {
  std::mutex mutex;
  std::map<const ExitStop*, std::function<void()>> stops;
  std::atomic<bool> exiting = false;

  std::mutex counting;  // guards what follows
  std::condition_variable changed;
  size_t running = 0;
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

void stopOne(const std::function<void()>& stop) {
  stop();
  const std::lock_guard guard(registry().counting);
  --registry().running;
  registry().changed.notify_all();
}

// Each on a thread of its own, so that one that hangs holds up no other. Under the lock: a thread that destroys an ExitStop waits until its owner has been
// stopped; where one hangs, for good.
void stopAll() {
  Registry& all = registry();
  all.exiting = true;
  std::unique_lock guard(all.mutex);
  all.running = all.stops.size();
  for (const auto& [owner, stop] : all.stops) {
    try {
      std::thread([&stop = stop] { stopOne(stop); }).detach();
    } catch (const std::system_error&) {
      stopOne(stop);  // no more threads
    }
  }
  std::unique_lock count(all.counting);
  if (all.changed.wait_for(count, kStopWithin, [&all] { return all.running == 0; })) all.stops.clear();
  else guard.release();
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
