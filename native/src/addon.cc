#include "addon.h"

#include <algorithm>
#include <vector>

#include "background_task.h"
#include "comedi_object.h"
#include "crc32c.h"
#include "driver_device_object.h"
#include "gpio_object.h"
#include "js_values.h"
#include "plain_copy.h"
#include "plain_write.h"
#include "pty.h"
#include "pvcam.h"
#include "recording_object.h"
#include "region_series.h"
#include "ring_object.h"
#include "spi_object.h"
#include "usbtmc_object.h"

namespace kymograph {

namespace {

// The descriptors belong to the caller from here on.
Napi::Value openPseudoTerminalPair(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    PseudoTerminal terminal = openPseudoTerminal();
    auto result = Napi::Object::New(info.Env());
    result.Set("slavePath", terminal.slavePath);
    result.Set("masterFd", terminal.master.release());
    result.Set("slaveFd", terminal.slave.release());
    return result;
  });
}

Napi::Value plainWriteSeconds(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return onThreadPool<double>(
        info.Env(),
        [path = textOption(options, "path"), bytes = countOption(options, "bytes"), count = countOption(options, "count")] { return plainWrite(path, bytes, count); },
        [](Napi::Env env, double seconds) { return Napi::Number::New(env, seconds); });
  });
}

template <typename Array, typename Number>
Napi::Value regionsOf(const Napi::CallbackInfo& info, std::vector<Number> (*read)(const RegionSeries&, ReadMethod)) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    const RegionSeries series{
        textOption(options, "path"), countOption(options, "offset"), countOption(options, "step"),  countOption(options, "frames"), countOption(options, "frameWidth"),
        countOption(options, "x"),   countOption(options, "y"),      countOption(options, "width"), countOption(options, "height"),
    };
    const ReadMethod method = options.Get("mapped").ToBoolean() ? ReadMethod::kMapped : ReadMethod::kRead;
    return onThreadPool<std::vector<Number>>(
        info.Env(), [series, method, read] { return read(series, method); },
        [](Napi::Env env, const std::vector<Number>& numbers) {
          auto array = Array::New(env, numbers.size());
          std::copy(numbers.begin(), numbers.end(), array.Data());
          return array;
        });
  });
}

Napi::Value plainCopySeconds(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return onThreadPool<ThreadTimes>(
        info.Env(),
        [bytes = countOption(options, "bytes"), places = countOption(options, "places"), count = countOption(options, "count")] {
          return plainCopy(bytes, places, count);
        },
        [](Napi::Env env, const ThreadTimes& times) { return javaScriptTimes(env, times); });
  });
}

// Resolves to a Float64Array: minimum, maximum and sum of each frame.
Napi::Value regionSeriesOf(const Napi::CallbackInfo& info) { return regionsOf<Napi::Float64Array>(info, regionSeries); }

// Resolves to a Uint16Array: the pixels of each frame.
Napi::Value regionPixelsOf(const Napi::CallbackInfo& info) { return regionsOf<Napi::Uint16Array>(info, regionPixels); }

// Of a Uint8Array, after bytes whose checksum is the second argument.
Napi::Value crc32cOf(const Napi::CallbackInfo& info) {
  if (!info[0].IsTypedArray() || !info[1].IsNumber()) throw Napi::TypeError::New(info.Env(), "crc32c: bytes and the checksum before them are expected");
  const auto bytes = info[0].As<Napi::Uint8Array>();
  return Napi::Number::New(info.Env(), crc32c(info[1].As<Napi::Number>().Uint32Value(), bytes.Data(), bytes.ByteLength()));
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  auto* addon = new Addon();
  addon->ring = Napi::Persistent(RingObject::define(env));
  addon->recording = Napi::Persistent(RecordingObject::define(env));
  addon->pvcamLibrary = Napi::Persistent(PvcamLibraryObject::define(env));
  addon->pvcamCamera = Napi::Persistent(PvcamCameraObject::define(env));
  addon->spi = Napi::Persistent(SpiObject::define(env));
  addon->gpioInput = Napi::Persistent(GpioInputObject::define(env));
  addon->stepper = Napi::Persistent(StepperObject::define(env));
  addon->driverDevice = Napi::Persistent(DriverDeviceObject::define(env));
  addon->usbtmc = Napi::Persistent(UsbtmcObject::define(env));
  addon->comediDevice = Napi::Persistent(ComediDeviceObject::define(env));
  addon->comediAcquisition = Napi::Persistent(ComediAcquisitionObject::define(env));
  addon->comediPlayback = Napi::Persistent(ComediPlaybackObject::define(env));
  env.SetInstanceData(addon);  // deleted with the environment
  exports.Set("openPseudoTerminal", Napi::Function::New(env, openPseudoTerminalPair));
  exports.Set("createRing", Napi::Function::New(env, createRing));
  exports.Set("mapRing", Napi::Function::New(env, mapRing));
  exports.Set("crc32c", Napi::Function::New(env, crc32cOf));
  exports.Set("regionSeries", Napi::Function::New(env, regionSeriesOf));
  exports.Set("plainCopy", Napi::Function::New(env, plainCopySeconds));
  exports.Set("regionPixels", Napi::Function::New(env, regionPixelsOf));
  exports.Set("decompressBody", Napi::Function::New(env, decompressBody));
  exports.Set("plainWrite", Napi::Function::New(env, plainWriteSeconds));
  exports.Set("loadPvcam", Napi::Function::New(env, loadPvcam));
  exports.Set("decodePvcamFrame", Napi::Function::New(env, decodePvcamFrame));
  exports.Set("openSpi", Napi::Function::New(env, openSpi));
  exports.Set("openGpioInput", Napi::Function::New(env, openGpioInput));
  exports.Set("openStepper", Napi::Function::New(env, openStepper));
  exports.Set("openDriverDevice", Napi::Function::New(env, openDriverDevice));
  exports.Set("openUsbtmc", Napi::Function::New(env, openUsbtmc));
  exports.Set("openComedi", Napi::Function::New(env, openComedi));
  return exports;
}

}  // namespace

}  // namespace kymograph

// The macro makes an extern "C" function of a global name.
static Napi::Object initialiseAddon(Napi::Env env, Napi::Object exports) { return kymograph::initialise(env, exports); }

NODE_API_MODULE(kymograph, initialiseAddon)
