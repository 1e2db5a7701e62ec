#include "comedi_object.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "addon.h"
#include "comedi_calls.h"
#include "js_values.h"
#include "ring_object.h"

namespace kymograph {

namespace {

// undefined without any.
Napi::Value samples(Napi::Env env, const std::vector<uint8_t>& bytes, bool wide) {
  if (bytes.empty()) return env.Undefined();
  auto memory = Napi::ArrayBuffer::New(env, bytes.size());
  std::memcpy(memory.Data(), bytes.data(), bytes.size());
  if (wide) return Napi::Uint32Array::New(env, bytes.size() / sizeof(uint32_t), memory, 0);
  return Napi::Uint16Array::New(env, bytes.size() / sizeof(uint16_t), memory, 0);
}

Napi::Object describeSubdevice(Napi::Env env, const ComediSubdevice& subdevice) {
  auto result = Napi::Object::New(env);
  result.Set("type", subdevice.type);
  result.Set("flags", subdevice.flags);
  result.Set("channels", subdevice.channels);
  result.Set("maxdata", subdevice.maxdata);
  auto ranges = Napi::Array::New(env);
  for (const comedi::Range& range : subdevice.ranges) {
    auto each = Napi::Object::New(env);
    each.Set("minimum", range.minimum);
    each.Set("maximum", range.maximum);
    each.Set("unit", range.unit);
    ranges.Set(ranges.Length(), each);
  }
  result.Set("ranges", ranges);
  return result;
}

std::optional<ComediTrigger> triggerOf(const Napi::Object& options) {
  const Napi::Value start = options.Get("start");
  if (start.IsUndefined()) return std::nullopt;
  if (!start.IsObject()) throw Napi::TypeError::New(options.Env(), "start: an object is expected");
  return ComediTrigger{small(start.As<Napi::Object>(), "pin"), flag(start.As<Napi::Object>(), "falling")};
}

std::vector<size_t> offsetsOption(const Napi::Object& options, const char* name) {
  const Napi::Value value = options.Get(name);
  if (!value.IsArray()) throw Napi::TypeError::New(options.Env(), std::string(name) + ": a list is expected");
  const auto list = value.As<Napi::Array>();
  std::vector<size_t> offsets;
  for (uint32_t index = 0; index < list.Length(); ++index) {
    const Napi::Value each = list.Get(index);
    if (!each.IsNumber() || each.As<Napi::Number>().DoubleValue() < 0) throw Napi::TypeError::New(options.Env(), std::string(name) + ": whole numbers are expected");
    offsets.push_back(static_cast<size_t>(each.As<Napi::Number>().Int64Value()));
  }
  return offsets;
}

ScanTable tableOf(const Napi::Object& options) {
  return {bytesOption(options, "batchHead"),
          offsetsOption(options, "rowCountOffsets"),
          countOption(options, "columnsOffset"),
          countOption(options, "columnsBytes"),
          countOption(options, "rowsPerBatch"),
          countOption(options, "timeColumnOffset"),
          countOption(options, "numberColumnOffset"),
          offsetsOption(options, "valueColumnOffsets")};
}

ComediAcquisitionRequest requestOf(const Napi::Object& options) {
  ComediAcquisitionRequest request{small(options, "subdevice"), {}, countOption(options, "scanIntervalNs"), optionalCount(options, "scans"), triggerOf(options)};
  request.channels = channelsOption(options, request.subdevice);
  return request;
}

}  // namespace

Napi::Function ComediDeviceObject::define(Napi::Env env) {
  return DefineClass(env, "ComediDevice",
                     {
                         InstanceMethod<&ComediDeviceObject::describe>("describe"),
                         InstanceMethod<&ComediDeviceObject::read>("read"),
                         InstanceMethod<&ComediDeviceObject::write>("write"),
                         InstanceMethod<&ComediDeviceObject::configureLine>("configureLine"),
                         InstanceMethod<&ComediDeviceObject::lineIsOutput>("lineIsOutput"),
                         InstanceMethod<&ComediDeviceObject::readLine>("readLine"),
                         InstanceMethod<&ComediDeviceObject::writeLine>("writeLine"),
                         InstanceMethod<&ComediDeviceObject::bits>("bits"),
                         InstanceMethod<&ComediDeviceObject::startCounter>("startCounter"),
                         InstanceMethod<&ComediDeviceObject::startPulses>("startPulses"),
                         InstanceMethod<&ComediDeviceObject::stopCounter>("stopCounter"),
                         InstanceMethod<&ComediDeviceObject::counterRuns>("counterRuns"),
                         InstanceMethod<&ComediDeviceObject::outputFrequency>("outputFrequency"),
                         InstanceMethod<&ComediDeviceObject::resetCounter>("resetCounter"),
                         InstanceMethod<&ComediDeviceObject::check>("check"),
                         InstanceMethod<&ComediDeviceObject::acquire>("acquire"),
                         InstanceMethod<&ComediDeviceObject::play>("play"),
                         InstanceMethod<&ComediDeviceObject::close>("close"),
                     });
}

ComediDeviceObject::ComediDeviceObject(const Napi::CallbackInfo& info) : ObjectWrap(info), opened_(*info[0].As<Napi::External<Opened>>().Data()) {}

const std::shared_ptr<ComediDevice>& ComediDeviceObject::device() const {
  if (!opened_.device) throw std::logic_error("this Comedi device has been closed");
  return opened_.device;
}

CallLane& ComediDeviceObject::lane() const {
  device();
  return *opened_.lane;
}

Napi::Value ComediDeviceObject::describe(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const ComediDescription& description = device()->description();
    auto result = Napi::Object::New(info.Env());
    result.Set("driver", description.driver);
    result.Set("board", description.board);
    result.Set("version", description.version);
    auto subdevices = Napi::Array::New(info.Env());
    for (const ComediSubdevice& each : description.subdevices) subdevices.Set(subdevices.Length(), describeSubdevice(info.Env(), each));
    result.Set("subdevices", subdevices);
    return result;
  });
}

Napi::Value ComediDeviceObject::read(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return onLane<unsigned>(
        info.Env(), lane(), [device = device(), channel = channelOf(options, small(options, "subdevice"))] { return device->read(channel); }, number);
  });
}

Napi::Value ComediDeviceObject::write(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return lane().call(
        info.Env(),
        [device = device(), channel = channelOf(options, small(options, "subdevice")), value = small(options, "value")] { device->write(channel, value); }, undefined);
  });
}

Napi::Value ComediDeviceObject::configureLine(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return lane().call(
        info.Env(),
        [device = device(), subdevice = small(options, "subdevice"), line = small(options, "line"), output = flag(options, "output")] {
          device->configureLine(subdevice, line, output);
        },
        undefined);
  });
}

Napi::Value ComediDeviceObject::lineIsOutput(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return onLane<bool>(
        info.Env(), lane(),
        [device = device(), subdevice = small(options, "subdevice"), line = small(options, "line")] { return device->lineIsOutput(subdevice, line); }, boolean);
  });
}

Napi::Value ComediDeviceObject::readLine(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return onLane<bool>(
        info.Env(), lane(),
        [device = device(), subdevice = small(options, "subdevice"), line = small(options, "line")] { return device->readLine(subdevice, line); }, boolean);
  });
}

Napi::Value ComediDeviceObject::writeLine(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return lane().call(
        info.Env(),
        [device = device(), subdevice = small(options, "subdevice"), line = small(options, "line"), high = flag(options, "high")] {
          device->writeLine(subdevice, line, high);
        },
        undefined);
  });
}

Napi::Value ComediDeviceObject::bits(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return onLane<unsigned>(
        info.Env(), lane(),
        [device = device(), subdevice = small(options, "subdevice"), mask = small(options, "mask"), bits = small(options, "bits"), base = small(options, "base")] {
          return device->bits(subdevice, mask, bits, base);
        },
        number);
  });
}

Napi::Value ComediDeviceObject::check(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    return onLane<std::pair<unsigned, unsigned>>(
        info.Env(), lane(),
        [device = device(), request = requestOf(objectArgument(info, 0))] {
          const ComediCommand command(*device, request);
          return std::pair(command.scanIntervalNs(), command.convertIntervalNs());
        },
        [](Napi::Env env, const std::pair<unsigned, unsigned>& intervals) {
          auto result = Napi::Object::New(env);
          result.Set("scanIntervalNs", intervals.first);
          result.Set("convertIntervalNs", intervals.second);
          return result;
        });
  });
}

Napi::Value ComediDeviceObject::acquire(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    return onLane<std::shared_ptr<ComediAcquisition>>(
        info.Env(), lane(),
        [device = device(), request = requestOf(options), bufferScans = countOption(options, "bufferScans")] {
          return beginTransfer<ComediAcquisition>(device, request, bufferScans);
        },
        [](Napi::Env env, std::shared_ptr<ComediAcquisition>& acquisition) {
          return Addon::of(env).comediAcquisition.New({Napi::External<std::shared_ptr<ComediAcquisition>>::New(env, &acquisition)});
        });
  });
}

// After the calls that wait. The device itself is closed by whoever lets go of it last: an acquisition keeps it.
Napi::Value ComediDeviceObject::close(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    if (!opened_.device) return info.Env().Undefined();
    const auto lane = std::move(opened_.lane);
    return lane->call(
        info.Env(), [held = std::make_shared<std::shared_ptr<ComediDevice>>(std::move(opened_.device))] { held->reset(); }, undefined);
  });
}

Napi::Function ComediAcquisitionObject::define(Napi::Env env) {
  return DefineClass(env, "ComediAcquisition",
                     {
                         InstanceAccessor<&ComediAcquisitionObject::scanIntervalNs>("scanIntervalNs"),
                         InstanceAccessor<&ComediAcquisitionObject::convertIntervalNs>("convertIntervalNs"),
                         InstanceMethod<&ComediAcquisitionObject::take>("take"),
                         InstanceMethod<&ComediAcquisitionObject::makeRing>("makeRing"),
                         InstanceMethod<&ComediAcquisitionObject::pour>("pour"),
                         InstanceAccessor<&ComediAcquisitionObject::lastScans>("lastScans"),
                         InstanceMethod<&ComediAcquisitionObject::latest>("latest"),
                         InstanceMethod<&ComediAcquisitionObject::abandon>("abandon"),
                         InstanceMethod<&ComediAcquisitionObject::stop>("stop"),
                     });
}

ComediAcquisitionObject::ComediAcquisitionObject(const Napi::CallbackInfo& info)
    : ObjectWrap(info), acquisition_(*info[0].As<Napi::External<std::shared_ptr<ComediAcquisition>>>().Data()) {}

Napi::Value ComediAcquisitionObject::scanIntervalNs(const Napi::CallbackInfo& info) { return number(info.Env(), acquisition_->scanIntervalNs()); }

Napi::Value ComediAcquisitionObject::convertIntervalNs(const Napi::CallbackInfo& info) { return number(info.Env(), acquisition_->convertIntervalNs()); }

Napi::Value ComediAcquisitionObject::take(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    CallLane lane(info.Env(), "comedi samples");
    return onLane<std::vector<uint8_t>>(
        info.Env(), lane, [acquisition = acquisition_, most = countOption(objectArgument(info, 0), "maximumScans")] { return acquisition->take(most); },
        [wide = acquisition_->sampleBytes() == sizeof(uint32_t)](Napi::Env env, const std::vector<uint8_t>& bytes) { return samples(env, bytes, wide); });
  });
}

Napi::Value ComediAcquisitionObject::makeRing(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const Napi::Object options = objectArgument(info, 0);
    if (table_.rowsPerBatch > 0) throw std::logic_error("this acquisition is recorded already");
    ScanTable table = tableOf(options);
    ring_ = acquisition_->makeRing(textOption(options, "ringPath"), table, countOption(options, "ringSlots"));
    table_ = std::move(table);
    return RingObject::wrap(info.Env(), ring_);
  });
}

Napi::Value ComediAcquisitionObject::pour(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    if (!ring_) throw std::logic_error("this acquisition has no ring");
    return CallLane(info.Env(), "comedi samples").call(  // the ring is let go of with the call: JavaScript may keep the acquisition long after it
        info.Env(), [acquisition = acquisition_, ring = std::move(ring_), table = table_] { acquisition->pour(*ring, table); }, undefined);
  });
}

Napi::Value ComediAcquisitionObject::lastScans(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(acquisition_->lastScans()));
}

Napi::Value ComediAcquisitionObject::latest(const Napi::CallbackInfo& info) {
  return samples(info.Env(), acquisition_->latest(), acquisition_->sampleBytes() == sizeof(uint32_t));
}

Napi::Value ComediAcquisitionObject::abandon(const Napi::CallbackInfo& info) {
  acquisition_->abandon();
  return info.Env().Undefined();
}

Napi::Value ComediAcquisitionObject::stop(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return CallLane(info.Env(), "comedi stop").call(info.Env(), [acquisition = acquisition_] { acquisition->stop(); }, undefined); });
}

Napi::Value openComedi(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    const auto lane = std::make_shared<CallLane>(env, "comedi");
    return onLane<ComediDeviceObject::Opened>(
        env, *lane,
        [lane, library = textArgument(info, 0), path = textArgument(info, 1)] {
          return ComediDeviceObject::Opened{lane, std::make_shared<ComediDevice>(ComediLibrary::load(library), path)};
        },
        [](Napi::Env settled, ComediDeviceObject::Opened& opened) {
          return Addon::of(settled).comediDevice.New({Napi::External<ComediDeviceObject::Opened>::New(settled, &opened)});
        });
  });
}

}  // namespace kymograph
