#include "comedi_acquisition.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>

namespace kymograph {

namespace {

constexpr size_t kReadBytes = 64 * 1024;    // the kernel's own buffer, unless it was made larger
constexpr size_t kMaximumBuffer = 1 << 30;  // more than this is a file
constexpr uint32_t kRingWidth = kPageBytes / kPixelBytes;  // a slot of a ring is told in pixels
constexpr int kRoomRounds = 200;                           // ten seconds: a ring that nobody empties for so long has no recorder any more
constexpr std::chrono::milliseconds kRoomRound{50};

int64_t wallNs() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

size_t bufferBytes(uint64_t scans, size_t scanBytes) {
  if (scans == 0 || scans > kMaximumBuffer / scanBytes) throw std::invalid_argument("bufferScans: 1 to " + std::to_string(kMaximumBuffer / scanBytes));
  return static_cast<size_t>(std::max<uint64_t>(scans, 2)) * scanBytes;
}

std::vector<comedi::Range> rangesOf(const ComediDevice& device, const ComediAcquisitionRequest& request) {
  std::vector<comedi::Range> ranges;
  for (const ComediChannel& each : request.channels) ranges.push_back(device.subdevice(request.subdevice).ranges.at(each.range));
  return ranges;
}

}  // namespace

ComediAcquisition::ComediAcquisition(std::shared_ptr<ComediDevice> device, const ComediAcquisitionRequest& request, uint64_t bufferScans)
    : ComediTransfer(std::move(device), request),
      ranges_(rangesOf(ComediTransfer::device(), request)),
      maximumCount_(ComediTransfer::device().subdevice(request.subdevice).maxdata),
      scanBytes_(sampleBytes_ * request.channels.size()),
      expectedBytes_(request.scans ? std::optional(*request.scans * scanBytes_) : std::nullopt),
      triggered_(request.start.has_value()),
      buffer_(bufferBytes(bufferScans, scanBytes_)) {}

void ComediAcquisition::started() { startNs_ = commandedNs_; }

void ComediAcquisition::move() {
  std::vector<uint8_t> chunk(kReadBytes);
  while (waitForRoom() && waitFor(descriptor(), POLLIN, -1) != Waited::kWoken) {
    size_t wanted = chunk.size();
    {
      const std::lock_guard guard(mutex_);
      wanted = std::min(wanted, buffer_.size() - filled_);
      if (expectedBytes_) wanted = std::min<uint64_t>(wanted, *expectedBytes_ - received_);
    }
    const ssize_t count = device().library().read(descriptor(), chunk.data(), wanted);
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

void ComediAcquisition::append(const uint8_t* bytes, size_t count) {
  const std::lock_guard guard(mutex_);
  if (triggered_ && received_ == 0) startNs_ = wallNs() - static_cast<int64_t>(count / scanBytes_ * scanIntervalNs());
  const size_t end = (first_ + filled_) % buffer_.size();
  const size_t straight = std::min(count, buffer_.size() - end);
  std::memcpy(buffer_.data() + end, bytes, straight);
  std::memcpy(buffer_.data(), bytes + straight, count - straight);
  filled_ += count;
  received_ += count;
  keepLatest(end + count);
  changed_.notify_all();
}

// `end`: where in the buffer, which holds at least two scans, the newest byte stands.
void ComediAcquisition::keepLatest(size_t end) {
  const size_t begun = received_ % scanBytes_;
  if (received_ < scanBytes_) return;
  latest_.resize(scanBytes_);
  const size_t size = buffer_.size();
  const size_t first = (end + 2 * size - begun - scanBytes_) % size;
  const size_t straight = std::min(scanBytes_, size - first);
  std::memcpy(latest_.data(), buffer_.data() + first, straight);
  std::memcpy(latest_.data() + straight, buffer_.data(), scanBytes_ - straight);
}

std::vector<uint8_t> ComediAcquisition::latest() {
  const std::lock_guard guard(mutex_);
  return latest_;
}

std::vector<uint8_t> ComediAcquisition::take(uint64_t maximumScans) {
  if (maximumScans == 0) throw std::invalid_argument("maximumScans: at least 1");
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ended_ || filled_ >= scanBytes_; });
  if (filled_ < scanBytes_ && failure_) std::rethrow_exception(failure_);
  if (filled_ < scanBytes_) return {};
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

std::shared_ptr<Ring> ComediAcquisition::makeRing(const std::string& path, const ScanTable& table, uint64_t slots) const {
  checkScanTable(table, ranges_.size());
  if (slots < 2 || slots > kMaximumBuffer / table.columnsBytes) throw std::invalid_argument("ringSlots: at least 2, and at most what a gigabyte holds");
  return Ring::create(path, {kRingWidth, static_cast<uint32_t>(table.columnsBytes / kPageBytes), static_cast<uint32_t>(slots)});
}

void ComediAcquisition::pour(Ring& ring, const ScanTable& table) {
  const ScanColumns columns(table, ranges_, maximumCount_, sampleBytes_);
  std::vector<uint8_t> scans;  // less than a batch
  uint64_t poured = 0;
  std::exception_ptr failure;
  try {
    pourBatches(ring, columns, table.rowsPerBatch, scans, poured);
  } catch (...) {
    failure = std::current_exception();
  }
  const uint64_t rest = scans.size() / scanBytes_;
  std::optional<LastBatch> last;
  if (rest > 0 && rest < table.rowsPerBatch) {
    lastScans_ = rest;
    const FrameStamp stamp{poured / table.rowsPerBatch, wallNs(), static_cast<int64_t>(rest * scanIntervalNs()), static_cast<int64_t>((poured + rest) * scanIntervalNs()), {}};
    last = LastBatch{columns.shortBatch(scans.data(), rest, poured, startNs_, scanIntervalNs()), stamp};
  }
  ring.close(std::move(last));
  if (failure) std::rethrow_exception(failure);
}

void ComediAcquisition::pourBatches(Ring& ring, const ScanColumns& columns, size_t rows, std::vector<uint8_t>& scans, uint64_t& poured) {
  const auto batchNs = static_cast<int64_t>(rows * scanIntervalNs());
  for (;;) {
    while (scans.size() < rows * scanBytes_) {
      const std::vector<uint8_t> taken = take(rows - scans.size() / scanBytes_);
      if (taken.empty()) return;
      scans.insert(scans.end(), taken.begin(), taken.end());
    }
    if (!waitForRoom(ring)) throw std::logic_error("the samples are not recorded any more");
    columns.fill(reinterpret_cast<uint8_t*>(ring.beginWrite()), scans.data(), rows, poured, startNs_, scanIntervalNs());
    const uint64_t sequence = poured / rows;
    ring.publish({sequence, wallNs(), batchNs, static_cast<int64_t>(sequence + 1) * batchNs, {}});
    poured += rows;
    scans.clear();
  }
}

bool ComediAcquisition::waitForRoom(Ring& ring) const {
  for (int round = 0; round < kRoomRounds && !abandoned_; ++round)
    if (ring.waitForRoom(kRoomRound)) return true;
  return false;
}

}  // namespace kymograph
