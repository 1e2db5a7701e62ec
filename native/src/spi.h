#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "exclusive_file.h"

namespace kymograph {

// One chip-select of Linux spidev (Documentation/spi/spidev.rst), eight bits a word, most significant bit first. Elsewhere its making throws ENOTSUP.
class SpiDevice {
 public:
  struct Options {
    std::string path;
    uint8_t mode;
    uint32_t speedHz;
  };
  explicit SpiDevice(const Options& options);

  // Full duplex, one chip-select frame. The select line has been high for at least kSelectHigh before. Calls from several threads take turns.
  std::vector<uint8_t> transfer(const std::vector<uint8_t>& out);

 private:
  std::string path_;
  Descriptor fd_;
  std::mutex turn_;
  std::chrono::steady_clock::time_point lastEnd_;
};

}  // namespace kymograph
