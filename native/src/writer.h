#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "batch_index.h"
#include "checksum_thread.h"
#include "exclusive_file.h"
#include "ring.h"

namespace kymograph {

// What storage/frame-heads.ts prepares: the bytes of an Arrow IPC stream around the pixels, one frame in each record batch.
struct RecordingPlan {
  std::string path;
  std::vector<uint8_t> schemaMessage;
  std::vector<uint8_t> batchHead;
  std::vector<uint8_t> batchHeadWithoutClock;  // of a frame whose hardware time is null
  std::vector<uint8_t> constants;              // columns that are the same in every batch
  std::vector<uint8_t> endOfStream;
  size_t constantsOffset;
  size_t sequenceOffset;
  size_t timeOffset;
  size_t hardwareTimeOffset;
  size_t exposureOffset;
  size_t pixelOffset;
  size_t batchBytes;
  std::optional<uint64_t> frames;
  uint64_t keepFreeBytes;
};

enum class RecordingState { running, finished, failed };

struct RecordingProgress {
  uint64_t written;
  uint64_t dropped;  // the gaps of the sequence in the file, whether the source lost the frames or the writer was lapped
  uint64_t bytes;
  RecordingState state;
  std::string reason;
};

// Memory that O_DIRECT accepts; not cleared.
class PageBuffer {
 public:
  explicit PageBuffer(size_t bytes);
  uint8_t* data() const { return data_.get(); }
  size_t size() const { return bytes_; }

 private:
  struct Free {
    void operator()(uint8_t* data) const;
  };
  size_t bytes_;
  std::unique_ptr<uint8_t[], Free> data_;
};

// A thread that takes the frames of a ring in order and writes them as record batches, pixels straight from the map.
// Beside the file it keeps an index of its batches with their checksums, at the file's path and ".index".
// It holds nothing back: a batch that is counted as written is in the file. Whatever moment the process ends at, every counted batch is whole; the one
// being written is whole or cut, unless the source laps the writer at that very moment.
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
  bool writeBatch(uint64_t index);
  void fillHead(const FrameStamp& stamp);
  void writeLast();
  void skipTo(uint64_t index);
  void finish();
  bool diskIsFull();

  std::shared_ptr<Ring> ring_;  // let go of at the end: JavaScript may keep the recording long after it
  const RecordingPlan plan_;
  const OnEnd onEnd_;
  uint64_t next_;  // taken before the files are made, which may last
  uint64_t expectedSequence_;
  ExclusiveFile file_;
  BatchIndex index_;
  PageBuffer head_;
  ChecksumThread checksum_;
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
