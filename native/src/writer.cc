#include "writer.h"

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>
#include <utility>

namespace kymograph {

namespace {

using namespace std::chrono_literals;

constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();
constexpr auto kWaitForFrame = 50ms;                      // how late a stop may be seen when no frame comes
constexpr uint64_t kSyncEveryNs = 1'000'000'000;          // what a power cut may cost
constexpr uint64_t kCheckFreeEveryBytes = 64ull << 20;    // statvfs is cheap, not free

uint64_t monotonicNs() {
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count());
}

void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

RecordingPlan checked(RecordingPlan plan, const Ring& ring) {
  require(!plan.path.empty() && plan.path.front() == '/', "path: give an absolute path");
  require(!plan.schemaMessage.empty() && plan.schemaMessage.size() % kPageBytes == 0, "schemaMessage: its length must be a multiple of 4096");
  require(plan.pixelOffset > 0 && plan.pixelOffset % kPageBytes == 0, "pixelOffset: must be a multiple of 4096");
  require(plan.batchHead.size() <= plan.pixelOffset, "batchHead: may not reach into the pixels");
  require(plan.batchBytes == plan.pixelOffset + ring.paddedFrameBytes(), "batchBytes: does not fit the ring's frames");
  require(plan.batchHeadWithoutClock.size() == plan.batchHead.size(), "batchHeadWithoutClock: must be as long as batchHead");
  require(plan.constants.size() <= plan.pixelOffset && plan.constantsOffset <= plan.pixelOffset - plan.constants.size(), "constants: must lie before the pixels");
  for (const size_t offset : {plan.sequenceOffset, plan.timeOffset, plan.hardwareTimeOffset, plan.exposureOffset})
    require(offset <= plan.pixelOffset - sizeof(uint64_t), "the columns must lie before the pixels");
  require(plan.frames.value_or(1) > 0, "frames: must be at least 1");
  return plan;
}

}  // namespace

PageBuffer::PageBuffer(size_t bytes) : bytes_(bytes), data_(static_cast<uint8_t*>(std::aligned_alloc(kPageBytes, bytes))) {
  if (!data_) throw std::bad_alloc();
}

void PageBuffer::Free::operator()(uint8_t* data) const { std::free(data); }

Recording::Recording(std::shared_ptr<Ring> ring, RecordingPlan plan, OnEnd onEnd)
    : ring_(std::move(ring)),
      plan_(checked(std::move(plan), *ring_)),
      onEnd_(std::move(onEnd)),
      next_(ring_->published()),
      expectedSequence_(next_ == 0 ? 0 : ring_->stamp(next_ - 1).sequence + 1),
      file_(plan_.path),
      index_(plan_.path + ".index"),
      head_(plan_.pixelOffset),
      stopAt_(kNever) {
  std::memset(head_.data(), 0, head_.size());
  std::memcpy(head_.data() + plan_.constantsOffset, plan_.constants.data(), plan_.constants.size());
  ring_->noteRecorded(next_);
  thread_ = std::thread([this] { run(); });
}

Recording::~Recording() {
  requestStop();
  join();
}

void Recording::join() {
  if (thread_.joinable()) thread_.join();
}

void Recording::requestStop() {
  const std::lock_guard guard(mutex_);
  uint64_t never = kNever;
  if (ring_) stopAt_.compare_exchange_strong(never, ring_->published());
}

RecordingProgress Recording::progress() const {
  const std::lock_guard guard(mutex_);
  return {written_, dropped_, bytes_, running_ ? RecordingState::running : end_.state, end_.reason};
}

void Recording::run() noexcept {
  End end;
  try {
    end = record();
    finish();
  } catch (const SystemError& error) {
    end = {RecordingState::failed, error.code() == ENOSPC ? "disk-full" : error.what()};
  } catch (const std::exception& error) {
    end = {RecordingState::failed, error.what()};
  }
  std::shared_ptr<Ring> last;
  {
    const std::lock_guard guard(mutex_);
    end_ = std::move(end);
    running_ = false;
    last = std::move(ring_);
  }
  last.reset();
  onEnd_(progress());
}

Recording::End Recording::record() {
  const PageBuffer schema(plan_.schemaMessage.size());
  std::memcpy(schema.data(), plan_.schemaMessage.data(), plan_.schemaMessage.size());
  file_.write({schema.data(), schema.size()}, {nullptr, 0}, 0);
  bytes_ = schema.size();
  file_.syncData();
  file_.syncFolder();
  syncedNs_ = monotonicNs();

  while (written_ < plan_.frames.value_or(kNever) && next_ < stopAt_) {
    if (diskIsFull()) return {RecordingState::finished, "disk-full"};
    if (!ring_->waitFor(next_, kWaitForFrame)) {
      if (!ring_->closed() || ring_->published() > next_) continue;
      try {
        writeLast();
      } catch (const SystemError& error) {
        if (error.code() != ENOSPC) throw;
        return {RecordingState::finished, "disk-full"};
      }
      return {RecordingState::finished, plan_.frames ? "the source stopped" : ""};
    }
    // The oldest slot may be overwritten at any moment: once the writer is that far behind, half the ring is given up at one go.
    const uint64_t published = ring_->published();
    if (published - next_ >= ring_->slots()) {
      skipTo(published - ring_->slots() / 2);
      continue;
    }
    try {
      if (!writeBatch(next_)) {
        skipTo(next_ + 1);
        continue;
      }
    } catch (const SystemError& error) {
      if (error.code() != ENOSPC) throw;
      return {RecordingState::finished, "disk-full"};
    }
    ++next_;
    ++written_;
    bytes_ += plan_.batchBytes;
    ring_->noteRecorded(next_);
    if (monotonicNs() - syncedNs_ > kSyncEveryNs) {
      file_.syncData();
      syncedNs_ = monotonicNs();
    }
  }
  return {};
}

// False if the camera lapped the writer meanwhile: what was written is void and the next batch takes its place.
bool Recording::writeBatch(uint64_t index) {
  const FrameStamp stamp = ring_->stamp(index);
  if (!ring_->whole(index)) return false;
  fillHead(stamp);
  const ExclusiveFile::Piece head{head_.data(), head_.size()};
  const ExclusiveFile::Piece pixels{ring_->pixels(index), ring_->paddedFrameBytes()};
  checksum_.start(head, pixels);
  try {
    file_.write(head, pixels, bytes_);
  } catch (...) {
    checksum_.result();  // it looks at the ring until then
    throw;
  }
  const uint32_t sum = checksum_.result();
  if (!ring_->whole(index)) return false;
  index_.add({bytes_, plan_.batchBytes, stamp.sequence, stamp.timeNs, sum, 0});
  dropped_ += stamp.sequence - expectedSequence_;
  expectedSequence_ = stamp.sequence + 1;
  return true;
}

void Recording::fillHead(const FrameStamp& stamp) {
  const bool hasClock = stamp.hardwareTimeNs != kNoHardwareTime;
  const std::vector<uint8_t>& head = hasClock ? plan_.batchHead : plan_.batchHeadWithoutClock;
  const int64_t hardwareTimeNs = hasClock ? stamp.hardwareTimeNs : 0;  // under a null
  std::memcpy(head_.data(), head.data(), head.size());
  std::memcpy(head_.data() + plan_.sequenceOffset, &stamp.sequence, sizeof stamp.sequence);
  std::memcpy(head_.data() + plan_.timeOffset, &stamp.timeNs, sizeof stamp.timeNs);
  std::memcpy(head_.data() + plan_.hardwareTimeOffset, &hardwareTimeNs, sizeof hardwareTimeNs);
  std::memcpy(head_.data() + plan_.exposureOffset, &stamp.exposureNs, sizeof stamp.exposureNs);
}

// What the source had left at its end, if it leaves such.
void Recording::writeLast() {
  const std::optional<LastBatch> last = ring_->takeLast();
  if (!last) return;
  PageBuffer batch(last->bytes.size());
  std::memcpy(batch.data(), last->bytes.data(), batch.size());
  const ExclusiveFile::Piece whole{batch.data(), batch.size()};
  file_.write(whole, {nullptr, 0}, bytes_);
  checksum_.start(whole, {nullptr, 0});
  index_.add({bytes_, batch.size(), last->stamp.sequence, last->stamp.timeNs, checksum_.result(), 0});
  ++written_;
  bytes_ += batch.size();
}

void Recording::skipTo(uint64_t index) {
  next_ = index;
  ring_->noteRecorded(next_);
}

bool Recording::diskIsFull() {
  if (bytes_ < freeCheckedAt_) return false;
  freeCheckedAt_ = bytes_ + kCheckFreeEveryBytes;
  return file_.freeBytes() < plan_.keepFreeBytes + kCheckFreeEveryBytes;
}

// Cuts what a void or partial batch left behind, and ends the stream.
void Recording::finish() {
  file_.leaveDirect();
  file_.truncate(bytes_);
  file_.write({plan_.endOfStream.data(), plan_.endOfStream.size()}, {nullptr, 0}, bytes_);
  bytes_ += plan_.endOfStream.size();
  file_.syncData();
  index_.finish();
}

}  // namespace kymograph
