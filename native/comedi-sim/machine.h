// What the exported functions share: the board, what it does at the moment, and who has it open.
#pragma once

#include <memory>
#include <mutex>
#include <set>

#include "acquisition.h"
#include "board.h"
#include "clock.h"
#include "device_file.h"
#include "playback.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace comedi_sim {

// While anybody has the board open. The clock ends first.
class Engine {
 public:
  Engine(std::mutex& mutex, Board& board);

  DeviceFile file;
  Acquisition acquisition;
  Playback playback;
  Clock clock;

 private:
  bool advance(uint64_t nowNs);
};

struct Machine {
  std::mutex mutex;  // guards all but who has it open, which changes under the caller's lock
  Board board;
  std::unique_ptr<Engine> engine;
  comedi::Device* samples = nullptr;  // who has given the command of the inputs
  comedi::Device* plays = nullptr;    // and that of the outputs
  std::set<comedi::Device*> opened;
};

Machine& machine();
enum OwnError { kNoError = 0x1000, kBadSubdevice = 0x1002, kBadChannel = 0x1003 };
int lastError();
int fail(int code);
// Before a call does anything: 0, or the error it ends with.
int obstacle(comedi::Device* device, unsigned subdevice, unsigned channel, bool& garbage);
bool badAnalog(unsigned subdevice, unsigned range, unsigned reference);

}  // namespace comedi_sim
