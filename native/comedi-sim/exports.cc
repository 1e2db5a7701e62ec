// A libcomedi without a board: the same C functions, looked up the same way, so that the loader and the driver are the ones for the real library. Its one board,
// /dev/comedi0, is board.h's; what stands around it is bench.h's; a copy of it can be told faults by files beside it: ../simulated/faults.h, where an error's code
// is an errno.
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>

#include "faults.h"
#include "machine.h"

namespace {

using namespace comedi_sim;

constexpr const char* kPath = "/dev/comedi0";
constexpr int kVersion = 0x000b00;  // 0.11.0
constexpr unsigned kGarbage = 0xdeadbeef;

bool hasLines(unsigned subdevice) { return subdevice == kDigital || subdevice == kPfi; }
bool isCounter(unsigned subdevice) { return subdevice == kCounter0 || subdevice == kCounter1; }
unsigned counterOf(unsigned subdevice) { return subdevice - kCounter0; }

// A digital line that is driven reaches what it is wired to.
void drive(unsigned subdevice, unsigned mask, unsigned bits) {
  Machine& all = machine();
  const std::lock_guard guard(all.mutex);
  Engine& engine = *all.engine;
  for (const Edge& edge : all.board.drive(subdevice, mask, bits))
    if (engine.acquisition.edge(edge.pin, edge.rising, engine.clock.nowNs())) engine.clock.wake(engine.acquisition.pace());
}

bool busy(unsigned subdevice) {
  const Machine& all = machine();
  if (!all.engine) return false;
  return (subdevice == kAnalogIn && all.engine->acquisition.busy()) || (subdevice == kAnalogOut && all.engine->playback.busy());
}

bool running(unsigned subdevice) {
  const Machine& all = machine();
  if (!all.engine) return false;
  return (subdevice == kAnalogIn && all.engine->acquisition.running()) || (subdevice == kAnalogOut && all.engine->playback.running());
}

}  // namespace

EXPORT comedi::Device* comedi_open(const char* path) {
  if (simulated::unplugged() || std::string(path) != kPath) {
    fail(simulated::unplugged() ? ENODEV : ENOENT);
    return nullptr;
  }
  Machine& all = machine();
  if (all.opened.empty()) all.engine = std::make_unique<Engine>(all.mutex, all.board);
  auto* device = reinterpret_cast<comedi::Device*>(new char);
  all.opened.insert(device);
  return device;
}

EXPORT int comedi_cancel(comedi::Device* device, unsigned subdevice);

EXPORT int comedi_close(comedi::Device* device) {
  Machine& all = machine();
  if (all.opened.erase(device) == 0) return fail(ENODEV);
  comedi_cancel(device, kAnalogIn);  // another's is not
  comedi_cancel(device, kAnalogOut);
  if (all.opened.empty()) all.engine.reset();
  delete reinterpret_cast<char*>(device);
  return 0;
}

EXPORT int comedi_errno() { return lastError(); }

EXPORT const char* comedi_strerror(int code) {
  if (code == kNoError) return "No error";
  if (code == kBadSubdevice) return "Invalid subdevice";
  if (code == kBadChannel) return "Invalid channel";
  return std::strerror(code);
}

EXPORT const char* comedi_get_driver_name(comedi::Device*) { return "ni_pcimio"; }
EXPORT const char* comedi_get_board_name(comedi::Device*) { return "pci-mio-16xe-10"; }
EXPORT int comedi_get_version_code(comedi::Device*) { return kVersion; }
EXPORT int comedi_get_n_subdevices(comedi::Device*) { return kSubdevices; }

EXPORT int comedi_get_subdevice_type(comedi::Device*, unsigned subdevice) {
  return subdevice < kSubdevices ? subdevices()[subdevice].type : fail(kBadSubdevice);
}

EXPORT int comedi_get_subdevice_flags(comedi::Device*, unsigned subdevice) {
  if (subdevice >= kSubdevices) return fail(kBadSubdevice);
  if (simulated::unplugged()) return fail(ENODEV);
  const std::lock_guard guard(machine().mutex);
  return static_cast<int>(subdevices()[subdevice].flags | (busy(subdevice) ? comedi::kBusy : 0U) | (running(subdevice) ? comedi::kRunning : 0U));
}

EXPORT int comedi_get_n_channels(comedi::Device*, unsigned subdevice) {
  return subdevice < kSubdevices ? static_cast<int>(subdevices()[subdevice].channels) : fail(kBadSubdevice);
}

EXPORT unsigned comedi_get_maxdata(comedi::Device*, unsigned subdevice, unsigned) { return subdevice < kSubdevices ? subdevices()[subdevice].maxdata : 0; }

EXPORT int comedi_get_n_ranges(comedi::Device*, unsigned subdevice, unsigned) {
  return subdevice < kSubdevices ? static_cast<int>(subdevices()[subdevice].ranges.size()) : fail(kBadSubdevice);
}

EXPORT comedi::Range* comedi_get_range(comedi::Device*, unsigned subdevice, unsigned, unsigned range) {
  if (subdevice < kSubdevices && range < subdevices()[subdevice].ranges.size()) return &subdevices()[subdevice].ranges[range];
  fail(EINVAL);
  return nullptr;
}

EXPORT int comedi_data_read(comedi::Device* device, unsigned subdevice, unsigned channel, unsigned range, unsigned reference, unsigned* value) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, channel, garbage); code != 0) return fail(code);
  const std::lock_guard guard(machine().mutex);
  if (busy(subdevice)) return fail(EBUSY);
  Board& board = machine().board;
  if (subdevice == kAnalogIn || subdevice == kAnalogOut) {
    if (badAnalog(subdevice, range, reference)) return fail(EINVAL);
    *value = subdevice == kAnalogIn ? board.analogIn(channel, range, reference) : board.analogOut(channel);
  } else if (isCounter(subdevice)) {
    *value = board.counter(counterOf(subdevice)).read(channel);
  } else if (subdevice == kFrequency) {
    *value = board.frequencyDivider();
  } else if (hasLines(subdevice)) {
    *value = board.levels(subdevice) >> channel & 1;
  } else {
    return fail(EIO);
  }
  if (garbage) *value = kGarbage;
  return 1;
}

EXPORT int comedi_data_write(comedi::Device* device, unsigned subdevice, unsigned channel, unsigned range, unsigned reference, unsigned value) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, channel, garbage); code != 0) return fail(code);
  if (value > subdevices()[subdevice].maxdata) return fail(EINVAL);
  const std::lock_guard guard(machine().mutex);
  if (busy(subdevice)) return fail(EBUSY);
  if (subdevice == kAnalogOut) {
    if (badAnalog(subdevice, range, reference)) return fail(EINVAL);
    machine().board.writeAnalogOut(channel, range, value);
  } else if (isCounter(subdevice)) {
    machine().board.counter(counterOf(subdevice)).load(channel, value);
  } else if (subdevice == kFrequency) {
    machine().board.writeFrequency(value);
  } else {
    return fail(EIO);
  }
  return 1;
}

EXPORT int comedi_dio_config(comedi::Device* device, unsigned subdevice, unsigned channel, unsigned direction) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, channel, garbage); code != 0) return fail(code);
  if (!hasLines(subdevice) || direction > comedi::kOutput) return fail(EINVAL);
  {
    const std::lock_guard guard(machine().mutex);
    machine().board.configure(subdevice, channel, direction == comedi::kOutput);
  }
  drive(subdevice, 0, 0);
  return 1;
}

EXPORT int comedi_dio_get_config(comedi::Device* device, unsigned subdevice, unsigned channel, unsigned* direction) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, channel, garbage); code != 0) return fail(code);
  if (!hasLines(subdevice)) return fail(EINVAL);
  const std::lock_guard guard(machine().mutex);
  *direction = garbage ? kGarbage : machine().board.isOutput(subdevice, channel) ? comedi::kOutput : comedi::kInput;
  return 0;
}

EXPORT int comedi_dio_read(comedi::Device* device, unsigned subdevice, unsigned channel, unsigned* bit) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, channel, garbage); code != 0) return fail(code);
  if (!hasLines(subdevice)) return fail(EINVAL);
  const std::lock_guard guard(machine().mutex);
  *bit = garbage ? kGarbage : machine().board.levels(subdevice) >> channel & 1;
  return 1;
}

EXPORT int comedi_dio_write(comedi::Device* device, unsigned subdevice, unsigned channel, unsigned bit) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, channel, garbage); code != 0) return fail(code);
  if (!hasLines(subdevice)) return fail(EINVAL);
  drive(subdevice, 1U << channel, (bit & 1) << channel);
  return 1;
}

EXPORT int comedi_dio_bitfield2(comedi::Device* device, unsigned subdevice, unsigned mask, unsigned* bits, unsigned base) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, base, garbage); code != 0) return fail(code);
  if (!hasLines(subdevice)) return fail(EINVAL);
  drive(subdevice, mask << base, *bits << base);
  const std::lock_guard guard(machine().mutex);
  *bits = machine().board.levels(subdevice) >> base;
  return 0;
}

EXPORT int comedi_reset(comedi::Device* device, unsigned subdevice) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, 0, garbage); code != 0) return fail(code);
  if (!isCounter(subdevice)) return fail(EINVAL);
  const std::lock_guard guard(machine().mutex);
  machine().board.counter(counterOf(subdevice)).reset();
  return 0;
}

EXPORT int comedi_set_counter_mode(comedi::Device* device, unsigned subdevice, unsigned channel, unsigned mode) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, channel, garbage); code != 0) return fail(code);
  if (!isCounter(subdevice) || channel != 0) return fail(EINVAL);
  const std::lock_guard guard(machine().mutex);
  machine().board.counter(counterOf(subdevice)).setMode(mode);
  return 0;
}

// Of a counter: its time bases, and the pins; of the frequency output, its two.
EXPORT int comedi_set_clock_source(comedi::Device* device, unsigned subdevice, unsigned channel, unsigned clock, unsigned) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, channel, garbage); code != 0) return fail(code);
  const unsigned source = clock & ~comedi::kInvert;
  const bool even = source == comedi::kTimebase1 || source == comedi::kTimebase2;
  const bool pin = source >= comedi::pinClock(0) && source < comedi::pinClock(comedi::kPins);
  const std::lock_guard guard(machine().mutex);
  if (subdevice == kFrequency && clock <= comedi::kOutputTimebase2) machine().board.setFrequencyClock(clock);
  else if (isCounter(subdevice) && (even || pin)) machine().board.counter(counterOf(subdevice)).setClock(clock);
  else return fail(EINVAL);
  return 0;
}

EXPORT int comedi_set_gate_source(comedi::Device* device, unsigned subdevice, unsigned channel, unsigned gate, unsigned source) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, channel, garbage); code != 0) return fail(code);
  const bool disabled = (source & comedi::kGateDisabled) != 0;
  const bool pin = source >= comedi::pinGate(0) && source < comedi::pinGate(comedi::kPins);
  if (!isCounter(subdevice) || gate != 0 || (!disabled && !pin)) return fail(EINVAL);
  const std::lock_guard guard(machine().mutex);
  machine().board.counter(counterOf(subdevice)).setGate(source);
  return 0;
}

// Only what the library has no function of its own for in every version.
EXPORT int comedi_do_insn(comedi::Device* device, comedi::Instruction* instruction) {
  bool garbage = false;
  if (const int code = obstacle(device, instruction->subdevice, 0, garbage); code != 0) return fail(code);
  if (!isCounter(instruction->subdevice) || instruction->what != comedi::kConfigure || instruction->count == 0) return fail(EINVAL);
  const std::lock_guard guard(machine().mutex);
  Counter& counter = machine().board.counter(counterOf(instruction->subdevice));
  if (instruction->data[0] == comedi::kDisarm) {
    counter.disarm();
  } else if (instruction->data[0] == comedi::kCounterStatus && instruction->count == 3) {
    instruction->data[1] = counter.armed() ? comedi::kCounterArmed : 0;
    instruction->data[2] = comedi::kCounterArmed;
  } else {
    return fail(EINVAL);
  }
  return static_cast<int>(instruction->count);
}

EXPORT int comedi_arm(comedi::Device* device, unsigned subdevice, unsigned source) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, 0, garbage); code != 0) return fail(code);
  if (!isCounter(subdevice) || source != comedi::kArmImmediately) return fail(EINVAL);
  const std::lock_guard guard(machine().mutex);
  machine().board.counter(counterOf(subdevice)).arm();
  return 0;
}
