// Commands of the inputs and of the outputs, and the device file that their samples go through.
#include <algorithm>
#include <cerrno>

#include "command_test.h"
#include "faults.h"
#include "machine.h"

namespace {

using namespace comedi_sim;

bool commandable(unsigned subdevice) { return subdevice == kAnalogIn || subdevice == kAnalogOut; }

int test(comedi::Command& command) { return command.subdevice == kAnalogIn ? testInputCommand(command) : testOutputCommand(command); }

bool hasChannels(const comedi::Command& command) {
  return std::all_of(command.channels, command.channels + command.channelCount, [&command](unsigned word) {
    return (word & 0xffff) < subdevices()[command.subdevice].channels && !badAnalog(command.subdevice, word >> 16 & 0xff, word >> 24);
  });
}

// The engine behind a descriptor; nullptr, and errno, when there is none or the board is gone.
Engine* behind(int descriptor) {
  Engine* engine = machine().engine.get();
  const bool known = engine != nullptr && engine->file.descriptor() == descriptor;
  if (known && !simulated::unplugged()) return engine;
  errno = known ? ENODEV : EBADF;
  return nullptr;
}

}  // namespace

EXPORT int comedi_fileno(comedi::Device* device) { return machine().opened.count(device) == 0 ? fail(ENODEV) : machine().engine->file.descriptor(); }
EXPORT int comedi_get_write_subdevice(comedi::Device* device) { return machine().opened.count(device) == 0 ? fail(ENODEV) : static_cast<int>(kAnalogOut); }

EXPORT int comedi_command_test(comedi::Device* device, comedi::Command* command) {
  bool garbage = false;
  if (const int code = obstacle(device, command->subdevice, 0, garbage); code != 0) return fail(code);
  return commandable(command->subdevice) ? test(*command) : fail(EIO);
}

EXPORT int comedi_command(comedi::Device* device, comedi::Command* command) {
  bool garbage = false;
  if (const int code = obstacle(device, command->subdevice, 0, garbage); code != 0) return fail(code);
  if (!commandable(command->subdevice) || test(*command) != 0 || !hasChannels(*command)) return fail(EINVAL);
  Machine& all = machine();
  const std::lock_guard guard(all.mutex);
  Engine& engine = *all.engine;
  const bool input = command->subdevice == kAnalogIn;
  if (!(input ? engine.acquisition.start(*command, engine.clock.nowNs()) : engine.playback.start(*command))) return fail(EBUSY);
  (input ? all.samples : all.plays) = device;
  if (input) engine.clock.wake(engine.acquisition.pace());
  return 0;
}

EXPORT int comedi_internal_trigger(comedi::Device* device, unsigned subdevice, unsigned number) {
  bool garbage = false;
  if (const int code = obstacle(device, subdevice, 0, garbage); code != 0) return fail(code);
  Machine& all = machine();
  const std::lock_guard guard(all.mutex);
  if (subdevice != kAnalogOut || number != 0 || all.plays != device) return fail(EINVAL);
  Engine& engine = *all.engine;
  if (const int code = engine.playback.trigger(engine.clock.nowNs()); code != 0) return fail(code);
  engine.clock.wake(engine.playback.pace());
  return 1;
}

EXPORT int comedi_cancel(comedi::Device* device, unsigned subdevice) {
  if (!commandable(subdevice)) return fail(EINVAL);
  Machine& all = machine();
  const std::lock_guard guard(all.mutex);
  comedi::Device*& owner = subdevice == kAnalogIn ? all.samples : all.plays;
  if (owner == nullptr) return 0;
  if (owner != device) return fail(EBUSY);
  owner = nullptr;
  if (subdevice == kAnalogIn) all.engine->acquisition.cancel();
  else all.engine->playback.cancel();
  return 0;
}

// Of the kernel, where there is one: see comedi_api.h.
EXPORT ssize_t read(int descriptor, void* bytes, size_t count) {
  const std::lock_guard guard(machine().mutex);
  Engine* engine = behind(descriptor);
  return engine == nullptr ? -1 : engine->acquisition.read(bytes, count);
}

EXPORT ssize_t write(int descriptor, const void* bytes, size_t count) {
  const std::lock_guard guard(machine().mutex);
  Engine* engine = behind(descriptor);
  return engine == nullptr ? -1 : engine->playback.write(bytes, count);
}
