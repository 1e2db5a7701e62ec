#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>

#include "exit_stop.h"

namespace kymograph {

// Ties a native thread to JavaScript: a promise for its end; it lives until then even if JavaScript forgets it; and it is stopped and joined before the
// environment (the process, a worker thread) goes away under it.
class BackgroundTask : public std::enable_shared_from_this<BackgroundTask> {
 public:
  using Result = std::function<Napi::Value(Napi::Env)>;

  BackgroundTask(Napi::Env env, const char* name);
  // `stopAndJoin` keeps the thread's owner alive. Call it once, right after the thread has been made.
  void started(std::function<void()> stopAndJoin);
  // The thread could not be made: no promise will settle.
  void abandon();
  // From the thread, as its last act. `result` runs on JavaScript's thread.
  void settle(Result result);
  Napi::Promise ended() const { return deferred_.Promise(); }

 private:
  static void beforeEnvironmentEnds(void* self);
  void finish(Napi::Env env, const Result& result);

  napi_env env_;
  Napi::Promise::Deferred deferred_;
  Napi::ThreadSafeFunction wake_;
  std::function<void()> stopAndJoin_;
  std::optional<ExitStop> exitStop_;
  std::shared_ptr<BackgroundTask> self_;
};

// Runs `work` on the thread pool; the promise resolves to what `result` then makes of it, or rejects with what `work` threw.
Napi::Promise onThreadPool(Napi::Env env, std::function<void()> work, std::function<Napi::Value(Napi::Env)> result);

}  // namespace kymograph
