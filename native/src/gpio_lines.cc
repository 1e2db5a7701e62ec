#include "gpio_lines.h"

#include <cerrno>
#include <cstring>
#include <stdexcept>

#ifdef __linux__
#include <fcntl.h>
#include <linux/gpio.h>
#include <sys/ioctl.h>
#endif

namespace kymograph {

#ifdef __linux__

namespace {

uint64_t flagsOf(GpioLines::Use use) {
  switch (use) {
    case GpioLines::Use::inputPulledUp: return GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_UP;
    case GpioLines::Use::inputPulledDown: return GPIO_V2_LINE_FLAG_INPUT | GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN;
    case GpioLines::Use::outputLow: return GPIO_V2_LINE_FLAG_OUTPUT;
    default: return GPIO_V2_LINE_FLAG_INPUT;
  }
}

// Not every name in the kernel's structures ends in a zero.
template <size_t Size>
std::string textOf(const char (&text)[Size]) {
  return {text, ::strnlen(text, Size)};
}

}  // namespace

GpioLines::GpioLines(const Request& request) : path_(request.path) {
  if (request.offsets.empty() || request.offsets.size() > GPIO_V2_LINES_MAX) throw std::invalid_argument("offsets: 1 to 64 lines");
  const Descriptor chip(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  if (chip.get() < 0) throw SystemError("cannot open " + path_, errno);
  gpiochip_info info{};
  if (::ioctl(chip.get(), GPIO_GET_CHIPINFO_IOCTL, &info) < 0) throw SystemError(path_ + " is not a GPIO chip", errno);
  chip_ = textOf(info.name) + " [" + textOf(info.label) + "] (" + std::to_string(info.lines) + " lines)";

  gpio_v2_line_request lines{};
  for (size_t at = 0; at < request.offsets.size(); ++at) {
    if (request.offsets[at] >= info.lines) throw std::invalid_argument("offsets: " + path_ + " has no line " + std::to_string(request.offsets[at]));
    lines.offsets[at] = request.offsets[at];
  }
  lines.num_lines = static_cast<uint32_t>(request.offsets.size());
  std::strncpy(lines.consumer, "kymograph", sizeof lines.consumer - 1);
  lines.config.flags = flagsOf(request.use);
  if (request.use == Use::outputLow) {
    lines.config.num_attrs = 1;
    lines.config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
    lines.config.attrs[0].attr.values = 0;
    lines.config.attrs[0].mask = (uint64_t{1} << lines.num_lines) - 1;
  }
  if (::ioctl(chip.get(), GPIO_V2_GET_LINE_IOCTL, &lines) < 0) throw SystemError("cannot have the lines of " + path_, errno);
  lines_ = Descriptor(lines.fd);
}

uint64_t GpioLines::levels() const {
  gpio_v2_line_values values{};
  values.mask = ~uint64_t{0};
  if (::ioctl(lines_.get(), GPIO_V2_LINE_GET_VALUES_IOCTL, &values) < 0) throw SystemError("cannot read the lines of " + path_, errno);
  return values.bits;
}

void GpioLines::setLevels(uint64_t levels, uint64_t mask) {
  gpio_v2_line_values values{};
  values.bits = levels;
  values.mask = mask;
  if (::ioctl(lines_.get(), GPIO_V2_LINE_SET_VALUES_IOCTL, &values) < 0) throw SystemError("cannot set the lines of " + path_, errno);
}

#else

GpioLines::GpioLines(const Request& request) : path_(request.path) { throw SystemError(path_ + ": the GPIO character device is a part of Linux", ENOTSUP); }

uint64_t GpioLines::levels() const { return 0; }

void GpioLines::setLevels(uint64_t, uint64_t) {}

#endif

}  // namespace kymograph
