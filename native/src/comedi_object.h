#pragma once

#include <napi.h>

#include <memory>

#include "call_lane.h"
#include "comedi_acquisition.h"
#include "comedi_device.h"
#include "comedi_playback.h"

namespace kymograph {

// A board as JavaScript sees it. Its calls are made one after the other on a thread of its own; each is a promise.
class ComediDeviceObject : public Napi::ObjectWrap<ComediDeviceObject> {
 public:
  struct Opened {
    std::shared_ptr<CallLane> lane;
    std::shared_ptr<ComediDevice> device;
  };
  static Napi::Function define(Napi::Env env);
  explicit ComediDeviceObject(const Napi::CallbackInfo& info);

 private:
  const std::shared_ptr<ComediDevice>& device() const;
  CallLane& lane() const;
  Napi::Value describe(const Napi::CallbackInfo& info);
  Napi::Value read(const Napi::CallbackInfo& info);
  Napi::Value write(const Napi::CallbackInfo& info);
  Napi::Value configureLine(const Napi::CallbackInfo& info);
  Napi::Value lineIsOutput(const Napi::CallbackInfo& info);
  Napi::Value readLine(const Napi::CallbackInfo& info);
  Napi::Value writeLine(const Napi::CallbackInfo& info);
  Napi::Value bits(const Napi::CallbackInfo& info);
  Napi::Value startCounter(const Napi::CallbackInfo& info);
  Napi::Value startPulses(const Napi::CallbackInfo& info);
  Napi::Value stopCounter(const Napi::CallbackInfo& info);
  Napi::Value counterRuns(const Napi::CallbackInfo& info);
  Napi::Value outputFrequency(const Napi::CallbackInfo& info);
  Napi::Value resetCounter(const Napi::CallbackInfo& info);
  Napi::Value check(const Napi::CallbackInfo& info);
  Napi::Value acquire(const Napi::CallbackInfo& info);
  Napi::Value play(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  Opened opened_;
};

// Its calls may wait for long, for samples or for the board: each has a thread of its own, which goes when it is answered.
class ComediAcquisitionObject : public Napi::ObjectWrap<ComediAcquisitionObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ComediAcquisitionObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value scanIntervalNs(const Napi::CallbackInfo& info);
  Napi::Value convertIntervalNs(const Napi::CallbackInfo& info);
  Napi::Value take(const Napi::CallbackInfo& info);
  Napi::Value makeRing(const Napi::CallbackInfo& info);
  Napi::Value pour(const Napi::CallbackInfo& info);
  Napi::Value lastScans(const Napi::CallbackInfo& info);
  Napi::Value latest(const Napi::CallbackInfo& info);
  Napi::Value abandon(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);

  std::shared_ptr<ComediAcquisition> acquisition_;
  std::shared_ptr<Ring> ring_;  // to be poured into
  ScanTable table_{};
};

// As above.
class ComediPlaybackObject : public Napi::ObjectWrap<ComediPlaybackObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ComediPlaybackObject(const Napi::CallbackInfo& info);

 private:
  Napi::Value scanIntervalNs(const Napi::CallbackInfo& info);
  Napi::Value waitForEnd(const Napi::CallbackInfo& info);
  Napi::Value stop(const Napi::CallbackInfo& info);

  std::shared_ptr<ComediPlayback> playback_;
};

// openComedi(libraryPath, devicePath): a promise.
Napi::Value openComedi(const Napi::CallbackInfo& info);

}  // namespace kymograph
