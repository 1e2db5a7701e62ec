#include "checksum_thread.h"

#include "crc32c.h"

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
    busy_ = true;
  }
  changed_.notify_all();
}

std::span<const uint32_t> ChecksumThread::results() {
  std::unique_lock guard(mutex_);
  changed_.wait(guard, [this] { return !busy_; });
  return sums_;
}

void ChecksumThread::run() {
  std::unique_lock guard(mutex_);
  for (;;) {
    changed_.wait(guard, [this] { return busy_ || over_; });
    if (!busy_) return;
    guard.unlock();
    for (size_t batch = 0; batch < sums_.size(); ++batch) {
      const ExclusiveFile::Piece& head = batches_[2 * batch];
      const ExclusiveFile::Piece& pixels = batches_[2 * batch + 1];
      sums_[batch] = crc32c(crc32c(0, head.data, head.bytes), pixels.data, pixels.bytes);
    }
    guard.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace kymograph
