#include "writer.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
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

// Frames of one write when the writer is behind: as many as fit into writeBytes, the iovecs of one call, and a quarter of the ring, which may be lapped.
size_t framesOfWrite(const RecordingPlan& plan, const Ring& ring) {
  return std::clamp<size_t>(std::min<size_t>(plan.writeBytes / plan.batchBytes, ring.slots() / 4), 1, ExclusiveFile::kMostPieces / 2);
}

}  // namespace

Recording::Recording(std::shared_ptr<Ring> ring, RecordingPlan plan, OnEnd onEnd)
    : ring_(std::move(ring)),
      plan_(checked(std::move(plan), *ring_)),
      onEnd_(std::move(onEnd)),
      next_(ring_->published()),
      expectedSequence_(next_ == 0 ? 0 : ring_->stamp(next_ - 1).sequence + 1),
      files_(std::make_unique<RecordingFiles>(plan_)),
      stopAt_(kNever) {
  if (plan_.codec != BodyCodec::none) pool_ = std::make_unique<CompressPool>(ring_, plan_);
  const size_t heads = pool_ ? 0 : framesOfWrite(plan_, *ring_);
  for (size_t made = 0; made < heads; ++made) prepareHead(plan_, heads_.emplace_back(plan_.pixelOffset).data());
  stamps_.resize(heads);
  pieces_.resize(2 * heads);
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
  files_->begin();
  bytes_ = files_->bytes();
  syncedNs_ = monotonicNs();
  while (wanted()) {
    if (diskIsFull()) return {RecordingState::finished, "disk-full"};
    const bool compressing = pool_ && pool_->pending() > 0;
    if (!compressing && !ring_->waitFor(next_, kWaitForFrame)) {
      if (!ring_->closed() || ring_->published() > next_) continue;
      if (!fits([this] { writeLast(); })) return {RecordingState::finished, "disk-full"};
      return {RecordingState::finished, plan_.frames ? "the source stopped" : ""};
    }
    if (isLapped()) continue;
    if (!fits([this] { pool_ ? writeCompressed() : writePlain(); })) return {RecordingState::finished, "disk-full"};
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
  return written_ < plan_.frames.value_or(kNever) && (next_ < stopAt_ || (pool_ && pool_->pending() > 0));
}

// The oldest slot may be overwritten at any moment: once the writer is that far behind, half the ring is given up at one go.
bool Recording::isLapped() {
  const uint64_t published = ring_->published();
  if (published < next_ + ring_->slots()) return false;
  skipTo(published - ring_->slots() / 2);
  return true;
}

void Recording::writePlain() {
  const uint64_t wanted = std::min({ring_->published() - next_, stopAt_ - next_, plan_.frames.value_or(kNever) - written_});
  if (wanted == 0) return;  // stopped just now
  const size_t room = files_->makeRoom(plan_.batchBytes, static_cast<size_t>(std::min<uint64_t>(wanted, heads_.size())));
  const size_t count = gather(room);
  if (count == 0) return skipTo(next_ + 1);
  const std::span<const ExclusiveFile::Piece> pieces(pieces_.data(), 2 * count);
  checksum_->start(pieces);
  try {
    files_->write(pieces);
  } catch (...) {
    checksum_->results();  // it looks at the ring until then
    throw;
  }
  const std::span<const uint32_t> sums = checksum_->results();
  // If the camera lapped the writer meanwhile, what was written is void, and the next batches take its place.
  if (!ring_->whole(next_)) return skipTo(next_ + 1);
  for (size_t at = 0; at < count; ++at) keep(stamps_[at], plan_.batchBytes, sums[at]);
  skipTo(next_ + count);
}

// The frames from next_ on that are whole, at most `most`: how many.
size_t Recording::gather(size_t most) {
  for (size_t at = 0; at < most; ++at) {
    const uint64_t index = next_ + at;
    stamps_[at] = ring_->stamp(index);
    if (!ring_->whole(index)) return at;
    fillHead(plan_, *ring_, stamps_[at], heads_[at].data());
    pieces_[2 * at] = {heads_[at].data(), heads_[at].size()};
    pieces_[2 * at + 1] = {ring_->pixels(index), ring_->paddedFrameBytes()};
  }
  return most;
}

// Asks for as many as there are, so that they are compressed side by side when the writer is behind, and writes the oldest.
void Recording::writeCompressed() {
  const uint64_t end = std::min<uint64_t>(ring_->published(), stopAt_);
  while (pool_->pending() < pool_->places() && next_ < end && written_ + pool_->pending() < plan_.frames.value_or(kNever)) pool_->ask(next_++);
  if (pool_->pending() == 0) return;
  if (const std::optional<CompressPool::Batch> batch = pool_->oldest()) {
    files_->makeRoom(batch->bytes, 1);
    const ExclusiveFile::Piece piece{batch->data, batch->bytes};
    files_->write({&piece, 1});
    keep(batch->stamp, batch->bytes, batch->crc32c);
  }
  pool_->giveBack();
  ring_->noteRecorded(next_ - pool_->pending());
}

// What the source had left at its end, if it leaves such.
void Recording::writeLast() {
  const std::optional<LastBatch> last = ring_->takeLast();
  if (!last) return;
  const PageBuffer batch(last->bytes.size());
  std::copy(last->bytes.begin(), last->bytes.end(), batch.data());
  files_->makeRoom(batch.size(), 1);
  const ExclusiveFile::Piece piece{batch.data(), batch.size()};
  files_->write({&piece, 1});
  files_->keep({0, batch.size(), last->stamp.sequence, last->stamp.timeNs, crc32c(0, batch.data(), batch.size()), 0});
  bytes_ = files_->bytes();
  ++written_;
}

void Recording::keep(const FrameStamp& stamp, uint64_t bytes, uint32_t crc32c) {
  files_->keep({0, bytes, stamp.sequence, stamp.timeNs, crc32c, 0});
  bytes_ = files_->bytes();
  dropped_ += stamp.sequence - expectedSequence_;
  expectedSequence_ = stamp.sequence + 1;
  ++written_;
}

void Recording::skipTo(uint64_t index) {
  next_ = index;
  ring_->noteRecorded(next_);
}

// Threads, files and buffers: JavaScript may keep the recording long after its end.
void Recording::letGo() {
  pool_.reset();
  checksum_.reset();
  files_.reset();
  heads_.clear();
}

bool Recording::diskIsFull() {
  if (bytes_ < freeCheckedAt_) return false;
  freeCheckedAt_ = bytes_ + kCheckFreeEveryBytes;
  return files_->freeBytes() < plan_.keepFreeBytes + kCheckFreeEveryBytes;
}

}  // namespace kymograph
