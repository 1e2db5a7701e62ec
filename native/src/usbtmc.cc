#include "usbtmc.h"

#include <cerrno>
#include <stdexcept>

#ifdef __linux__
#include <fcntl.h>
#include <linux/usb/tmc.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#endif

namespace kymograph {

#ifdef __linux__

namespace {

constexpr uint32_t kShortestTimeoutMs = 100;  // USBTMC_MIN_TIMEOUT of the kernel: it refuses shorter ones

}  // namespace

UsbtmcDevice::UsbtmcDevice(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOCTTY)) {
  if (fd_.get() < 0) throw SystemError("cannot open " + path_, errno);
  uint8_t status = 0;
  // What is no instrument at all is refused here, and not by the first command. An instrument that knows no status byte answers with another error.
  if (::ioctl(fd_.get(), USBTMC488_IOCTL_READ_STB, &status) < 0 && errno == ENOTTY) throw SystemError(path_ + " is not a usbtmc device", ENOTTY);
}

void UsbtmcDevice::write(const std::vector<uint8_t>& message, uint32_t timeoutMs) {
  const std::lock_guard guard(turn_);
  setTimeout(timeoutMs);
  const ssize_t written = ::write(fd_.get(), message.data(), message.size());
  if (written < 0) throw SystemError("cannot write to " + path_, errno);
  if (static_cast<size_t>(written) != message.size()) throw SystemError(path_ + " took only a part of a message", EIO);
}

std::optional<std::vector<uint8_t>> UsbtmcDevice::read(size_t maximumBytes, uint32_t timeoutMs) {
  if (maximumBytes == 0) throw std::invalid_argument("maximumBytes: above 0");
  std::vector<uint8_t> message(maximumBytes);
  const std::lock_guard guard(turn_);
  setTimeout(timeoutMs);
  const ssize_t got = ::read(fd_.get(), message.data(), message.size());
  if (got < 0 && errno == ETIMEDOUT) return std::nullopt;
  if (got < 0) throw SystemError("cannot read from " + path_, errno);
  message.resize(static_cast<size_t>(got));
  return message;
}

void UsbtmcDevice::clear() {
  const std::lock_guard guard(turn_);
  if (::ioctl(fd_.get(), USBTMC_IOCTL_CLEAR) < 0) throw SystemError("cannot clear " + path_, errno);
}

uint8_t UsbtmcDevice::statusByte() {
  uint8_t status = 0;
  const std::lock_guard guard(turn_);
  if (::ioctl(fd_.get(), USBTMC488_IOCTL_READ_STB, &status) < 0) throw SystemError("cannot read the status byte of " + path_, errno);
  return status;
}

void UsbtmcDevice::setTimeout(uint32_t timeoutMs) {
  uint32_t timeout = std::max(timeoutMs, kShortestTimeoutMs);
  if (::ioctl(fd_.get(), USBTMC_IOCTL_SET_TIMEOUT, &timeout) < 0) throw SystemError("cannot set the time-out of " + path_, errno);
}

#else

UsbtmcDevice::UsbtmcDevice(const std::string& path) : path_(path) { throw SystemError(path_ + ": usbtmc is a part of Linux", ENOTSUP); }
void UsbtmcDevice::write(const std::vector<uint8_t>&, uint32_t) { throw SystemError(path_ + ": usbtmc is a part of Linux", ENOTSUP); }
std::optional<std::vector<uint8_t>> UsbtmcDevice::read(size_t, uint32_t) { throw SystemError(path_ + ": usbtmc is a part of Linux", ENOTSUP); }
void UsbtmcDevice::clear() { throw SystemError(path_ + ": usbtmc is a part of Linux", ENOTSUP); }
uint8_t UsbtmcDevice::statusByte() { throw SystemError(path_ + ": usbtmc is a part of Linux", ENOTSUP); }
void UsbtmcDevice::setTimeout(uint32_t) {}

#endif

}  // namespace kymograph
