#include "command_test.h"

#include <algorithm>
#include <utility>

#include "bench.h"

namespace comedi_sim {
namespace {

namespace comedi = kymograph::comedi;

constexpr unsigned kTickNs = 50;         // of the 20 MHz time base
constexpr unsigned kConvertNs = 10'000;  // 100 kS/s altogether
constexpr unsigned kUpdateNs = 10'000;   // 100 kS/s of each output
constexpr unsigned kPinMask = 0xffff;     // CR_CHAN
constexpr unsigned kLastPin = 9;         // of the programmable function inputs
constexpr unsigned kLongestNs = 50 * 0xffffff;

bool keep(unsigned& source, unsigned offered) {
  const unsigned before = source;
  source &= offered;
  return source != 0 && source == before;
}

bool unique(unsigned source) { return (source & (source - 1)) == 0; }

bool raise(unsigned& argument, unsigned least) {
  if (argument >= least) return true;
  argument = least;
  return false;
}

bool lower(unsigned& argument, unsigned most) {
  if (argument <= most) return true;
  argument = most;
  return false;
}

bool force(unsigned& argument, unsigned value) { return std::exchange(argument, value) == value; }

bool forceEdge(unsigned& argument) { return force(argument, (argument & comedi::kInvert) | comedi::kEdge | std::min(argument & kPinMask, kLastPin)); }

bool roundToTick(unsigned& argument) { return force(argument, (argument + kTickNs / 2) / kTickNs * kTickNs); }

bool checkEnds(comedi::Command& command) {
  const bool right = force(command.scanEndArgument, command.channelCount);
  return right & (command.stopSource == comedi::kCount ? lower(command.stopArgument, readBench().mostScans) : force(command.stopArgument, 0));
}

}  // namespace

int testInputCommand(comedi::Command& command) {
  bool right = keep(command.startSource, comedi::kNow | comedi::kExternal);
  right &= keep(command.scanBeginSource, comedi::kTimer | comedi::kExternal);
  right &= keep(command.convertSource, comedi::kTimer | comedi::kExternal);
  right &= keep(command.scanEndSource, comedi::kCount);
  right &= keep(command.stopSource, comedi::kCount | comedi::kNone);
  if (!right) return 1;

  for (const unsigned source : {command.startSource, command.scanBeginSource, command.convertSource, command.stopSource})
    if (!unique(source)) return 2;

  if (command.startSource == comedi::kNow) right &= force(command.startArgument, 0);
  if (command.startSource == comedi::kExternal) right &= forceEdge(command.startArgument);
  if (command.scanBeginSource == comedi::kTimer) right &= raise(command.scanBeginArgument, kConvertNs) && lower(command.scanBeginArgument, kLongestNs);
  if (command.convertSource == comedi::kTimer) right &= raise(command.convertArgument, kConvertNs) && lower(command.convertArgument, kLongestNs);
  right &= checkEnds(command);
  if (!right) return 3;

  if (command.scanBeginSource == comedi::kTimer) right &= roundToTick(command.scanBeginArgument);
  if (command.convertSource == comedi::kTimer) {
    right &= roundToTick(command.convertArgument);
    if (command.scanBeginSource == comedi::kTimer) right &= raise(command.scanBeginArgument, command.convertArgument * command.scanEndArgument);
  }
  return right ? 0 : 4;
}

int testOutputCommand(comedi::Command& command) {
  command.flags |= comedi::kWriteCommand;
  bool right = keep(command.startSource, comedi::kInternal | comedi::kExternal);
  right &= keep(command.scanBeginSource, comedi::kTimer | comedi::kExternal);
  right &= keep(command.convertSource, comedi::kNow);
  right &= keep(command.scanEndSource, comedi::kCount);
  right &= keep(command.stopSource, comedi::kCount | comedi::kNone);
  if (!right) return 1;

  for (const unsigned source : {command.startSource, command.scanBeginSource, command.stopSource})
    if (!unique(source)) return 2;

  right &= command.startSource == comedi::kInternal ? force(command.startArgument, 0) : forceEdge(command.startArgument);
  if (command.scanBeginSource == comedi::kTimer) right &= raise(command.scanBeginArgument, kUpdateNs) && lower(command.scanBeginArgument, kLongestNs);
  right &= force(command.convertArgument, 0);
  right &= checkEnds(command);
  if (!right) return 3;

  if (command.scanBeginSource == comedi::kTimer) right &= roundToTick(command.scanBeginArgument);
  return right ? 0 : 4;
}

}  // namespace comedi_sim
