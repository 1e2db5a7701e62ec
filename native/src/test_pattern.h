#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "ring.h"
#include "thread_stopwatch.h"

namespace kymograph {

// Frames that a copying source has in memory of its own: the buffer of a camera, too large for the caches at full size.
constexpr size_t kCopiedFrames = 8;

// A source without a camera, for tests and benchmarks: pixel i of frame n is (i + 7 n) mod 65536 in the first row and (i mod period * 31) mod 65536 below it, so
// that a frame costs one row once the ring has gone round. Or it is copied whole into its slot from memory of the source's own, as a camera's frame is.
class TestPattern {
 public:
  enum class Fill { row, copied, copiedUnmeasured };  // the last one publishes the statistics of no pixel: to see what they cost
  struct Options {
    // Absent: as fast as the recorder takes them, never lapping it.
    std::optional<double> rateHz;
    uint64_t frames;
    Fill fill = Fill::row;
    uint32_t period = 65536;
  };
  using OnEnd = std::function<void(const ThreadTimes&)>;
  TestPattern(std::shared_ptr<Ring> ring, Options options, OnEnd onEnd);
  ~TestPattern();
  TestPattern(const TestPattern&) = delete;
  TestPattern& operator=(const TestPattern&) = delete;
  void requestStop() { stopping_ = true; }
  void join();

 private:
  void run() noexcept;
  void prepare();
  void publish(uint64_t sequence);
  FrameStatistics drawRow(uint64_t sequence, uint16_t* pixels);
  FrameStatistics copy(uint64_t sequence, uint16_t* pixels);

  const std::shared_ptr<Ring> ring_;
  const Options options_;
  const OnEnd onEnd_;
  std::vector<std::vector<uint16_t>> copied_;
  FrameStatistics below_;  // of all rows but the first, the same in each frame
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace kymograph
