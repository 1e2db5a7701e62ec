#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "exclusive_file.h"

namespace kymograph {

// Lines of a Linux GPIO chip, requested for us alone through the character device (linux/gpio.h, version 2). Elsewhere its making throws ENOTSUP.
class GpioLines {
 public:
  enum class Use { input, inputPulledUp, inputPulledDown, outputLow };
  struct Request {
    std::string path;
    std::vector<uint32_t> offsets;
    Use use;
  };
  explicit GpioLines(const Request& request);

  // What the kernel says of the chip, e.g. "gpiochip0 [pinctrl-bcm2711] (58 lines)".
  const std::string& chip() const { return chip_; }
  // Bit n is the level of the n-th requested line.
  uint64_t levels() const;
  void setLevels(uint64_t levels, uint64_t mask);

 private:
  std::string path_;
  std::string chip_;
  Descriptor lines_;
};

}  // namespace kymograph
