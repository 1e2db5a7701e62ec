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

// A command that the board has agreed to. It holds the list that its own pointer leads to.
class ComediCommand {
 public:
  // Asks the board until it has nothing to change any more. Throws std::invalid_argument for what it cannot do, and for what it would make another rate of
  // than a rounding to its clock; ComediError when it refuses.
  ComediCommand(const ComediDevice& device, const ComediAcquisitionRequest& request);
  ComediCommand(const ComediCommand&) = delete;
  ComediCommand& operator=(const ComediCommand&) = delete;

  // As the board does it, after its own rounding.
  unsigned scanIntervalNs() const { return command_.scanBeginArgument; }
  unsigned convertIntervalNs() const { return command_.convertArgument; }
  comedi::Command& raw() { return command_; }

 private:
  int test(const ComediDevice& device);

  std::vector<unsigned> words_;
  comedi::Command command_{};
};

}  // namespace kymograph
