#pragma once

#include <napi.h>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

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
  // The process need not wait for its end.
  void unref(Napi::Env env) { wake_.Unref(env); }
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

// Runs `work` on the thread pool and lets go there of what it holds; the promise resolves to what `result` then makes of it on JavaScript's thread, or
// rejects with the error that `work` threw.
Napi::Promise onThreadPool(Napi::Env env, std::function<void()> work, std::function<Napi::Value(Napi::Env)> result);

// As above, for work that makes something.
template <typename Made, typename Work, typename ToJavaScript>
Napi::Promise onThreadPool(Napi::Env env, Work work, ToJavaScript toJavaScript) {
  const auto made = std::make_shared<std::optional<Made>>();
  return onThreadPool(
      env, [made, work = std::move(work)] { *made = work(); }, [made, toJavaScript](Napi::Env settled) -> Napi::Value { return toJavaScript(settled, **made); });
}

// Lets go of `held` on the thread pool, because the end of what it holds may take its time.
template <typename Held>
Napi::Promise letGoOnThreadPool(Napi::Env env, std::shared_ptr<Held> held) {
  return onThreadPool(env, [held = std::move(held)] {}, [](Napi::Env settled) { return settled.Undefined(); });
}

}  // namespace kymograph
