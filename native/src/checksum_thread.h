#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "exclusive_file.h"

namespace kymograph {

// Computes the CRC-32C of batches while another thread writes them: the disk need not wait for the sums. On a busy machine, where this thread may not have
// got a processor by then, who asks for the results computes those that nobody has begun.
class ChecksumThread {
 public:
  ChecksumThread();
  ~ChecksumThread();
  ChecksumThread(const ChecksumThread&) = delete;
  ChecksumThread& operator=(const ChecksumThread&) = delete;

  // Two pieces make a batch. One call at a time. What is given must stay until results() has been had.
  void start(std::span<const ExclusiveFile::Piece> batches);
  // One for each batch; good until the next start().
  std::span<const uint32_t> results();

 private:
  void run();
  void takeAll(std::unique_lock<std::mutex>& guard);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::span<const ExclusiveFile::Piece> batches_;
  std::vector<uint32_t> sums_;
  size_t begun_ = 0;
  size_t done_ = 0;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace kymograph
