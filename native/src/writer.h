#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "batch_plan.h"
#include "batch_pool.h"
#include "recording_files.h"
#include "ring.h"

namespace kymograph {

enum class RecordingState { running, finished, failed };

struct RecordingProgress {
  uint64_t written;
  uint64_t dropped;  // the gaps of the sequence in the file, whether the source lost the frames or the writer was lapped
  uint64_t bytes;
  RecordingState state;
  std::string reason;
};

// A thread that takes the frames of a ring in order and writes them as record batches, which threads of a pool make beside it, as they are or compressed; those
// that are there together in one write. Beside each file it keeps an index of its batches with their checksums, at the file's path and ".index".
// It holds nothing back: a batch that is counted as written is in the file. Whatever moment the process ends at, every counted batch is whole; those
// being written are whole or cut.
class Recording {
 public:
  // Checks the plan and creates the file; throws std::invalid_argument or SystemError. Records from the next frame on.
  // `onEnd` is called once, from the writer's thread.
  using OnEnd = std::function<void(const RecordingProgress&)>;
  Recording(std::shared_ptr<Ring> ring, RecordingPlan plan, OnEnd onEnd);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  RecordingProgress progress() const;
  // Everything published before this call is still written.
  void requestStop();
  // Waits for the end of the thread.
  void join();

 private:
  // Why a recording ends. An empty reason is the end that was asked for.
  struct End {
    RecordingState state = RecordingState::finished;
    std::string reason;
  };
  void run() noexcept;
  End record();
  bool wanted() const;
  bool isLapped();
  void writeNext();
  void writeLast();
  static bool fits(const std::function<void()>& write);
  void keep(std::span<const BatchEntry> batches);
  void skipTo(uint64_t index);
  bool diskIsFull();
  void letGo();

  std::shared_ptr<Ring> ring_;  // let go of at the end: JavaScript may keep the recording long after it
  const RecordingPlan plan_;
  const OnEnd onEnd_;
  uint64_t next_;  // taken before the files are made, which may last
  uint64_t expectedSequence_;
  std::unique_ptr<BatchPool> pool_;  // before the files: what cannot be had leaves none behind
  std::unique_ptr<RecordingFiles> files_;
  uint64_t syncedNs_ = 0;
  uint64_t freeCheckedAt_ = 0;
  std::atomic<uint64_t> stopAt_;
  std::atomic<uint64_t> written_ = 0;
  std::atomic<uint64_t> dropped_ = 0;
  std::atomic<uint64_t> bytes_ = 0;
  mutable std::mutex mutex_;
  End end_;
  bool running_ = true;
  std::thread thread_;
};

}  // namespace kymograph
