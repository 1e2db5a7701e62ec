#include "batch_pool.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "crc32c.h"
#include "thread_name.h"

namespace kymograph {

namespace {

constexpr unsigned kMostThreads = 4;     // of one recording: the station has other work, and more cameras may record
constexpr size_t kPlacesEachThread = 2;  // one is made while the one before is written
constexpr uint64_t kShareOfRing = 4;     // a place holds no more than this part of it: the source may lap what waits
constexpr int64_t kNotCompressed = -1;   // Message.fbs, BodyCompressionMethod: what follows stands as it is
constexpr size_t kPrefixBytes = sizeof(int64_t);

// A copy is made at the speed of memory: one thread is ahead of any disk.
unsigned threadsOf(const BatchPlan& plan, const Ring& ring) {
  if (plan.codec == BodyCodec::none) return 1;
  const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  return std::clamp(ring.slots() / static_cast<uint32_t>(2 * kPlacesEachThread), 1u, std::min(processors, kMostThreads));
}

// The most that a batch can become.
size_t roomOfBatch(const BatchPlan& plan, const Ring& ring) {
  if (plan.codec == BodyCodec::none) return plan.batchBytes;
  return wholePages(plan.pixelOffset + kPrefixBytes + std::max(compressBound(plan.codec, ring.frameBytes()), ring.frameBytes()));
}

size_t framesOfPlace(const RecordingPlan& plan, const Ring& ring) {
  return std::max<size_t>(1, std::min<size_t>(plan.writeBytes / roomOfBatch(plan, ring), ring.slots() / kShareOfRing));
}

}  // namespace

BatchPool::BatchPool(std::shared_ptr<Ring> ring, const RecordingPlan& plan) : ring_(std::move(ring)), plan_(plan), framesOfPlace_(framesOfPlace(plan, *ring_)) {
  const unsigned threads = threadsOf(plan_, *ring_);
  places_.reserve(threads * kPlacesEachThread);
  for (size_t made = 0; made < threads * kPlacesEachThread; ++made) places_.emplace_back(framesOfPlace_ * roomOfBatch(plan_, *ring_)).batches.reserve(framesOfPlace_);
  std::vector<Compressor> compressors(threads);
  if (plan_.codec != BodyCodec::none)
    for (Compressor& compressor : compressors) compressor.emplace(plan_.codec);
  threads_.reserve(threads);
  try {
    for (Compressor& compressor : compressors) threads_.emplace_back([this, mine = std::move(compressor)]() mutable { run(mine); });
  } catch (...) {
    join();  // the system gave some threads and then no more
    throw;
  }
}

BatchPool::~BatchPool() { join(); }

void BatchPool::join() {
  {
    const std::lock_guard guard(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

uint64_t BatchPool::ask(uint64_t first, uint64_t most) {
  const uint64_t places = places_.size() - (asked_ - given_);
  const uint64_t frames = std::min<uint64_t>(framesOfPlace_, (most + places - 1) / places);  // all threads get something to do
  {
    const std::lock_guard guard(mutex_);
    Place& next = place(asked_);
    next.first = first;
    next.frames = frames;
    next.made = false;
    next.batches.clear();
    next.failure = nullptr;
    ++asked_;
  }
  framesPending_ += frames;
  changed_.notify_all();
  return frames;
}

BatchPool::Run BatchPool::oldest() {
  std::unique_lock guard(mutex_);
  const Place& first = place(given_);
  changed_.wait(guard, [&first] { return first.made; });
  framesPending_ -= first.frames;
  if (first.failure) std::rethrow_exception(first.failure);
  return {first.buffer.data(), first.batches};
}

void BatchPool::giveBack() {
  const std::lock_guard guard(mutex_);
  ++given_;
}

void BatchPool::run(Compressor& compressor) {
  nameThread("frame batches");
  std::unique_lock guard(mutex_);
  for (;;) {
    changed_.wait(guard, [this] { return over_ || begun_ < asked_; });
    if (over_) return;
    Place& mine = place(begun_++);
    guard.unlock();
    try {
      make(compressor, mine);
    } catch (...) {
      mine.failure = std::current_exception();
    }
    guard.lock();
    mine.made = true;
    changed_.notify_all();
  }
}

void BatchPool::make(Compressor& compressor, Place& place) const {
  uint8_t* next = place.buffer.data();
  for (uint64_t index = place.first; index < place.first + place.frames; ++index) {
    const std::optional<BatchEntry> batch = makeBatch(compressor, index, next);
    if (!batch) continue;
    place.batches.push_back(*batch);
    next += batch->bytes;
  }
}

// What the source overwrites meanwhile may be torn, or fail to be compressed: it is void either way.
std::optional<BatchEntry> BatchPool::makeBatch(Compressor& compressor, uint64_t index, uint8_t* data) const {
  const FrameStamp stamp = ring_->stamp(index);
  if (!ring_->whole(index)) return std::nullopt;
  fillHead(plan_, *ring_, stamp, data);
  try {
    const BatchEntry batch = compressor ? compressed(*compressor, stamp, index, data) : copied(stamp, index, data);
    if (ring_->whole(index)) return batch;
  } catch (...) {
    if (ring_->whole(index)) throw;
  }
  return std::nullopt;
}

BatchEntry BatchPool::copied(const FrameStamp& stamp, uint64_t index, uint8_t* data) const {
  const uint32_t head = crc32c(0, data, plan_.pixelOffset);
  return {0, plan_.batchBytes, stamp.sequence, stamp.timeNs, copyWithCrc32c(head, data + plan_.pixelOffset, ring_->pixels(index), ring_->paddedFrameBytes()), 0};
}

BatchEntry BatchPool::compressed(BodyCompressor& compressor, const FrameStamp& stamp, uint64_t index, uint8_t* data) const {
  const size_t room = roomOfBatch(plan_, *ring_);
  uint8_t* const pixels = data + plan_.pixelOffset + kPrefixBytes;
  int64_t prefix = static_cast<int64_t>(ring_->frameBytes());
  size_t bytes = compressor.compress(ring_->pixels(index), ring_->frameBytes(), pixels, room - plan_.pixelOffset - kPrefixBytes);
  if (bytes >= ring_->frameBytes()) {
    bytes = ring_->frameBytes();
    prefix = kNotCompressed;
    std::memcpy(pixels, ring_->pixels(index), bytes);
  }
  const size_t total = wholePages(plan_.pixelOffset + kPrefixBytes + bytes);
  const auto put = [data](size_t offset, int64_t value) { std::memcpy(data + offset, &value, sizeof value); };
  put(plan_.bodyLengthOffset, static_cast<int64_t>(total - plan_.head.size()));
  put(plan_.pixelLengthOffset, static_cast<int64_t>(kPrefixBytes + bytes));
  put(plan_.pixelOffset, prefix);
  std::memset(pixels + bytes, 0, total - plan_.pixelOffset - kPrefixBytes - bytes);
  return {0, total, stamp.sequence, stamp.timeNs, crc32c(0, data, total), 0};
}

}  // namespace kymograph
