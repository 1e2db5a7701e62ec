#include "comedi_playback.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace kymograph {

namespace {

constexpr size_t kWriteBytes = 32 * 1024;      // half of the kernel's own buffer: a short period is written many times in one call
constexpr size_t kMostSamples = 1 << 24;       // of a period: as many as the board counts of one output
constexpr int kLookAgainMs = 50;               // a board that says nothing of room in its buffer is asked again; the buffer holds a third of a second at its fastest
constexpr int kAskForEndMs = 5;                // nothing tells of the last sample but the board's flag

ComediPlaybackRequest requestOf(const ComediWaveform& waveform) {
  const size_t channels = std::max<size_t>(waveform.channels.size(), 1);
  if (waveform.samples.empty() || waveform.samples.size() % channels != 0 || waveform.samples.size() > kMostSamples)
    throw std::invalid_argument("samples: as many for each channel, 1 to " + std::to_string(kMostSamples) + " in all");
  const uint64_t period = waveform.samples.size() / channels;
  if (waveform.repeats && (*waveform.repeats == 0 || *waveform.repeats > UINT32_MAX / period))
    throw std::invalid_argument("repeats: 1 to " + std::to_string(UINT32_MAX / period) + ", or none");
  return {waveform.subdevice, waveform.channels, waveform.scanIntervalNs, waveform.repeats ? std::optional(*waveform.repeats * period) : std::nullopt};
}

std::vector<uint8_t> bytesOf(const ComediDevice& device, const ComediWaveform& waveform, size_t sampleBytes) {
  const unsigned maxdata = device.subdevice(waveform.subdevice).maxdata;
  const size_t period = waveform.samples.size() * sampleBytes;
  std::vector<uint8_t> bytes(period * std::max<size_t>(1, kWriteBytes / period));
  for (size_t at = 0; at < waveform.samples.size(); ++at) {
    const uint32_t sample = waveform.samples[at];
    if (sample > maxdata) throw std::invalid_argument("samples: " + std::to_string(sample) + " is beyond the channel's " + std::to_string(maxdata));
    if (sampleBytes == sizeof(uint32_t)) {
      std::memcpy(bytes.data() + at * sampleBytes, &sample, sampleBytes);
    } else {
      const auto narrow = static_cast<uint16_t>(sample);
      std::memcpy(bytes.data() + at * sampleBytes, &narrow, sampleBytes);
    }
  }
  for (size_t filled = period; filled < bytes.size(); filled += period) std::memcpy(bytes.data() + filled, bytes.data(), period);
  return bytes;
}

}  // namespace

ComediPlayback::ComediPlayback(std::shared_ptr<ComediDevice> device, const ComediWaveform& waveform)
    : ComediTransfer(std::move(device), requestOf(waveform)),
      source_(bytesOf(ComediTransfer::device(), waveform, sampleBytes_)),
      totalBytes_(waveform.repeats ? std::optional(*waveform.repeats * waveform.samples.size() * sampleBytes_) : std::nullopt) {
  const ComediLibrary& call = ComediTransfer::device().library();
  const auto guard = call.lock();
  const int writes = call.check(call.comedi_get_write_subdevice(ComediTransfer::device().handle()), "comedi_get_write_subdevice");
  if (static_cast<unsigned>(writes) != subdevice_) throw std::invalid_argument("subdevice: what is written to the board goes to " + std::to_string(writes));
}

// After the command, because the kernel takes samples for nothing else: as much as the buffer holds, and only then the trigger.
void ComediPlayback::started() {
  while (!allWritten() && waitFor(descriptor(), POLLOUT, 0) == Waited::kReady) writeSome();
  const ComediLibrary& call = device().library();
  call.check(call.comedi_internal_trigger(device().handle(), subdevice_, 0), "comedi_internal_trigger");
}

void ComediPlayback::move() {
  while (!allWritten()) {
    const Waited waited = waitFor(descriptor(), POLLOUT, kLookAgainMs);
    if (waited == Waited::kWoken) return;
    if (waited == Waited::kReady) writeSome();
  }
  waitForLast();
}

// Called when there is room, or when the command has ended: it does not wait.
void ComediPlayback::writeSome() {
  const size_t at = written_ % source_.size();
  size_t wanted = source_.size() - at;
  if (totalBytes_) wanted = std::min<uint64_t>(wanted, *totalBytes_ - written_);
  const ssize_t count = device().library().write(descriptor(), source_.data() + at, wanted);
  if (count > 0) {
    written_ += static_cast<uint64_t>(count);
  } else if (count == 0) {
    throw ComediError("the waveform ended by itself, before its last sample", EIO);
  } else if (errno != EINTR && errno != EAGAIN) {
    fail(errno);
  }
}

// The board plays what it was given; then a write that it takes nothing of says how it ended.
void ComediPlayback::waitForLast() {
  while (running())
    if (waitFor(-1, 0, kAskForEndMs) == Waited::kWoken) return;
  if (device().library().write(descriptor(), source_.data(), sampleBytes_) < 0) fail(errno);
}

bool ComediPlayback::running() const {
  const ComediLibrary& call = device().library();
  const auto guard = call.lock();
  const int flags = call.comedi_get_subdevice_flags(device().handle(), subdevice_);
  if (flags == -1) call.fail("comedi_get_subdevice_flags");
  return (static_cast<unsigned>(flags) & comedi::kRunning) != 0;
}

void ComediPlayback::fail(int code) {
  if (code == EPIPE) throw ComediError("underrun: the board had no sample left to play; they were not written in time", EPIPE);
  throw ComediError("write: " + std::string(std::strerror(code)) + " (Comedi error " + std::to_string(code) + ")", code);
}

void ComediPlayback::waitForEnd() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ended_; });
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace kymograph
