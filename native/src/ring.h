#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

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
constexpr uint32_t kRingVersion = 2;
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
  alignas(64) std::atomic<uint64_t> published;
  alignas(64) std::atomic<uint32_t> closed;
};
static_assert(offsetof(RingHeader, published) == 64 && offsetof(RingHeader, closed) == 128);

// The source has no clock of its own.
constexpr int64_t kNoHardwareTime = std::numeric_limits<int64_t>::min();

// What is known of a frame beside its pixels.
struct FrameStamp {
  uint64_t sequence;    // the source's own count from 0; a gap is a frame that the source lost
  int64_t timeNs;       // since 1970, host clock at the end of the exposure
  int64_t exposureNs;
  int64_t hardwareTimeNs = kNoHardwareTime;  // the source's own clock at the end of the exposure, from a start of its own
};

struct SlotHeader {
  std::atomic<uint64_t> lock;
  FrameStamp stamp;
};
static_assert(sizeof(FrameStamp) == 32 && offsetof(SlotHeader, stamp) == 8);

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

class Ring {
 public:
  // Replaces a file that a dead process left at `path`: a stale map keeps its own inode.
  static std::shared_ptr<Ring> create(const std::string& path, RingShape shape);
  static std::shared_ptr<Ring> openReadOnly(const std::string& path);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  const std::string& path() const { return path_; }
  uint32_t width() const { return header_->width; }
  uint32_t height() const { return header_->height; }
  uint32_t slots() const { return header_->slots; }
  size_t frameBytes() const { return header_->frameBytes; }
  size_t paddedFrameBytes() const { return header_->slotBytes - kPageBytes; }
  uint64_t published() const { return header_->published.load(std::memory_order_acquire); }
  bool closed() const { return header_->closed.load(std::memory_order_acquire) != 0; }
  bool writable() const { return writable_; }

  // The writer's side: fill the pixels that beginWrite gives, then publish.
  uint16_t* beginWrite();
  void publish(const FrameStamp& stamp);
  // No more frames will come; the recorder writes `last` behind them.
  void close(std::optional<LastBatch> last = {});

  // A reader's side. `whole` is true as long as publication `index` still stands in its slot.
  bool whole(uint64_t index) const;
  const uint16_t* pixels(uint64_t index) const;
  FrameStamp stamp(uint64_t index) const;
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
  Ring(std::string path, void* map, size_t bytes, uint64_t inode);
  SlotHeader* slot(uint64_t index) const;

  std::string path_;
  RingHeader* header_;
  size_t bytes_;
  bool writable_;
  // The file this map was made from: a later ring at the same path is not ours to remove. 0: nothing to remove.
  uint64_t inode_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t recorded_ = 0;
  std::optional<LastBatch> last_;
};

}  // namespace kymograph
