#include "comedi_command.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace kymograph {

namespace {

constexpr int kTestRounds = 20;        // a board that has not settled on its arguments by then never will
constexpr unsigned kRoundingNs = 100;  // two ticks of the board's 20 MHz, or a hundredth: more is another rate than was asked for
constexpr unsigned kRoundingPart = 100;

template <typename Request>
void check(const ComediDevice& device, const Request& request, unsigned flag) {
  if ((device.subdevice(request.subdevice).flags & flag) == 0) throw std::invalid_argument("subdevice: " + std::to_string(request.subdevice) + " takes no commands");
  if (request.channels.empty()) throw std::invalid_argument("channels: at least one is needed");
  for (const ComediChannel& channel : request.channels) device.checkChannel(channel);
  if (request.scanIntervalNs == 0 || request.scanIntervalNs > UINT32_MAX) throw std::invalid_argument("scanIntervalNs: 1 to 4294967295");
  if (request.scans && (*request.scans == 0 || *request.scans > UINT32_MAX)) throw std::invalid_argument("scans: 1 to 4294967295, or none");
}

unsigned edgeOf(const ComediTrigger& trigger) { return trigger.pin | comedi::kEdge | (trigger.falling ? comedi::kInvert : 0U); }

}  // namespace

ComediCommand::ComediCommand(const ComediDevice& device, const ComediAcquisitionRequest& request) {
  check(device, request, comedi::kCommandRead);
  describe(request.subdevice, request.channels, request.scanIntervalNs, request.scans);
  command_.startSource = request.start ? comedi::kExternal : comedi::kNow;
  command_.startArgument = request.start ? edgeOf(*request.start) : 0;
  command_.convertSource = comedi::kTimer;  // kNow: the test of this family of boards never settles
  command_.convertArgument = command_.channelCount == 1 ? 0 : command_.scanBeginArgument / command_.channelCount;

  const comedi::Command wanted = command_;
  int verdict = test(device);
  if (verdict == 0 && command_.stopSource == comedi::kCount && command_.stopArgument != wanted.stopArgument) {
    command_.stopSource = comedi::kNone;  // more than it can count: whoever reads it stops it
    command_.stopArgument = 0;
    verdict = test(device);
  }
  checkSettled(verdict, wanted);
}

ComediCommand::ComediCommand(const ComediDevice& device, const ComediPlaybackRequest& request) {
  check(device, request, comedi::kCommandWrite);
  describe(request.subdevice, request.channels, request.scanIntervalNs, request.scans);
  command_.flags = comedi::kWriteCommand;
  command_.startSource = comedi::kInternal;
  command_.convertSource = comedi::kNow;

  const comedi::Command wanted = command_;
  checkSettled(test(device), wanted);
  // Nobody but the board can stop an output after a certain sample.
  if (command_.stopArgument != wanted.stopArgument)
    throw std::invalid_argument("repeats: the board counts " + std::to_string(command_.stopArgument) + " samples of each output at most, not " + std::to_string(wanted.stopArgument));
}

void ComediCommand::describe(unsigned subdevice, const std::vector<ComediChannel>& channels, uint64_t scanIntervalNs, std::optional<uint64_t> scans) {
  for (const ComediChannel& each : channels) words_.push_back(comedi::channelWord(each.channel, each.range, each.reference));
  command_.subdevice = subdevice;
  command_.scanBeginSource = comedi::kTimer;
  command_.scanBeginArgument = static_cast<unsigned>(scanIntervalNs);
  command_.scanEndSource = comedi::kCount;
  command_.scanEndArgument = static_cast<unsigned>(channels.size());
  command_.stopSource = scans ? comedi::kCount : comedi::kNone;
  command_.stopArgument = static_cast<unsigned>(scans.value_or(0));
  command_.channels = words_.data();
  command_.channelCount = static_cast<unsigned>(channels.size());
}

void ComediCommand::checkSettled(int verdict, const comedi::Command& wanted) const {
  if (verdict != 0) throw std::invalid_argument("command: the board does not take it (its test ends with " + std::to_string(verdict) + ")");
  const unsigned asked = wanted.scanBeginArgument;
  const unsigned difference = scanIntervalNs() > asked ? scanIntervalNs() - asked : asked - scanIntervalNs();
  if (difference > std::max(kRoundingNs, asked / kRoundingPart))
    throw std::invalid_argument("scanIntervalNs: the board would make " + std::to_string(scanIntervalNs()) + " of " + std::to_string(asked));
  if (command_.startSource != wanted.startSource || command_.startArgument != wanted.startArgument)
    throw std::invalid_argument("start: the board does not take this trigger");
}

// 0 once the board has nothing to change any more.
int ComediCommand::test(const ComediDevice& device) {
  const ComediLibrary& call = device.library();
  const auto guard = call.lock();
  int verdict = 1;
  for (int round = 0; verdict != 0 && round < kTestRounds; ++round) verdict = call.check(call.comedi_command_test(device.handle(), &command_), "comedi_command_test");
  return verdict;
}

}  // namespace kymograph
