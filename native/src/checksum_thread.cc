#include "checksum_thread.h"

#include "crc32c.h"
#include "thread_name.h"

namespace kymograph {

ChecksumThread::ChecksumThread() : thread_([this] { run(); }) {}

ChecksumThread::~ChecksumThread() {
  {
    const std::lock_guard guard(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void ChecksumThread::start(std::span<const ExclusiveFile::Piece> batches) {
  {
    const std::lock_guard guard(mutex_);
    batches_ = batches;
    sums_.resize(batches.size() / 2);
    begun_ = 0;
    done_ = 0;
  }
  changed_.notify_all();
}

std::span<const uint32_t> ChecksumThread::results() {
  std::unique_lock guard(mutex_);
  takeAll(guard);
  changed_.wait(guard, [this] { return done_ == sums_.size(); });
  return sums_;
}

void ChecksumThread::run() {
  nameThread("frame checksum");
  std::unique_lock guard(mutex_);
  for (;;) {
    changed_.wait(guard, [this] { return begun_ < sums_.size() || over_; });
    if (begun_ == sums_.size()) return;
    takeAll(guard);
  }
}

// Until none is left that nobody has begun.
void ChecksumThread::takeAll(std::unique_lock<std::mutex>& guard) {
  while (begun_ < sums_.size()) {
    const size_t mine = begun_++;
    const ExclusiveFile::Piece head = batches_[2 * mine];
    const ExclusiveFile::Piece pixels = batches_[2 * mine + 1];
    guard.unlock();
    const uint32_t sum = crc32c(crc32c(0, head.data, head.bytes), pixels.data, pixels.bytes);
    guard.lock();
    sums_[mine] = sum;
    if (++done_ == sums_.size()) changed_.notify_all();
  }
}

}  // namespace kymograph
