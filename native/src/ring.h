#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "statistics.h"

namespace kymograph {

// A ring of frames in a memory-mapped file. One thread of one process writes; any process may map the file read-only.
//
// Layout (docs/frame-ring.md tells it byte by byte; little-endian; every offset is fixed for a version):
//
//   0                       RingHeader, padded to kPageBytes
//   kPageBytes + i * slotBytes
//     + 0                   SlotHeader, padded to kPageBytes
//     + kPageBytes          width * height pixels of 16 bits, zero up to the next page
//
// So every slot's pixels start on a page and fill whole pages: they can be written to disk with O_DIRECT straight from the map.
//
// Publication n (0, 1, 2 ...) lives in slot n % slots. A slot's lock is 2n+1 while publication n is being written and 2n+2 once it is whole.
// A reader of n checks for 2n+2, takes what it needs, and checks again: if the lock has moved, what it took is void.
constexpr uint32_t kRingVersion = 3;
constexpr char kRingMagic[8] = {'K', 'Y', 'M', 'O', 'R', 'I', 'N', 'G'};
constexpr size_t kPageBytes = 4096;
constexpr size_t kPixelBytes = sizeof(uint16_t);

static_assert(std::atomic<uint64_t>::is_always_lock_free, "the ring's counters are shared between processes");

struct RingHeader {
  char magic[8];
  uint32_t version;
  uint32_t headerBytes;
  uint32_t width;
  uint32_t height;
  uint32_t slots;
  uint32_t bytesPerPixel;
  uint64_t slotBytes;
  uint64_t frameBytes;
  uint32_t saturation;   // a pixel at or above it is saturated
  uint32_t regionCount;  // of `regions`, whose sums are in each stamp
  alignas(64) std::atomic<uint64_t> published;
  alignas(64) std::atomic<uint32_t> closed;
  alignas(64) Region regions[kMaxRegions];
};
static_assert(offsetof(RingHeader, saturation) == 48 && offsetof(RingHeader, published) == 64 && offsetof(RingHeader, closed) == 128);
static_assert(offsetof(RingHeader, regions) == 192 && sizeof(RingHeader) == 320 && sizeof(RingHeader) <= kPageBytes);

// The source has no clock of its own.
constexpr int64_t kNoHardwareTime = std::numeric_limits<int64_t>::min();

// What is known of a frame beside its pixels.
struct FrameStamp {
  uint64_t sequence;    // the source's own count from 0; a gap is a frame that the source lost
  int64_t timeNs;       // since 1970, host clock at the end of the exposure
  int64_t exposureNs;
  int64_t hardwareTimeNs = kNoHardwareTime;  // the source's own clock at the end of the exposure, from a start of its own
  FrameStatistics statistics;  // by the ring's saturation and regions
};

struct SlotHeader {
  std::atomic<uint64_t> lock;
  FrameStamp stamp;
};
static_assert(sizeof(FrameStamp) == 112 && offsetof(FrameStamp, statistics) == 32 && offsetof(SlotHeader, stamp) == 8);

// A whole record batch, whole pages long, for what is left at the end of a source and is less than a frame.
struct LastBatch {
  std::vector<uint8_t> bytes;
  FrameStamp stamp;
};

struct RingShape {
  uint32_t width;
  uint32_t height;
  uint32_t slots;
};

// What the ring's writer measures of each frame. Regions in pixels of the ring's frames, at most kMaxRegions.
struct RingMeasures {
  uint32_t saturation = kFullScale;
  std::vector<Region> regions;
};

// Stamps are kept longer than frames, in the writer's process: who takes them there loses none when he pauses for 95 s at 43 Hz, or 4 s at 1 kHz. Half a megabyte.
constexpr size_t kKeptStamps = 4096;

class Ring {
 public:
  // Replaces a file that a dead process left at `path`: a stale map keeps its own inode.
  static std::shared_ptr<Ring> create(const std::string& path, RingShape shape, const RingMeasures& measures = {});
  static std::shared_ptr<Ring> openReadOnly(const std::string& path);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  const std::string& path() const { return path_; }
  uint32_t width() const { return shape_.width; }
  uint32_t height() const { return shape_.height; }
  uint32_t slots() const { return shape_.slots; }
  size_t frameBytes() const { return size_t{shape_.width} * shape_.height * kPixelBytes; }
  size_t paddedFrameBytes() const { return slotBytes_ - kPageBytes; }
  uint64_t published() const { return header_->published.load(std::memory_order_acquire); }
  bool closed() const { return header_->closed.load(std::memory_order_acquire) != 0; }
  bool writable() const { return writable_; }
  // What measureRows and copyAndMeasure are to be told for a frame of this ring. Good as long as the ring is.
  Measures measures() const;
  double mean(const FrameStatistics& statistics) const;
  double regionMean(const FrameStatistics& statistics, size_t region) const;

  // The writer's side: fill the pixels that beginWrite gives, measure them, then publish.
  uint16_t* beginWrite();
  void publish(const FrameStamp& stamp);
  // No more frames will come; the recorder writes `last` behind them.
  void close(std::optional<LastBatch> last = {});

  // A reader's side. `whole` is true as long as publication `index` still stands in its slot.
  bool whole(uint64_t index) const;
  const uint16_t* pixels(uint64_t index) const;
  FrameStamp stamp(uint64_t index) const;
  struct Stamps {
    uint64_t first;  // publication of the first one
    std::vector<FrameStamp> stamps;
  };
  // Of the publications from `from` on, at most `most`: of the last kKeptStamps in the writer's process, of those whose slots still stand in any other.
  Stamps stamps(uint64_t from, size_t most) const;
  // Waits until publication `index` is there, the ring is closed, or the time is over. Only within the writer's process.
  bool waitFor(uint64_t index, std::chrono::milliseconds timeout);

  // A test source that must not lap its recorder waits for it here.
  void noteRecorded(uint64_t upTo);
  // Once, after the end; only within the writer's process.
  std::optional<LastBatch> takeLast();
  bool waitForRoom(std::chrono::milliseconds timeout);
  // Also done by the destructor of the writer's Ring.
  void unlinkFile();

 private:
  Ring(std::string path, int fd, void* map, size_t bytes, uint64_t inode);
  size_t offsetOf(uint64_t index) const;
  SlotHeader* slot(uint64_t index) const;
  bool isSound() const;

  std::string path_;
  RingHeader* header_;
  // As the header said when it was mapped, for whoever may write the file may write another one. It is that of a frame's pixels and of the map that they are in.
  RingShape shape_;
  size_t slotBytes_;
  RingMeasures measures_;
  const char* readers_;  // the map that pixels are read through
  size_t bytes_;
  bool writable_;
  // The file this map was made from: a later ring at the same path is not ours to remove. 0: nothing to remove.
  uint64_t inode_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<FrameStamp> kept_;  // publication n at n % kKeptStamps; empty in a reader's process
  uint64_t recorded_ = 0;
  std::optional<LastBatch> last_;
};

}  // namespace kymograph
