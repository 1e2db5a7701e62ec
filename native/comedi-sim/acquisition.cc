#include "acquisition.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace comedi_sim {
namespace {

namespace comedi = kymograph::comedi;

constexpr unsigned kPinMask = 0xffff;  // CR_CHAN

}  // namespace

Acquisition::Acquisition(DeviceFile& file, Convert convert) : file_(file), convert_(std::move(convert)) {}

bool Acquisition::start(const comedi::Command& command, uint64_t nowNs) {
  if (busy_) return false;
  bench_ = readBench();
  words_.assign(command.channels, command.channels + command.channelCount);
  intervalNs_ = command.scanBeginArgument;
  startNs_ = nowNs;
  scans_ = command.stopSource == comedi::kCount ? command.stopArgument : UINT64_MAX;
  made_ = conversions_ = 0;
  samples_.clear();
  awaited_ = command.startSource == comedi::kExternal ? std::optional(command.startArgument) : std::nullopt;
  overflowed_ = false;
  busy_ = running_ = true;
  if (scans_ == 0) running_ = false;
  signal();
  return true;
}

void Acquisition::cancel() {
  samples_.clear();
  busy_ = running_ = overflowed_ = false;
  signal();
}

bool Acquisition::edge(unsigned pin, bool rising, uint64_t nowNs) {
  if (!running_ || !awaited_ || (*awaited_ & kPinMask) != pin || ((*awaited_ & comedi::kInvert) == 0) != rising) return false;
  awaited_.reset();
  startNs_ = nowNs;
  return true;
}

// Overflow: the scan that has no room is lost, and the board stands.
void Acquisition::scan() {
  overflowed_ = samples_.size() + words_.size() * sizeof(uint16_t) > bench_.bufferBytes;
  if (!overflowed_)
    for (const unsigned word : words_) {
      const uint16_t sample = bench_.ramp ? static_cast<uint16_t>(conversions_) : convert_(word);
      ++conversions_;
      samples_.push_back(static_cast<uint8_t>(sample & 0xff));
      samples_.push_back(static_cast<uint8_t>(sample >> 8));
    }
  ++made_;
  if (overflowed_ || made_ == scans_) running_ = false;
  signal();
}

void Acquisition::signal() { file_.showReadable(!samples_.empty() || !running_); }

ssize_t Acquisition::read(void* bytes, size_t count) {
  if (samples_.empty()) {
    if (running_) {
      errno = EAGAIN;
      return -1;
    }
    busy_ = false;
    if (!std::exchange(overflowed_, false)) return 0;
    errno = EPIPE;
    return -1;
  }
  const size_t given = std::min(count, samples_.size()) / sizeof(uint16_t) * sizeof(uint16_t);
  std::copy_n(samples_.begin(), given, static_cast<uint8_t*>(bytes));
  samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(given));
  signal();
  return static_cast<ssize_t>(given);
}

}  // namespace comedi_sim
