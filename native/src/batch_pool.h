#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "batch_index.h"
#include "batch_plan.h"
#include "page_buffer.h"
#include "ring.h"

namespace kymograph {

// Threads that make record batches out of the frames of a ring, while another thread writes those that are made; one that copies, or a few that compress.
// Batches come back in the order of their frames. The places are made once; a frame costs no memory.
//
// A copy, and not the ring's own pages, goes to the disk: it is whole for sure, its slot is free again at once, its checksum is taken on the way, and a few
// places that are used again and again, in large pages, are written a third faster than a ring that is larger than any cache (docs/frame-recordings.md).
class BatchPool {
 public:
  BatchPool(std::shared_ptr<Ring> ring, const RecordingPlan& plan);
  ~BatchPool();
  BatchPool(const BatchPool&) = delete;
  BatchPool& operator=(const BatchPool&) = delete;

  // Batches one behind the other, each of whole pages. Their offsets in the file are not known here.
  struct Run {
    const uint8_t* data;
    std::span<const BatchEntry> batches;
  };

  // Asked for and not yet given: their slots are still needed.
  uint64_t framesPending() const { return framesPending_; }
  bool hasPlace() const { return asked_ - given_ < places_.size(); }
  // Asks for some of the `most` frames from publication `first` on (at least one), and says for how many. One place must be free.
  uint64_t ask(uint64_t first, uint64_t most);
  bool pending() const { return asked_ > given_; }
  // The oldest that was asked for; waits for it. Frames that the source has overwritten meanwhile are not in it. Throws what its compression threw.
  Run oldest();
  // The oldest is not needed any more.
  void giveBack();

 private:
  struct Place {
    explicit Place(size_t bytes) : buffer(bytes, Pages::huge) {}
    PageBuffer buffer;
    uint64_t first = 0;
    uint64_t frames = 0;
    bool made = false;
    std::vector<BatchEntry> batches;
    std::exception_ptr failure;
  };
  using Compressor = std::optional<BodyCompressor>;  // one for each thread that compresses
  void run(Compressor& compressor);
  void join();
  void make(Compressor& compressor, Place& place) const;
  std::optional<BatchEntry> makeBatch(Compressor& compressor, uint64_t index, uint8_t* data) const;
  BatchEntry copied(const FrameStamp& stamp, uint64_t index, uint8_t* data) const;
  BatchEntry compressed(BodyCompressor& compressor, const FrameStamp& stamp, uint64_t index, uint8_t* data) const;
  Place& place(uint64_t number) { return places_[static_cast<size_t>(number % places_.size())]; }

  const std::shared_ptr<Ring> ring_;
  const BatchPlan& plan_;
  const size_t framesOfPlace_;
  std::vector<Place> places_;
  uint64_t framesPending_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t asked_ = 0;  // these three count places for ever; the first and the last are the owner's thread's
  uint64_t begun_ = 0;
  uint64_t given_ = 0;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace kymograph
