#pragma once

#include <functional>

namespace kymograph {

// Stops a thread of ours when the process ends by exit(), which Node's process.exit does without any clean-up of addons: otherwise a camera would go on
// exposing and a thread would run into memory that is being torn down.
class ExitStop {
 public:
  // `stop` must stop and join; it is called from a thread that exit() makes for it and waits for with a deadline, and may neither make nor destroy an ExitStop.
  explicit ExitStop(std::function<void()> stop);
  ~ExitStop();
  ExitStop(const ExitStop&) = delete;
  ExitStop& operator=(const ExitStop&) = delete;

  // True once the process ends: JavaScript can no longer be called.
  static bool exiting();
};

}  // namespace kymograph
