#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "comedi_device.h"

namespace kymograph {

// An edge at one of the board's programmable function inputs.
struct ComediTrigger {
  unsigned pin;
  bool falling;
};

struct ComediAcquisitionRequest {
  unsigned subdevice;
  std::vector<ComediChannel> channels;  // in the order of a scan; their subdevice is the one above
  uint64_t scanIntervalNs;
  std::optional<uint64_t> scans;        // none: until stop()
  std::optional<ComediTrigger> start;   // none: at once
};

struct ComediPlaybackRequest {
  unsigned subdevice;
  std::vector<ComediChannel> channels;  // in the order of a scan; their subdevice is the one above
  uint64_t scanIntervalNs;
  std::optional<uint64_t> scans;        // none: until stop()
};

// A command that the board has agreed to. It holds the list that its own pointer leads to.
class ComediCommand {
 public:
  // Asks the board until it has nothing to change any more. Throws std::invalid_argument for what it cannot do, and for what it would make another rate of
  // than a rounding to its clock; ComediError when it refuses.
  ComediCommand(const ComediDevice& device, const ComediAcquisitionRequest& request);
  // The same for one of outputs, which plays from comedi_internal_trigger on.
  ComediCommand(const ComediDevice& device, const ComediPlaybackRequest& request);
  ComediCommand(const ComediCommand&) = delete;
  ComediCommand& operator=(const ComediCommand&) = delete;

  // As the board does it, after its own rounding.
  unsigned scanIntervalNs() const { return command_.scanBeginArgument; }
  unsigned convertIntervalNs() const { return command_.convertArgument; }
  comedi::Command& raw() { return command_; }

 private:
  // What both kinds have.
  void describe(unsigned subdevice, const std::vector<ComediChannel>& channels, uint64_t scanIntervalNs, std::optional<uint64_t> scans);
  int test(const ComediDevice& device);
  // Throws for one that the board does not take, or makes another rate or start of.
  void checkSettled(int verdict, const comedi::Command& wanted) const;

  std::vector<unsigned> words_;
  comedi::Command command_{};
};

}  // namespace kymograph
