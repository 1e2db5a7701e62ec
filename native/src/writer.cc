#include "writer.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "crc32c.h"
#include "thread_name.h"

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

}  // namespace

Recording::Recording(std::shared_ptr<Ring> ring, RecordingPlan plan, OnEnd onEnd)
    : ring_(std::move(ring)),
      plan_(checked(std::move(plan), *ring_)),
      onEnd_(std::move(onEnd)),
      next_(ring_->published()),
      expectedSequence_(next_ == 0 ? 0 : ring_->stamp(next_ - 1).sequence + 1),
      pool_(std::make_unique<BatchPool>(ring_, plan_)),
      files_(std::make_unique<RecordingFiles>(plan_)),
      stopAt_(kNever) {
  ring_->noteRecorded(next_);
  try {
    thread_ = std::thread([this] { run(); });
  } catch (...) {
    files_->finish();  // nothing is in them: they go
    throw;
  }
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
  nameThread("frame writer");
  End end;
  try {
    end = record();
    files_->finish();
    bytes_ = files_->bytes();
  } catch (const SystemError& error) {
    end = {RecordingState::failed, error.code() == ENOSPC ? "disk-full" : error.what()};
  } catch (const std::exception& error) {
    end = {RecordingState::failed, error.what()};
  }
  letGo();
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
  if (!fits([this] { files_->begin(); })) return {RecordingState::failed, "disk-full"};
  bytes_ = files_->bytes();
  syncedNs_ = monotonicNs();
  while (wanted()) {
    if (diskIsFull()) return {RecordingState::finished, "disk-full"};
    if (!pool_->pending() && !ring_->waitFor(next_, kWaitForFrame)) {
      if (!ring_->closed() || ring_->published() > next_) continue;
      if (!fits([this] { writeLast(); })) return {RecordingState::finished, "disk-full"};
      return {RecordingState::finished, plan_.frames ? "the source stopped" : ""};
    }
    if (isLapped()) continue;
    if (!fits([this] { writeNext(); })) return {RecordingState::finished, "disk-full"};
    if (monotonicNs() - syncedNs_ > kSyncEveryNs) {
      files_->syncData();
      syncedNs_ = monotonicNs();
    }
  }
  return {};
}

// Whether what `write` writes had room on the disk.
bool Recording::fits(const std::function<void()>& write) {
  try {
    write();
    return true;
  } catch (const SystemError& error) {
    if (error.code() != ENOSPC) throw;
    return false;
  }
}

bool Recording::wanted() const {
  return written_ < plan_.frames.value_or(kNever) && (next_ < stopAt_ || pool_->pending());
}

// The oldest slot may be overwritten at any moment: once the writer is that far behind, half the ring is given up at one go.
bool Recording::isLapped() {
  const uint64_t published = ring_->published();
  if (published < next_ + ring_->slots()) return false;
  skipTo(published - ring_->slots() / 2);
  return true;
}

// Asks for the frames that are there, so that the next are made while these are written, and writes the oldest.
void Recording::writeNext() {
  const uint64_t end = std::min<uint64_t>(ring_->published(), stopAt_);
  while (pool_->hasPlace()) {
    const uint64_t asked = written_ + pool_->framesPending();
    const uint64_t most = next_ < end ? std::min(end - next_, plan_.frames.value_or(kNever) - asked) : 0;
    if (most == 0) break;
    next_ += pool_->ask(next_, most);
  }
  if (!pool_->pending()) return;  // stopped just now
  auto [data, left] = pool_->oldest();
  ring_->noteRecorded(next_ - pool_->framesPending());
  while (!left.empty()) {
    const std::span<const BatchEntry> batches = left.first(files_->makeRoom(left));
    const size_t bytes = std::transform_reduce(batches.begin(), batches.end(), size_t{0}, std::plus<>{}, [](const BatchEntry& batch) { return batch.bytes; });
    files_->write(data, bytes);
    keep(batches);
    data += bytes;
    left = left.subspan(batches.size());
  }
  pool_->giveBack();
}

// What the source had left at its end, if it leaves such.
void Recording::writeLast() {
  const std::optional<LastBatch> last = ring_->takeLast();
  if (!last) return;
  const PageBuffer batch(last->bytes.size());
  std::copy(last->bytes.begin(), last->bytes.end(), batch.data());
  const BatchEntry entry{0, batch.size(), last->stamp.sequence, last->stamp.timeNs, crc32c(0, batch.data(), batch.size()), 0};
  files_->makeRoom({&entry, 1});
  files_->write(batch.data(), batch.size());
  files_->keep({&entry, 1});
  bytes_ = files_->bytes();
  ++written_;
}

void Recording::keep(std::span<const BatchEntry> batches) {
  files_->keep(batches);
  bytes_ = files_->bytes();
  for (const BatchEntry& batch : batches) {
    dropped_ += batch.sequence - expectedSequence_;
    expectedSequence_ = batch.sequence + 1;
  }
  written_ += batches.size();
}

void Recording::skipTo(uint64_t index) {
  next_ = index;
  ring_->noteRecorded(next_);
}

// Threads, files and buffers: JavaScript may keep the recording long after its end.
void Recording::letGo() {
  pool_.reset();
  files_.reset();
}

bool Recording::diskIsFull() {
  if (bytes_ < freeCheckedAt_) return false;
  freeCheckedAt_ = bytes_ + kCheckFreeEveryBytes;
  return files_->freeBytes() < plan_.keepFreeBytes + kCheckFreeEveryBytes;
}

}  // namespace kymograph
