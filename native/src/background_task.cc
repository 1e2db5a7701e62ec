#include "background_task.h"

#include <exception>
#include <utility>

#include "js_values.h"

namespace kymograph {

BackgroundTask::BackgroundTask(Napi::Env env, const char* name)
    : env_(env), deferred_(Napi::Promise::Deferred::New(env)), wake_(Napi::ThreadSafeFunction::New(env, Napi::Function(), name, 0, 1)) {}

// The hook is added after the thread-safe function's own, so that it runs before it: hooks run in reverse order.
void BackgroundTask::started(std::function<void()> stopAndJoin) {
  stopAndJoin_ = std::move(stopAndJoin);
  exitStop_.emplace(stopAndJoin_);
  self_ = shared_from_this();
  napi_add_env_cleanup_hook(env_, &BackgroundTask::beforeEnvironmentEnds, this);
}

void BackgroundTask::abandon() { wake_.Release(); }

void BackgroundTask::settle(Result result) {
  if (ExitStop::exiting()) return;
  wake_.BlockingCall([this, result = std::move(result)](Napi::Env env, Napi::Function) { finish(env, result); });
  wake_.Release();
}

void BackgroundTask::finish(Napi::Env env, const Result& result) {
  const auto last = std::move(self_);
  napi_remove_env_cleanup_hook(env_, &BackgroundTask::beforeEnvironmentEnds, this);
  exitStop_.reset();
  std::exchange(stopAndJoin_, nullptr)();
  deferred_.Resolve(result(env));
}

void BackgroundTask::beforeEnvironmentEnds(void* self) {
  const auto last = std::move(static_cast<BackgroundTask*>(self)->self_);
  last->exitStop_.reset();
  std::exchange(last->stopAndJoin_, nullptr)();
}

namespace {

class PoolWork : public Napi::AsyncWorker {
 public:
  PoolWork(Napi::Env env, std::function<void()> work, std::function<Napi::Value(Napi::Env)> result)
      : AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), work_(std::move(work)), result_(std::move(result)) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

 protected:
  void Execute() override {
    try {
      work_();
    } catch (...) {
      failure_ = std::current_exception();
    }
    work_ = nullptr;
  }
  // The exception itself is kept, and not AsyncWorker's text of it: its type says what the JavaScript error carries.
  void OnOK() override {
    try {
      deferred_.Resolve(guarded(Env(), [this] {
        if (failure_) std::rethrow_exception(failure_);
        return result_(Env());
      }));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
  }

 private:
  Napi::Promise::Deferred deferred_;
  std::function<void()> work_;
  std::function<Napi::Value(Napi::Env)> result_;
  std::exception_ptr failure_;
};

}  // namespace

Napi::Promise onThreadPool(Napi::Env env, std::function<void()> work, std::function<Napi::Value(Napi::Env)> result) {
  auto* job = new PoolWork(env, std::move(work), std::move(result));  // deletes itself once settled
  const Napi::Promise promise = job->promise();
  job->Queue();
  return promise;
}

}  // namespace kymograph
