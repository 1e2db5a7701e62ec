// Waveforms at the outputs of a board, as JavaScript calls them.
#include "addon.h"
#include "comedi_calls.h"
#include "comedi_object.h"

namespace kymograph {

namespace {

std::vector<uint32_t> samplesOption(const Napi::Object& options) {
  const Napi::Value value = options.Get("samples");
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint32_array) throw Napi::TypeError::New(options.Env(), "samples: a Uint32Array is expected");
  const auto samples = value.As<Napi::Uint32Array>();
  return {samples.Data(), samples.Data() + samples.ElementLength()};
}

ComediWaveform waveformOf(const Napi::Object& options) {
  const unsigned subdevice = small(options, "subdevice");
  return {subdevice, channelsOption(options, subdevice), countOption(options, "scanIntervalNs"), samplesOption(options), optionalCount(options, "repeats")};
}

}  // namespace

Napi::Value ComediDeviceObject::play(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return onLane<std::shared_ptr<ComediPlayback>>(
        info.Env(), lane(), [device = device(), waveform = waveformOf(objectArgument(info, 0))] { return beginTransfer<ComediPlayback>(device, waveform); },
        [](Napi::Env env, std::shared_ptr<ComediPlayback>& playback) {
          return Addon::of(env).comediPlayback.New({Napi::External<std::shared_ptr<ComediPlayback>>::New(env, &playback)});
        });
  });
}

Napi::Function ComediPlaybackObject::define(Napi::Env env) {
  return DefineClass(env, "ComediPlayback",
                     {
                         InstanceAccessor<&ComediPlaybackObject::scanIntervalNs>("scanIntervalNs"),
                         InstanceMethod<&ComediPlaybackObject::waitForEnd>("waitForEnd"),
                         InstanceMethod<&ComediPlaybackObject::stop>("stop"),
                     });
}

ComediPlaybackObject::ComediPlaybackObject(const Napi::CallbackInfo& info)
    : ObjectWrap(info), playback_(*info[0].As<Napi::External<std::shared_ptr<ComediPlayback>>>().Data()) {}

Napi::Value ComediPlaybackObject::scanIntervalNs(const Napi::CallbackInfo& info) { return number(info.Env(), playback_->scanIntervalNs()); }

Napi::Value ComediPlaybackObject::waitForEnd(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return CallLane(info.Env(), "comedi waveform").call(info.Env(), [playback = playback_] { playback->waitForEnd(); }, undefined); });
}

Napi::Value ComediPlaybackObject::stop(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return CallLane(info.Env(), "comedi stop").call(info.Env(), [playback = playback_] { playback->stop(); }, undefined); });
}

}  // namespace kymograph
