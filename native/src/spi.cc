#include "spi.h"

#include <cerrno>
#include <stdexcept>

#ifdef __linux__
#include <fcntl.h>
#include <linux/spi/spidev.h>
#include <sys/ioctl.h>
#endif

namespace kymograph {

#ifdef __linux__

namespace {

using namespace std::chrono;
constexpr microseconds kSelectHigh{1};  // twice the 500 ns that slow parts such as the EMS22A need between two frames
constexpr size_t kMaxBytes = 4096;      // spidev's own default buffer

template <typename Value>
void set(int fd, unsigned long request, Value value, const std::string& what) {
  if (::ioctl(fd, request, &value) < 0) throw SystemError("cannot set the " + what, errno);
}

}  // namespace

SpiDevice::SpiDevice(const Options& options) : path_(options.path), fd_(::open(options.path.c_str(), O_RDWR | O_CLOEXEC)) {
  if (fd_.get() < 0) throw SystemError("cannot open " + path_, errno);
  set<uint8_t>(fd_.get(), SPI_IOC_WR_MODE, options.mode, "SPI mode of " + path_);
  set<uint8_t>(fd_.get(), SPI_IOC_WR_BITS_PER_WORD, 8, "word size of " + path_);
  set<uint32_t>(fd_.get(), SPI_IOC_WR_MAX_SPEED_HZ, options.speedHz, "clock of " + path_);
  uint8_t mode = 0;
  if (::ioctl(fd_.get(), SPI_IOC_RD_MODE, &mode) < 0) throw SystemError("cannot read the SPI mode of " + path_, errno);
  if ((mode & SPI_MODE_3) != options.mode) throw SystemError(path_ + " did not take SPI mode " + std::to_string(options.mode), EIO);
}

std::vector<uint8_t> SpiDevice::transfer(const std::vector<uint8_t>& out) {
  if (out.empty() || out.size() > kMaxBytes) throw std::invalid_argument("bytes: 1 to 4096 are transferred at once");
  std::vector<uint8_t> in(out.size());
  spi_ioc_transfer message{};
  message.tx_buf = reinterpret_cast<uintptr_t>(out.data());
  message.rx_buf = reinterpret_cast<uintptr_t>(in.data());
  message.len = static_cast<uint32_t>(out.size());
  const std::lock_guard guard(turn_);
  while (steady_clock::now() < lastEnd_ + kSelectHigh) continue;
  const int carried = ::ioctl(fd_.get(), SPI_IOC_MESSAGE(1), &message);
  const int code = errno;
  lastEnd_ = steady_clock::now();
  if (carried < 0) throw SystemError("transfer on " + path_, code);
  if (static_cast<size_t>(carried) != out.size()) throw SystemError("transfer on " + path_ + " ended early", EIO);
  return in;
}

#else

SpiDevice::SpiDevice(const Options& options) : path_(options.path) { throw SystemError(path_ + ": spidev is a part of Linux", ENOTSUP); }

std::vector<uint8_t> SpiDevice::transfer(const std::vector<uint8_t>&) { throw SystemError(path_ + ": spidev is a part of Linux", ENOTSUP); }

#endif

}  // namespace kymograph
