#include "call_lane.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "exit_stop.h"
#include "js_values.h"

namespace kymograph {

namespace {

// At the end of the process: enough for a device to be closed; a call that hangs is left behind.
constexpr std::chrono::milliseconds kEndWithin{500};

struct Job {
  std::optional<Napi::Promise::Deferred> deferred;  // absent: nobody waits
  CallLane::Work work;
  CallLane::Result result;
  std::exception_ptr failure;

  void settle(Napi::Env env) {
    try {
      deferred->Resolve(guarded(env, [&] {
        if (failure) std::rethrow_exception(failure);
        return result(env);
      }));
    } catch (const Napi::Error& error) {
      reject(error);
    }
  }

  void reject(const Napi::Error& error) {
    try {
      deferred->Reject(error.Value());
    } catch (const Napi::Error&) {
      // The environment ends: Node still delivers, and JavaScript hears nothing any more.
    }
  }
};

}  // namespace

// Shared by the lane and the thread itself: whichever is the last.
struct CallLane::Thread : std::enable_shared_from_this<Thread> {
  Thread(Napi::Env environment, const char* name) : env(environment), wake(Napi::ThreadSafeFunction::New(environment, Napi::Function(), name, 0, 1)) {
    wake.Unref(environment);  // whoever waits for an answer has a deadline of its own
  }

  const napi_env env;
  Napi::ThreadSafeFunction wake;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::shared_ptr<Job>> waiting;
  bool ending = false;
  bool ended = false;
  bool abandoned = false;  // JavaScript is gone; set by its thread
  std::optional<ExitStop> exitStop;

  void start() {
    exitStop.emplace([this] { endBeforeProcess(); });
    napi_add_env_cleanup_hook(env, &Thread::beforeEnvironmentEnds, this);
    std::thread([self = shared_from_this()] { self->run(); }).detach();
  }

  void run() {
    for (;;) {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return ending || !waiting.empty(); });
      if (waiting.empty()) break;
      const auto job = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      try {
        job->work();
      } catch (...) {
        job->failure = std::current_exception();
      }
      job->work = nullptr;
      if (job->deferred) tell([job](Napi::Env settled) { job->settle(settled); });
    }
    tell([this](Napi::Env) {
      napi_remove_env_cleanup_hook(env, &Thread::beforeEnvironmentEnds, this);
      exitStop.reset();
    });
    const std::lock_guard lock(mutex);
    if (!abandoned && !ExitStop::exiting()) wake.Release();
    ended = true;
    changed.notify_all();
  }

  void add(std::shared_ptr<Job> job) {
    const std::lock_guard lock(mutex);
    waiting.push_back(std::move(job));
    changed.notify_all();
  }

  // What was told and not heard before JavaScript went is heard by nobody: it may not be called any more.
  template <typename Callback>
  void tell(Callback callback) {
    const std::lock_guard lock(mutex);
    if (abandoned || ExitStop::exiting()) return;
    wake.NonBlockingCall([self = shared_from_this(), callback = std::move(callback)](Napi::Env heard, Napi::Function) {
      if (!self->abandoned) callback(heard);
    });
  }

  void end() {
    const std::lock_guard lock(mutex);
    ending = true;
    changed.notify_all();
  }

  void endBeforeProcess() {
    std::unique_lock lock(mutex);
    ending = true;
    changed.notify_all();
    changed.wait_for(lock, kEndWithin, [this] { return ended; });
  }

  static void beforeEnvironmentEnds(void* data) {
    const auto self = static_cast<Thread*>(data)->shared_from_this();
    self->exitStop.reset();
    self->endBeforeProcess();
    const std::lock_guard lock(self->mutex);
    self->abandoned = true;
  }
};

CallLane::CallLane(Napi::Env env, const char* name) : thread_(std::make_shared<Thread>(env, name)) { thread_->start(); }

CallLane::~CallLane() { thread_->end(); }

Napi::Promise CallLane::call(Napi::Env env, Work work, Result result) {
  const auto job = std::make_shared<Job>(Job{Napi::Promise::Deferred::New(env), std::move(work), std::move(result), nullptr});
  const Napi::Promise promise = job->deferred->Promise();
  thread_->add(job);
  return promise;
}

void CallLane::post(Work work) { thread_->add(std::make_shared<Job>(Job{std::nullopt, std::move(work), nullptr, nullptr})); }

}  // namespace kymograph
