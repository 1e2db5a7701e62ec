// A libcomedi without a board: the same C functions, looked up the same way, so that the loader and the driver are the ones for the real library. Its one board,
// /dev/comedi0, is board.h's; what stands around it is bench.h's; a copy of it can be told faults by files beside it: ../simulated/faults.h, where an error's code
// is an errno.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "acquisition.h"
#include "board.h"
#include "faults.h"

namespace {

namespace comedi = kymograph::comedi;
using comedi_sim::Acquisition;
using comedi_sim::Board;
using comedi_sim::subdevices;

constexpr const char* kPath = "/dev/comedi0";
constexpr int kVersion = 0x000b00;  // 0.11.0
constexpr unsigned kReferences = 4;
constexpr unsigned kGarbage = 0xdeadbeef;
enum OwnError { kNoError = 0x1000, kBadSubdevice = 0x1002, kBadChannel = 0x1003 };

int lastError = kNoError;  // one for all threads, as the library's

// Never destroyed: callers may go on while the process ends.
struct Machine {
  std::mutex mutex;  // guards the board
  Board board;
  std::unique_ptr<Acquisition> acquisition;
  comedi::Device* owner = nullptr;  // of the acquisition under way
  std::set<comedi::Device*> opened;
};

Machine& machine() {
  static auto& instance = *new Machine();
  return instance;
}

int fail(int code) {
  lastError = code;
  return -1;
}

// Before a call does anything: 0, or the error it ends with.
int obstacle(comedi::Device* device, unsigned subdevice, unsigned channel, bool& garbage) {
  if (simulated::unplugged()) return ENODEV;
  if (machine().opened.count(device) == 0) return ENODEV;
  if (subdevice >= comedi_sim::kSubdevices || subdevices()[subdevice].type == comedi::kUnused) return kBadSubdevice;
  if (channel >= subdevices()[subdevice].channels) return kBadChannel;
  const simulated::Suffered suffered = simulated::suffer();
  garbage = suffered.garbage;
  return suffered.unanswered ? ETIMEDOUT : suffered.code;
}

bool badAnalog(unsigned subdevice, unsigned range, unsigned reference) { return range >= subdevices()[subdevice].ranges.size() || reference >= kReferences; }

bool hasLines(unsigned subdevice) { return subdevice == comedi_sim::kDigital || subdevice == comedi_sim::kPfi; }
bool isCounter(unsigned subdevice) { return subdevice == comedi_sim::kCounter0 || subdevice == comedi_sim::kCounter1; }
unsigned counterOf(unsigned subdevice) { return subdevice - comedi_sim::kCounter0; }

// A digital line that is driven reaches what it is wired to.
void drive(unsigned subdevice, unsigned mask, unsigned bits) {
  Machine& all = machine();
  std::vector<comedi_sim::Edge> edges;
  {
    const std::lock_guard guard(all.mutex);
    edges = all.board.drive(subdevice, mask, bits);
  }
  for (const comedi_sim::Edge& edge : edges) all.acquisition->edge(edge.pin, edge.rising);
}

uint16_t convert(unsigned word) {
  const std::lock_guard guard(machine().mutex);
  return static_cast<uint16_t>(machine().board.analogIn(word & 0xffff, word >> 16 & 0xff, word >> 24 & 0x3));
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT comedi::Device* comedi_open(const char* path) {
  if (simulated::unplugged() || std::string(path) != kPath) {
    lastError = simulated::unplugged() ? ENODEV : ENOENT;
    return nullptr;
  }
  Machine& all = machine();
  if (all.opened.empty()) all.acquisition = std::make_unique<Acquisition>(convert);
  auto* device = reinterpret_cast<comedi::Device*>(new char);
  all.opened.insert(device);
  return device;
}

EXPORT int comedi_close(comedi::Device* device) {
  Machine& all = machine();
  if (all.opened.erase(device) == 0) return fail(ENODEV);
  if (all.owner == device) all.acquisition->cancel();
  if (all.owner == device) all.owner = nullptr;
  if (all.opened.empty()) all.acquisition.reset();
  delete reinterpret_cast<char*>(device);
  return 0;
}

EXPORT int comedi_fileno(comedi::Device* device) { return machine().opened.count(device) == 0 ? fail(ENODEV) : machine().acquisition->descriptor(); }
EXPORT int comedi_errno() { return lastError; }

EXPORT const char* comedi_strerror(int code) {
  if (code == kNoError) return "No error";
  if (code == kBadSubdevice) return "Invalid subdevice";
  if (code == kBadChannel) return "Invalid channel";
  return std::strerror(code);
}

EXPORT const char* comedi_get_driver_name(comedi::Device*) { return "ni_pcimio"; }
EXPORT const char* comedi_get_board_name(comedi::Device*) { return "pci-mio-16xe-10"; }
EXPORT int comedi_get_version_code(comedi::Device*) { return kVersion; }
EXPORT int comedi_get_n_subdevices(comedi::Device*) { return comedi_sim::kSubdevices; }

EXPORT int comedi_get_subdevice_type(comedi::Device*, unsigned subdevice) {
  return subdevice < comedi_sim::kSubdevices ? subdevices()[subdevice].type : fail(kBadSubdevice);
}

EXPORT int comedi_get_subdevice_flags(comedi::Device*, unsigned subdevice) {
  if (subdevice >= comedi_sim::kSubdevices) return fail(kBadSubdevice);
  const bool busy = subdevice == comedi_sim::kAnalogIn && machine().acquisition && machine().acquisition->busy();
  return static_cast<int>(subdevices()[subdevice].flags | (busy ? comedi::kBusy : 0U));
}

EXPORT int comedi_get_n_channels(comedi::Device*, unsigned subdevice) {
  return subdevice < comedi_sim::kSubdevices ? static_cast<int>(subdevices()[subdevice].channels) : fail(kBadSubdevice);
}

EXPORT unsigned comedi_get_maxdata(comedi::Device*, unsigned subdevice, unsigned) { return subdevice < comedi_sim::kSubdevices ? subdevices()[subdevice].maxdata : 0; }

EXPORT int comedi_get_n_ranges(comedi::Device*, unsigned subdevice, unsigned) {
  return subdevice < comedi_sim::kSubdevices ? static_cast<int>(subdevices()[subdevice].ranges.size()) : fail(kBadSubdevice);
}

EXPORT comedi::Range* comedi_get_range(comedi::Device*, unsigned subdevice, unsigned, unsigned range) {
  if (subdevice < comedi_sim::kSubdevices && range < subdevices()[subdevice].ranges.size()) return &subdevices()[subdevice].ranges[range];
  lastError = EINVAL;
  return nullptr;
}

EXPORT int comedi_data_read(comedi::Device* device, unsigned subdevice, unsigned channel, unsigned range, unsigned reference, unsigned* value) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, channel, garbage); code != 0) return fail(code);
  if (subdevice == comedi_sim::kAnalogIn && machine().acquisition->busy()) return fail(EBUSY);
  const std::lock_guard guard(machine().mutex);
  Board& board = machine().board;
  if (subdevice == comedi_sim::kAnalogIn || subdevice == comedi_sim::kAnalogOut) {
    if (badAnalog(subdevice, range, reference)) return fail(EINVAL);
    *value = subdevice == comedi_sim::kAnalogIn ? board.analogIn(channel, range, reference) : board.analogOut(channel);
  } else if (isCounter(subdevice)) {
    *value = board.counter(counterOf(subdevice)).read(channel);
  } else if (subdevice == comedi_sim::kFrequency) {
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
  if (subdevice == comedi_sim::kAnalogOut) {
    if (badAnalog(subdevice, range, reference)) return fail(EINVAL);
    machine().board.writeAnalogOut(channel, range, value);
  } else if (isCounter(subdevice)) {
    machine().board.counter(counterOf(subdevice)).load(channel, value);
  } else if (subdevice == comedi_sim::kFrequency) {
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
  if (subdevice == comedi_sim::kFrequency && clock <= comedi::kOutputTimebase2) machine().board.setFrequencyClock(clock);
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
  comedi_sim::Counter& counter = machine().board.counter(counterOf(instruction->subdevice));
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

EXPORT int comedi_command_test(comedi::Device* device, comedi::Command* command) {
  bool garbage = false;
  if (const int code = obstacle(device, command->subdevice, 0, garbage); code != 0) return fail(code);
  return command->subdevice == comedi_sim::kAnalogIn ? comedi_sim::testCommand(*command) : fail(EIO);
}

EXPORT int comedi_command(comedi::Device* device, comedi::Command* command) {
  bool garbage = false;
  if (const int code = obstacle(device, command->subdevice, 0, garbage); code != 0) return fail(code);
  if (command->subdevice != comedi_sim::kAnalogIn || comedi_sim::testCommand(*command) != 0) return fail(EINVAL);
  for (unsigned at = 0; at < command->channelCount; ++at) {
    const unsigned word = command->channels[at];
    if ((word & 0xffff) >= subdevices()[comedi_sim::kAnalogIn].channels || badAnalog(comedi_sim::kAnalogIn, word >> 16 & 0xff, word >> 24)) return fail(EINVAL);
  }
  if (!machine().acquisition->start(*command)) return fail(EBUSY);
  machine().owner = device;
  return 0;
}

EXPORT int comedi_cancel(comedi::Device* device, unsigned subdevice) {
  if (subdevice != comedi_sim::kAnalogIn) return fail(EINVAL);
  if (machine().owner == nullptr) return 0;
  if (machine().owner != device) return fail(EBUSY);
  machine().acquisition->cancel();
  machine().owner = nullptr;
  return 0;
}

// Of the kernel, where there is one: see comedi_api.h.
EXPORT ssize_t read(int descriptor, void* bytes, size_t count) {
  Acquisition* acquisition = machine().acquisition.get();
  if (acquisition == nullptr || acquisition->descriptor() != descriptor) {
    errno = EBADF;
    return -1;
  }
  if (simulated::unplugged()) {
    errno = ENODEV;
    return -1;
  }
  return acquisition->read(bytes, count);
}
