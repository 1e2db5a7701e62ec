#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "exclusive_file.h"

namespace kymograph {

// One instrument behind the kernel's usbtmc driver (/dev/usbtmcN; drivers/usb/class/usbtmc.c, linux/usb/tmc.h). A write is one message; a read gives one.
// Calls from several threads take turns, as they do in the kernel. Each ends within its time-out. Elsewhere than on Linux its making throws ENOTSUP.
class UsbtmcDevice {
 public:
  explicit UsbtmcDevice(const std::string& path);

  void write(const std::vector<uint8_t>& message, uint32_t timeoutMs);
  // Nothing when the instrument sent nothing within the time-out.
  std::optional<std::vector<uint8_t>> read(size_t maximumBytes, uint32_t timeoutMs);
  // The device clear of USBTMC 1.0, 4.2.1.6 (INITIATE_CLEAR).
  void clear();
  // The status byte of USB488, 4.3.1 (READ_STATUS_BYTE).
  uint8_t statusByte();

 private:
  void setTimeout(uint32_t timeoutMs);

  std::string path_;
  Descriptor fd_;
  std::mutex turn_;
};

}  // namespace kymograph
