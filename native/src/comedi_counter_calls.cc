// The counters of a board, as JavaScript calls them.
#include "comedi_calls.h"
#include "comedi_counter.h"
#include "comedi_object.h"

namespace kymograph {

Napi::Value ComediDeviceObject::startCounter(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    ComediCounting counting;
    counting.falling = flag(options, "falling");
    counting.slow = flag(options, "slow");
    if (const auto pin = optionalCount(options, "pin")) counting.pin = static_cast<unsigned>(std::min<uint64_t>(*pin, UINT32_MAX));
    if (const auto pin = optionalCount(options, "gatePin")) counting.gatePin = static_cast<unsigned>(std::min<uint64_t>(*pin, UINT32_MAX));
    return lane().call(
        info.Env(), [device = device(), subdevice = small(options, "subdevice"), counting] { ComediCounter(*device, subdevice).start(counting); }, undefined);
  });
}

Napi::Value ComediDeviceObject::startPulses(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return lane().call(
        info.Env(),
        [device = device(), subdevice = small(options, "subdevice"), low = small(options, "lowTicks"), high = small(options, "highTicks")] {
          ComediCounter(*device, subdevice).startPulses(low, high);
        },
        undefined);
  });
}

Napi::Value ComediDeviceObject::stopCounter(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return lane().call(
        info.Env(), [device = device(), subdevice = small(objectArgument(info, 0), "subdevice")] { ComediCounter(*device, subdevice).stop(); }, undefined);
  });
}

Napi::Value ComediDeviceObject::counterRuns(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return onLane<bool>(
        info.Env(), lane(), [device = device(), subdevice = small(objectArgument(info, 0), "subdevice")] { return ComediCounter(*device, subdevice).runs(); }, boolean);
  });
}

Napi::Value ComediDeviceObject::resetCounter(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return lane().call(
        info.Env(), [device = device(), subdevice = small(objectArgument(info, 0), "subdevice")] { ComediCounter(*device, subdevice).reset(); }, undefined);
  });
}

Napi::Value ComediDeviceObject::outputFrequency(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return lane().call(
        info.Env(),
        [device = device(), subdevice = small(options, "subdevice"), slow = flag(options, "slow"), divider = small(options, "divider")] {
          ComediCounter(*device, subdevice).outputFrequency(slow, divider);
        },
        undefined);
  });
}

}  // namespace kymograph
