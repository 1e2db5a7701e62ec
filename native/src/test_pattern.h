#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include "ring.h"

namespace kymograph {

// A source without a camera, for tests and benchmarks: pixel i of frame n is (i + 7 n) mod 65536 in the first row and (i * 31) mod 65536 below it, so that
// a frame costs one row once the ring has gone round.
class TestPattern {
 public:
  struct Options {
    // Absent: as fast as the recorder takes them, never lapping it.
    std::optional<double> rateHz;
    uint64_t frames;
  };
  TestPattern(std::shared_ptr<Ring> ring, Options options, std::function<void()> onEnd);
  ~TestPattern();
  TestPattern(const TestPattern&) = delete;
  TestPattern& operator=(const TestPattern&) = delete;
  void requestStop() { stopping_ = true; }
  void join();

 private:
  void run() noexcept;
  void publish(uint64_t sequence);

  const std::shared_ptr<Ring> ring_;
  const Options options_;
  const std::function<void()> onEnd_;
  FrameStatistics below_;  // of all rows but the first, the same in each frame
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace kymograph
