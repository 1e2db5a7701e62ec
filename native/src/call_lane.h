#pragma once

#include <napi.h>

#include <functional>
#include <memory>

namespace kymograph {

// A thread that makes one call after the other into code of others, which may take its time or never return: it holds up nobody but its own lane, neither the
// thread pool nor the end of the process.
class CallLane {
 public:
  using Work = std::function<void()>;
  using Result = std::function<Napi::Value(Napi::Env)>;

  CallLane(Napi::Env env, const char* name);
  // The thread ends once it has done what waits; nobody waits for it.
  ~CallLane();
  CallLane(const CallLane&) = delete;
  CallLane& operator=(const CallLane&) = delete;

  // `work` runs on the thread and is let go there; the promise resolves to what `result` then makes of it on JavaScript's thread, or rejects with the error
  // that `work` threw.
  Napi::Promise call(Napi::Env env, Work work, Result result);
  // As above, with nobody who waits for it.
  void post(Work work);

 private:
  struct Thread;
  std::shared_ptr<Thread> thread_;
};

}  // namespace kymograph
