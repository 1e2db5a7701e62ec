#include "machine.h"

#include <cerrno>

#include "faults.h"

namespace comedi_sim {
namespace {

constexpr unsigned kReferences = 4;

int error = kNoError;  // one for all threads, as the library's

}  // namespace

Engine::Engine(std::mutex& mutex, Board& board)
    : acquisition(file, [&board](unsigned word) { return static_cast<uint16_t>(board.analogIn(word & 0xffff, word >> 16 & 0xff, word >> 24 & 0x3)); }),
      playback(file, [&board](unsigned word, uint16_t sample) { board.playAnalogOut(word & 0xffff, word >> 16 & 0xff, sample); }),
      clock(mutex, [this](uint64_t nowNs) { return advance(nowNs); }) {}

// In the order of the board's time; an output that changes when an input is measured has changed before.
bool Engine::advance(uint64_t nowNs) {
  for (;;) {
    const uint64_t in = acquisition.dueNs();
    const uint64_t out = playback.dueNs();
    if (out <= nowNs && out <= in) playback.update();
    else if (in <= nowNs) acquisition.scan();
    else return in != kNever || out != kNever;
  }
}

// Never destroyed: callers may go on while the process ends.
Machine& machine() {
  static auto& instance = *new Machine();
  return instance;
}

int lastError() { return error; }

int fail(int code) {
  error = code;
  return -1;
}

int obstacle(comedi::Device* device, unsigned subdevice, unsigned channel, bool& garbage) {
  if (simulated::unplugged()) return ENODEV;
  if (machine().opened.count(device) == 0) return ENODEV;
  if (subdevice >= kSubdevices || subdevices()[subdevice].type == comedi::kUnused) return kBadSubdevice;
  if (channel >= subdevices()[subdevice].channels) return kBadChannel;
  const simulated::Suffered suffered = simulated::suffer();
  garbage = suffered.garbage;
  return suffered.unanswered ? ETIMEDOUT : suffered.code;
}

bool badAnalog(unsigned subdevice, unsigned range, unsigned reference) { return range >= subdevices()[subdevice].ranges.size() || reference >= kReferences; }

}  // namespace comedi_sim
