#include "recording_object.h"

#include <utility>

#include "addon.h"
#include "js_values.h"

namespace kymograph {

namespace {

const char* nameOf(RecordingState state) {
  switch (state) {
    case RecordingState::running: return "running";
    case RecordingState::finished: return "finished";
    default: return "failed";
  }
}

Napi::Value javaScriptProgress(Napi::Env env, const RecordingProgress& progress) {
  auto result = Napi::Object::New(env);
  result.Set("written", static_cast<double>(progress.written));
  result.Set("dropped", static_cast<double>(progress.dropped));
  result.Set("bytes", static_cast<double>(progress.bytes));
  result.Set("state", nameOf(progress.state));
  if (!progress.reason.empty()) result.Set("reason", progress.reason);
  return result;
}

RecordingPlan planOf(const Napi::Object& options) {
  RecordingPlan plan;
  plan.path = textOption(options, "path");
  plan.schemaMessage = bytesOption(options, "schemaMessage");
  plan.batchHead = bytesOption(options, "batchHead");
  plan.batchHeadWithoutClock = bytesOption(options, "batchHeadWithoutClock");
  plan.constants = bytesOption(options, "constants");
  plan.endOfStream = bytesOption(options, "endOfStream");
  plan.constantsOffset = countOption(options, "constantsOffset");
  plan.sequenceOffset = countOption(options, "sequenceOffset");
  plan.timeOffset = countOption(options, "timeOffset");
  plan.hardwareTimeOffset = countOption(options, "hardwareTimeOffset");
  plan.exposureOffset = countOption(options, "exposureOffset");
  plan.pixelOffset = countOption(options, "pixelOffset");
  plan.batchBytes = countOption(options, "batchBytes");
  plan.frames = optionalCount(options, "frames");
  plan.keepFreeBytes = countOption(options, "keepFreeBytes");
  return plan;
}

struct Seed {
  std::shared_ptr<Recording> recording;
  Napi::Promise ended;
};

}  // namespace

Napi::Function RecordingObject::define(Napi::Env env) {
  return DefineClass(env, "FrameRecording",
                     {
                         InstanceMethod<&RecordingObject::progress>("progress"),
                         InstanceMethod<&RecordingObject::stop>("stop"),
                         InstanceAccessor<&RecordingObject::ended>("ended"),
                     });
}

Napi::Object RecordingObject::start(Napi::Env env, std::shared_ptr<Ring> ring, const Napi::Object& options) {
  RecordingPlan plan = planOf(options);
  auto task = std::make_shared<BackgroundTask>(env, "kymograph.recording");
  std::shared_ptr<Recording> recording;
  try {
    recording = std::make_shared<Recording>(std::move(ring), std::move(plan), [raw = task.get()](const RecordingProgress& last) {
      raw->settle([last](Napi::Env ended) { return javaScriptProgress(ended, last); });
    });
  } catch (...) {
    task->abandon();
    throw;
  }
  task->started([recording] {
    recording->requestStop();
    recording->join();
  });
  Seed seed{recording, task->ended()};
  return Addon::of(env).recording.New({Napi::External<Seed>::New(env, &seed)});
}

RecordingObject::RecordingObject(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Seed& seed = *info[0].As<Napi::External<Seed>>().Data();
  recording_ = seed.recording;
  ended_ = Napi::Reference<Napi::Promise>::New(seed.ended, 1);
}

Napi::Value RecordingObject::progress(const Napi::CallbackInfo& info) { return javaScriptProgress(info.Env(), recording_->progress()); }

Napi::Value RecordingObject::stop(const Napi::CallbackInfo&) {
  recording_->requestStop();
  return ended_.Value();
}

Napi::Value RecordingObject::ended(const Napi::CallbackInfo&) { return ended_.Value(); }

}  // namespace kymograph
