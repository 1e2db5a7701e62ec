#include "playback.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace comedi_sim {

namespace comedi = kymograph::comedi;

Playback::Playback(DeviceFile& file, Put put) : file_(file), put_(std::move(put)) {}

bool Playback::start(const comedi::Command& command) {
  if (busy_) return false;
  bench_ = readBench();
  words_.assign(command.channels, command.channels + command.channelCount);
  intervalNs_ = command.scanBeginArgument;
  scans_ = command.stopSource == comedi::kCount ? command.stopArgument : UINT64_MAX;
  played_ = 0;
  samples_.clear();
  triggered_ = underrun_ = false;
  busy_ = running_ = true;
  signal();
  return true;
}

int Playback::trigger(uint64_t nowNs) {
  if (!running_ || triggered_) return EINVAL;
  if (samples_.empty()) return EPIPE;
  triggered_ = true;
  startNs_ = nowNs;
  return 0;
}

void Playback::cancel() {
  samples_.clear();
  busy_ = running_ = underrun_ = false;
  signal();
}

void Playback::update() {
  underrun_ = samples_.size() < words_.size() * sizeof(uint16_t);
  if (!underrun_)
    for (const unsigned word : words_) {
      put_(word, static_cast<uint16_t>(samples_[0] | samples_[1] << 8));
      samples_.erase(samples_.begin(), samples_.begin() + sizeof(uint16_t));
    }
  ++played_;
  if (underrun_ || played_ == scans_) running_ = false;
  signal();
}

void Playback::signal() { file_.showWritable(!running_ || samples_.size() + sizeof(uint16_t) <= bench_.bufferBytes); }

ssize_t Playback::write(const void* bytes, size_t count) {
  if (!busy_) return 0;
  if (!running_) {
    busy_ = false;
    if (!std::exchange(underrun_, false)) return 0;
    errno = EPIPE;
    return -1;
  }
  const size_t room = bench_.bufferBytes - std::min(samples_.size(), bench_.bufferBytes);
  const size_t taken = std::min(count, room) / sizeof(uint16_t) * sizeof(uint16_t);
  if (taken == 0) {
    errno = EAGAIN;
    return -1;
  }
  const auto* first = static_cast<const uint8_t*>(bytes);
  samples_.insert(samples_.end(), first, first + taken);
  signal();
  return static_cast<ssize_t>(taken);
}

}  // namespace comedi_sim
