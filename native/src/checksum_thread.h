#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>

#include "exclusive_file.h"

namespace kymograph {

// Computes the CRC-32C of a batch while another thread writes it: the disk need not wait for the sum.
class ChecksumThread {
 public:
  ChecksumThread();
  ~ChecksumThread();
  ChecksumThread(const ChecksumThread&) = delete;
  ChecksumThread& operator=(const ChecksumThread&) = delete;

  // One at a time. What is given must stay until result() has been had.
  void start(ExclusiveFile::Piece first, ExclusiveFile::Piece second);
  uint32_t result();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  ExclusiveFile::Piece first_{};
  ExclusiveFile::Piece second_{};
  uint32_t sum_ = 0;
  bool busy_ = false;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace kymograph
