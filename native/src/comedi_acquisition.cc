#include "comedi_acquisition.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>

namespace kymograph {

namespace {

constexpr int kTestRounds = 20;             // a board that has not settled on its arguments by then never will
constexpr size_t kReadBytes = 64 * 1024;    // the kernel's own buffer, unless it was made larger
constexpr size_t kMaximumBuffer = 1 << 30;  // more than this is a file
constexpr unsigned kRoundingNs = 100;       // two ticks of the board's 20 MHz, or a hundredth: more is another rate than was asked for
constexpr unsigned kRoundingPart = 100;
constexpr std::chrono::seconds kRecordedWithin{10};  // a ring that nobody empties for so long has no recorder any more

int64_t wallNs() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

size_t sampleBytesOf(const ComediDevice& device, unsigned subdevice) {
  return (device.subdevice(subdevice).flags & comedi::kLargeSamples) != 0 ? sizeof(uint32_t) : sizeof(uint16_t);
}

size_t bufferBytes(uint64_t scans, size_t scanBytes) {
  if (scans == 0 || scans > kMaximumBuffer / scanBytes) throw std::invalid_argument("bufferScans: 1 to " + std::to_string(kMaximumBuffer / scanBytes));
  return static_cast<size_t>(scans) * scanBytes;
}

std::pair<Descriptor, Descriptor> makePipe() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw SystemError("pipe", errno);
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

const ComediAcquisitionRequest& checked(const ComediDevice& device, const ComediAcquisitionRequest& request) {
  if ((device.subdevice(request.subdevice).flags & comedi::kCommandRead) == 0)
    throw std::invalid_argument("subdevice: " + std::to_string(request.subdevice) + " takes no commands");
  if (request.channels.empty()) throw std::invalid_argument("channels: at least one is needed");
  for (const ComediChannel& channel : request.channels) device.checkChannel(channel);
  if (request.scanIntervalNs == 0 || request.scanIntervalNs > UINT32_MAX) throw std::invalid_argument("scanIntervalNs: 1 to 4294967295");
  if (request.scans && (*request.scans == 0 || *request.scans > UINT32_MAX)) throw std::invalid_argument("scans: 1 to 4294967295, or none");
  return request;
}

}  // namespace

ComediAcquisition::ComediAcquisition(std::shared_ptr<ComediDevice> device, const ComediAcquisitionRequest& request)
    : device_(std::move(device)),
      subdevice_(checked(*device_, request).subdevice),
      sampleBytes_(sampleBytesOf(*device_, subdevice_)),
      scanBytes_(sampleBytes_ * request.channels.size()),
      expectedBytes_(request.scans ? std::optional(*request.scans * scanBytes_) : std::nullopt),
      buffer_(bufferBytes(request.bufferScans, scanBytes_)) {
  std::tie(wakeReader_, wakeWriter_) = makePipe();
  command(request);
  thread_ = std::thread([this] { run(); });
  exitStop_.emplace([this] { stop(); });
}

ComediAcquisition::~ComediAcquisition() {
  exitStop_.reset();
  stop();
}

void ComediAcquisition::command(const ComediAcquisitionRequest& request) {
  const ComediLibrary& call = device_->library();
  const auto count = static_cast<unsigned>(request.channels.size());
  const auto asked = static_cast<unsigned>(request.scanIntervalNs);
  std::vector<unsigned> words;
  for (const ComediChannel& each : request.channels) words.push_back(comedi::channelWord(each.channel, each.range, each.reference));
  comedi::Command command{};
  command.subdevice = subdevice_;
  command.startSource = comedi::kNow;
  command.scanBeginSource = comedi::kTimer;
  command.scanBeginArgument = asked;
  command.convertSource = comedi::kTimer;  // kNow: the test of this family of boards never settles
  command.convertArgument = count == 1 ? 0 : asked / count;
  command.scanEndSource = comedi::kCount;
  command.scanEndArgument = count;
  command.stopSource = request.scans ? comedi::kCount : comedi::kNone;
  command.stopArgument = static_cast<unsigned>(request.scans.value_or(0));
  command.channels = words.data();
  command.channelCount = count;

  const auto guard = call.lock();
  int verdict = 1;
  for (int round = 0; verdict != 0 && round < kTestRounds; ++round) verdict = call.check(call.comedi_command_test(device_->handle(), &command), "comedi_command_test");
  if (verdict != 0) throw std::invalid_argument("command: the board does not take it (its test ends with " + std::to_string(verdict) + ")");
  scanIntervalNs_ = command.scanBeginArgument;
  convertIntervalNs_ = command.convertArgument;
  const unsigned difference = scanIntervalNs_ > asked ? scanIntervalNs_ - asked : asked - scanIntervalNs_;
  if (difference > std::max(kRoundingNs, asked / kRoundingPart))
    throw std::invalid_argument("scanIntervalNs: the board would make " + std::to_string(scanIntervalNs_) + " of " + std::to_string(asked));
  if (command.stopSource == comedi::kCount && command.stopArgument != *request.scans)
    throw std::invalid_argument("scans: the board would make " + std::to_string(command.stopArgument) + " of " + std::to_string(*request.scans));
  fd_ = call.check(call.comedi_fileno(device_->handle()), "comedi_fileno");
  call.check(call.comedi_command(device_->handle(), &command), "comedi_command");
}

void ComediAcquisition::run() {
  std::exception_ptr failure;
  try {
    readAll();
  } catch (...) {
    failure = std::current_exception();
  }
  {
    const ComediLibrary& call = device_->library();
    const auto guard = call.lock();
    call.comedi_cancel(device_->handle(), subdevice_);  // also after its end: until then the board counts as busy. It may be gone; the failure says so
  }
  const std::lock_guard guard(mutex_);
  failure_ = failure;
  ended_ = true;
  changed_.notify_all();
}

void ComediAcquisition::readAll() {
  std::vector<uint8_t> chunk(kReadBytes);
  while (waitForRoom() && waitForSamples()) {
    size_t wanted = chunk.size();
    {
      const std::lock_guard guard(mutex_);
      wanted = std::min(wanted, buffer_.size() - filled_);
      if (expectedBytes_) wanted = std::min<uint64_t>(wanted, *expectedBytes_ - received_);
    }
    const ssize_t count = device_->library().read(fd_, chunk.data(), wanted);
    if (count > 0) {
      append(chunk.data(), static_cast<size_t>(count));
      if (expectedBytes_ && received_ == *expectedBytes_) return;
    } else if (count == 0) {
      throw ComediError("the acquisition ended by itself after " + std::to_string(received_ / scanBytes_) + " scans", EIO);
    } else if (errno == EPIPE) {
      throw ComediError("overflow: the board's buffer was full after " + std::to_string(received_ / scanBytes_) + " scans; they were not taken in time", EPIPE);
    } else if (errno != EINTR && errno != EAGAIN) {
      const int code = errno;
      throw ComediError("read: " + std::string(std::strerror(code)) + " (Comedi error " + std::to_string(code) + ")", code);
    }
  }
}

bool ComediAcquisition::waitForRoom() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopping_ || filled_ < buffer_.size(); });
  return !stopping_;
}

bool ComediAcquisition::waitForSamples() const {
  std::array<pollfd, 2> both{pollfd{fd_, POLLIN, 0}, pollfd{wakeReader_.get(), POLLIN, 0}};
  while (::poll(both.data(), both.size(), -1) < 0)
    if (errno != EINTR) throw SystemError("poll", errno);
  return both[1].revents == 0;
}

void ComediAcquisition::append(const uint8_t* bytes, size_t count) {
  const std::lock_guard guard(mutex_);
  const size_t end = (first_ + filled_) % buffer_.size();
  const size_t straight = std::min(count, buffer_.size() - end);
  std::memcpy(buffer_.data() + end, bytes, straight);
  std::memcpy(buffer_.data(), bytes + straight, count - straight);
  filled_ += count;
  received_ += count;
  changed_.notify_all();
}

std::vector<uint8_t> ComediAcquisition::take(uint64_t maximumScans) {
  if (maximumScans == 0) throw std::invalid_argument("maximumScans: at least 1");
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ended_ || filled_ >= scanBytes_; });
  if (filled_ < scanBytes_ && failure_) std::rethrow_exception(failure_);
  const size_t count = static_cast<size_t>(std::min<uint64_t>(maximumScans, filled_ / scanBytes_)) * scanBytes_;
  std::vector<uint8_t> taken(count);
  const size_t straight = std::min(count, buffer_.size() - first_);
  std::memcpy(taken.data(), buffer_.data() + first_, straight);
  std::memcpy(taken.data() + straight, buffer_.data(), count - straight);
  first_ = (first_ + count) % buffer_.size();
  filled_ -= count;
  changed_.notify_all();
  return taken;
}

std::shared_ptr<Ring> ComediAcquisition::makeRing(const std::string& path, uint64_t scansPerFrame, uint64_t slots) const {
  if (sampleBytes_ != kPixelBytes) throw std::invalid_argument("subdevice: samples of 32 bits are no frames");
  if (scansPerFrame == 0 || scansPerFrame > kMaximumBuffer / scanBytes_) throw std::invalid_argument("height: at least 1, and at most what a gigabyte holds");
  if (slots < 2 || slots > kMaximumBuffer / scanBytes_ / scansPerFrame) throw std::invalid_argument("ringSlots: at least 2, and at most what a gigabyte holds");
  return Ring::create(path, {static_cast<uint32_t>(scanBytes_ / sampleBytes_), static_cast<uint32_t>(scansPerFrame), static_cast<uint32_t>(slots)});
}

std::vector<uint8_t> ComediAcquisition::pour(Ring& ring) {
  try {
    std::vector<uint8_t> rest = pourFrames(ring);
    ring.close();
    return rest;
  } catch (...) {
    ring.close();
    throw;
  }
}

std::vector<uint8_t> ComediAcquisition::pourFrames(Ring& ring) {
  const int64_t frameNs = static_cast<int64_t>(scanIntervalNs_) * ring.height();
  for (uint64_t sequence = 0;; ++sequence) {
    std::vector<uint8_t> frame;
    while (frame.size() < ring.frameBytes()) {
      const std::vector<uint8_t> taken = take((ring.frameBytes() - frame.size()) / scanBytes_);
      if (taken.empty()) return frame;
      frame.insert(frame.end(), taken.begin(), taken.end());
    }
    if (!ring.waitForRoom(kRecordedWithin)) throw std::logic_error("the samples are not recorded any more");
    const FrameStatistics statistics = copyAndMeasure(ring.measures(), frame.data(), ring.beginWrite());
    ring.publish({sequence, wallNs(), frameNs, static_cast<int64_t>(sequence + 1) * frameNs, statistics});
  }
}

void ComediAcquisition::stop() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  const std::lock_guard guard(joining_);
  wakeWriter_ = Descriptor();  // the reading end says so
  if (thread_.joinable()) thread_.join();
}

}  // namespace kymograph
