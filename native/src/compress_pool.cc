#include "compress_pool.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "crc32c.h"
#include "thread_name.h"

namespace kymograph {

namespace {

constexpr unsigned kMostThreads = 4;         // of one recording: the station has other work, and more cameras may record
constexpr size_t kPlacesEachThread = 2;      // one is compressed while the one before is written
constexpr int64_t kNotCompressed = -1;       // Message.fbs, BodyCompressionMethod: what follows stands as it is
constexpr size_t kPrefixBytes = sizeof(int64_t);

unsigned threadsOf(const Ring& ring) {
  const unsigned processors = std::max(1u, std::thread::hardware_concurrency());
  return std::clamp(ring.slots() / static_cast<uint32_t>(2 * kPlacesEachThread), 1u, std::min(processors, kMostThreads));
}

}  // namespace

CompressPool::CompressPool(std::shared_ptr<Ring> ring, const BatchPlan& plan) : ring_(std::move(ring)), plan_(plan) {
  const unsigned threads = threadsOf(*ring_);
  const size_t most = std::max(compressBound(plan_.codec, ring_->frameBytes()), ring_->frameBytes());
  places_.reserve(threads * kPlacesEachThread);
  for (size_t made = 0; made < threads * kPlacesEachThread; ++made) {
    places_.emplace_back(wholePages(plan_.pixelOffset + kPrefixBytes + most));
    prepareHead(plan_, places_.back().buffer.data());
  }
  std::vector<BodyCompressor> compressors;
  for (unsigned made = 0; made < threads; ++made) compressors.emplace_back(plan_.codec);
  threads_.reserve(threads);
  for (BodyCompressor& compressor : compressors) threads_.emplace_back([this, mine = std::make_shared<BodyCompressor>(std::move(compressor))] { run(std::move(*mine)); });
}

CompressPool::~CompressPool() {
  {
    const std::lock_guard guard(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void CompressPool::ask(uint64_t index) {
  {
    const std::lock_guard guard(mutex_);
    Place& next = place(asked_);
    next.index = index;
    next.made = false;
    next.batch.reset();
    next.failure = nullptr;
    ++asked_;
  }
  changed_.notify_all();
}

std::optional<CompressPool::Batch> CompressPool::oldest() {
  std::unique_lock guard(mutex_);
  const Place& first = place(given_);
  changed_.wait(guard, [&first] { return first.made; });
  if (first.failure) std::rethrow_exception(first.failure);
  return first.batch;
}

void CompressPool::giveBack() {
  const std::lock_guard guard(mutex_);
  ++given_;
}

void CompressPool::run(BodyCompressor compressor) {
  nameThread("frame compress");
  std::unique_lock guard(mutex_);
  for (;;) {
    changed_.wait(guard, [this] { return over_ || begun_ < asked_; });
    if (over_) return;
    Place& mine = place(begun_++);
    guard.unlock();
    std::optional<Batch> batch;
    std::exception_ptr failure;
    try {
      batch = make(compressor, mine);
    } catch (...) {
      if (ring_->whole(mine.index)) failure = std::current_exception();
    }
    guard.lock();
    mine.batch = batch;
    mine.failure = failure;
    mine.made = true;
    changed_.notify_all();
  }
}

// What the source overwrites meanwhile may be compressed, or fail to be: it is void either way.
std::optional<CompressPool::Batch> CompressPool::make(BodyCompressor& compressor, const Place& place) const {
  const FrameStamp stamp = ring_->stamp(place.index);
  if (!ring_->whole(place.index)) return std::nullopt;
  uint8_t* const data = place.buffer.data();
  uint8_t* const pixels = data + plan_.pixelOffset + kPrefixBytes;
  int64_t prefix = static_cast<int64_t>(ring_->frameBytes());
  size_t bytes = compressor.compress(ring_->pixels(place.index), ring_->frameBytes(), pixels, place.buffer.size() - plan_.pixelOffset - kPrefixBytes);
  if (bytes >= ring_->frameBytes()) {
    bytes = ring_->frameBytes();
    prefix = kNotCompressed;
    std::memcpy(pixels, ring_->pixels(place.index), bytes);
  }
  if (!ring_->whole(place.index)) return std::nullopt;
  const size_t total = wholePages(plan_.pixelOffset + kPrefixBytes + bytes);
  fillHead(plan_, *ring_, stamp, data);
  const auto put = [data](size_t offset, int64_t value) { std::memcpy(data + offset, &value, sizeof value); };
  put(plan_.bodyLengthOffset, static_cast<int64_t>(total - plan_.head.size()));
  put(plan_.pixelLengthOffset, static_cast<int64_t>(kPrefixBytes + bytes));
  put(plan_.pixelOffset, prefix);
  std::memset(pixels + bytes, 0, total - plan_.pixelOffset - kPrefixBytes - bytes);
  return Batch{stamp, data, total, crc32c(0, data, total)};
}

}  // namespace kymograph
