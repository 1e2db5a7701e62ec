#include "recording_object.h"

#include <stdexcept>
#include <utility>

#include "addon.h"
#include "js_values.h"

namespace kymograph {

namespace {

// Of small frames; one of a large camera may be more alone. Half of it is 5 % slower, an eighth 15 % (bench/frames.ts); two such places are in memory.
constexpr size_t kWriteBytes = 8u << 20;

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

BodyCodec codecNamed(const std::string& name) {
  if (name == "LZ4") return BodyCodec::lz4;
  if (name == "ZSTD") return BodyCodec::zstd;
  throw std::invalid_argument("codec: LZ4 or ZSTD");
}

RecordingPlan planOf(const Napi::Object& options) {
  RecordingPlan plan;
  plan.schemaMessage = bytesOption(options, "schemaMessage");
  plan.head = bytesOption(options, "batchHead");
  plan.headWithoutClock = bytesOption(options, "batchHeadWithoutClock");
  plan.constants = bytesOption(options, "constants");
  plan.endOfStream = bytesOption(options, "endOfStream");
  plan.constantsOffset = countOption(options, "constantsOffset");
  plan.sequenceOffset = countOption(options, "sequenceOffset");
  plan.timeOffset = countOption(options, "timeOffset");
  plan.hardwareTimeOffset = countOption(options, "hardwareTimeOffset");
  plan.exposureOffset = countOption(options, "exposureOffset");
  plan.pixelOffset = countOption(options, "pixelOffset");
  plan.batchBytes = countOption(options, "batchBytes");
  if (options.Get("compressed").IsObject()) {
    const auto compressed = options.Get("compressed").As<Napi::Object>();
    plan.codec = codecNamed(textOption(compressed, "codec"));
    plan.bodyLengthOffset = countOption(compressed, "bodyLengthOffset");
    plan.pixelLengthOffset = countOption(compressed, "pixelLengthOffset");
  }
  if (options.Get("statistics").IsObject()) {
    const auto statistics = options.Get("statistics").As<Napi::Object>();
    plan.statistics = StatisticsPlan{
        .minimumOffset = countOption(statistics, "minimumOffset"),
        .maximumOffset = countOption(statistics, "maximumOffset"),
        .meanOffset = countOption(statistics, "meanOffset"),
        .saturatedOffset = countOption(statistics, "saturatedOffset"),
        .regionMeansOffset = countOption(statistics, "regionMeansOffset"),
        .regionMeansStep = countOption(statistics, "regionMeansStep"),
        .regions = countOption(statistics, "regions"),
    };
  }
  plan.path = textOption(options, "path");
  plan.frames = optionalCount(options, "frames");
  plan.keepFreeBytes = countOption(options, "keepFreeBytes");
  plan.segmentBytes = optionalCount(options, "segmentBytes");
  plan.writeBytes = static_cast<size_t>(optionalCount(options, "writeBytes").value_or(kWriteBytes));
  plan.buffered = options.Get("buffered").ToBoolean();
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

Napi::Value decompressBody(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    if (!info[1].IsTypedArray() || !info[2].IsTypedArray()) throw std::invalid_argument("decompressBody: a codec and two byte arrays are expected");
    const BodyCodec codec = codecNamed(textArgument(info, 0));
    const auto from = info[1].As<Napi::Uint8Array>();
    auto into = info[2].As<Napi::Uint8Array>();
    // Both stay where they are until `result` has run, which lets go of them on JavaScript's thread.
    struct Held {
      Napi::ObjectReference from, into;
    };
    const auto held = std::make_shared<Held>(Held{Napi::Persistent<Napi::Object>(from), Napi::Persistent<Napi::Object>(into)});
    return onThreadPool(
        info.Env(), [codec, source = from.Data(), bytes = from.ByteLength(), target = into.Data(), room = into.ByteLength()] { decompress(codec, source, bytes, target, room); },
        [held](Napi::Env env) { return env.Undefined(); });
  });
}

}  // namespace kymograph
