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

void ChecksumThread::start(ExclusiveFile::Piece first, ExclusiveFile::Piece second) {
  {
    const std::lock_guard guard(mutex_);
    first_ = first;
    second_ = second;
    busy_ = true;
  }
  changed_.notify_all();
}

uint32_t ChecksumThread::result() {
  std::unique_lock guard(mutex_);
  changed_.wait(guard, [this] { return !busy_; });
  return sum_;
}

void ChecksumThread::run() {
  std::unique_lock guard(mutex_);
  for (;;) {
    changed_.wait(guard, [this] { return busy_ || over_; });
    if (!busy_) return;
    guard.unlock();
    const uint32_t sum = crc32c(crc32c(0, first_.data, first_.bytes), second_.data, second_.bytes);
    guard.lock();
    sum_ = sum;
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace kymograph
