#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "batch_plan.h"
#include "page_buffer.h"
#include "ring.h"

namespace kymograph {

// A few threads that make compressed batches out of the frames of a ring, and give them back in the order in which they were asked for. Their places are
// made once; a frame costs no memory.
class CompressPool {
 public:
  CompressPool(std::shared_ptr<Ring> ring, const BatchPlan& plan);
  ~CompressPool();
  CompressPool(const CompressPool&) = delete;
  CompressPool& operator=(const CompressPool&) = delete;

  struct Batch {
    FrameStamp stamp;
    const uint8_t* data;  // whole pages
    size_t bytes;
    uint32_t crc32c;
  };

  size_t places() const { return places_.size(); }
  // Asked for and not given back.
  size_t pending() const { return static_cast<size_t>(asked_ - given_); }
  // Of publication `index`. Less than places() may be pending.
  void ask(uint64_t index);
  // The oldest that is pending; waits for it. Nothing: the source has overwritten its frame. Throws what its compression threw.
  std::optional<Batch> oldest();
  // The oldest is not needed any more.
  void giveBack();

 private:
  struct Place {
    explicit Place(size_t bytes) : buffer(bytes) {}
    PageBuffer buffer;
    uint64_t index = 0;
    bool made = false;
    std::optional<Batch> batch;
    std::exception_ptr failure;
  };
  void run(BodyCompressor compressor);
  std::optional<Batch> make(BodyCompressor& compressor, const Place& place) const;
  Place& place(uint64_t number) { return places_[static_cast<size_t>(number % places_.size())]; }

  const std::shared_ptr<Ring> ring_;
  const BatchPlan& plan_;
  std::vector<Place> places_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t asked_ = 0;  // these three count for ever; the first and the last are the owner's thread's
  uint64_t begun_ = 0;
  uint64_t given_ = 0;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace kymograph
