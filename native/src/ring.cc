#include "ring.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "exclusive_file.h"

namespace kymograph {

namespace {

constexpr uint64_t kMaxRingBytes = 16ull << 30;  // more is a mistake in the shape, not a ring
constexpr uint32_t kMinSlots = 2;                // one being written, one to read

// Readers look at pixels that may be overwritten under them, and void what they took if so (`whole`). To the C++ memory model that is a race; word by word
// it would be none, and slower. ThreadSanitizer takes two maps of one file for different memory, so there readers have one of their own.
#ifdef __SANITIZE_THREAD__
constexpr bool kReadersHaveOwnMap = true;
#else
constexpr bool kReadersHaveOwnMap = false;
#endif

constexpr size_t kStampWords = sizeof(FrameStamp) / sizeof(uint64_t);

// Of a stamp in the ring, which is read while it may be written.
std::atomic_ref<uint64_t> word(FrameStamp& stamp, size_t at) { return std::atomic_ref(reinterpret_cast<uint64_t*>(&stamp)[at]); }

bool isInside(const Region& region, RingShape shape) {
  return region.width > 0 && region.height > 0 && uint64_t{region.x} + region.width <= shape.width && uint64_t{region.y} + region.height <= shape.height;
}

bool isSaturation(uint32_t level) { return level > 0 && level <= kFullScale; }

void check(const RingMeasures& measures, RingShape shape) {
  if (!isSaturation(measures.saturation)) throw std::invalid_argument("saturation: must lie in 1 ... 65535");
  if (measures.regions.size() > kMaxRegions) throw std::invalid_argument("regions: at most " + std::to_string(kMaxRegions));
  for (const Region& region : measures.regions) {
    if (!isInside(region, shape)) throw std::invalid_argument("regions: each must lie inside the frame of " + std::to_string(shape.width) + " x " + std::to_string(shape.height));
  }
}

size_t wholePages(size_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

// Takes the space now: a full disk must be an error here and not a SIGBUS in the camera thread.
void allocate(int fd, size_t bytes, const std::string& path) {
#ifdef __APPLE__
  if (::ftruncate(fd, static_cast<off_t>(bytes)) < 0) throw SystemError("cannot allocate the ring " + path, errno);
#else
  const int code = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  if (code != 0) throw SystemError("cannot allocate " + std::to_string(bytes) + " bytes for the ring " + path, code);
#endif
}

// The writer's pages are there before its first frame: a fault for each would cost the camera's thread a tenth of its first round.
#ifdef MAP_POPULATE
constexpr int kPopulate = MAP_POPULATE;
#else
constexpr int kPopulate = 0;
#endif

void* map(int fd, size_t bytes, int protection, const std::string& path) {
  void* address = ::mmap(nullptr, bytes, protection, MAP_SHARED | ((protection & PROT_WRITE) != 0 ? kPopulate : 0), fd, 0);
  if (address == MAP_FAILED) throw SystemError("cannot map the ring " + path, errno);
  return address;
}

uint64_t inodeOf(int fd) {
  struct stat status;
  return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

}  // namespace

std::shared_ptr<Ring> Ring::create(const std::string& path, RingShape shape, const RingMeasures& measures) {
  if (shape.width == 0 || shape.height == 0) throw std::invalid_argument("a ring needs a width and a height of at least 1");
  if (shape.slots < kMinSlots) throw std::invalid_argument("a ring needs at least 2 slots");
  check(measures, shape);
  const size_t frameBytes = size_t{shape.width} * shape.height * kPixelBytes;
  const size_t slotBytes = kPageBytes + wholePages(frameBytes);
  if (slotBytes > kMaxRingBytes / shape.slots) throw std::invalid_argument("a ring may not be larger than 16 GiB");
  const size_t bytes = kPageBytes + slotBytes * shape.slots;

  ::unlink(path.c_str());
  const Descriptor fd(::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0644));
  if (fd.get() < 0) throw SystemError("cannot create the ring " + path, errno);
  try {
    allocate(fd.get(), bytes, path);
    void* address = map(fd.get(), bytes, PROT_READ | PROT_WRITE, path);
    auto* header = new (address) RingHeader{};
    header->version = kRingVersion;
    header->headerBytes = kPageBytes;
    header->width = shape.width;
    header->height = shape.height;
    header->slots = shape.slots;
    header->bytesPerPixel = kPixelBytes;
    header->slotBytes = slotBytes;
    header->frameBytes = frameBytes;
    header->saturation = measures.saturation;
    header->regionCount = static_cast<uint32_t>(measures.regions.size());
    std::copy(measures.regions.begin(), measures.regions.end(), header->regions);
    std::atomic_thread_fence(std::memory_order_release);
    std::memcpy(header->magic, kRingMagic, sizeof kRingMagic);  // last: who sees it sees the rest
    return std::shared_ptr<Ring>(new Ring(path, fd.get(), address, bytes, inodeOf(fd.get())));
  } catch (...) {
    ::unlink(path.c_str());
    throw;
  }
}

std::shared_ptr<Ring> Ring::openReadOnly(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status;
  if (fd.get() < 0 || ::fstat(fd.get(), &status) < 0) throw SystemError("cannot open the ring " + path, errno);
  const auto bytes = static_cast<size_t>(status.st_size);
  if (bytes < kPageBytes) throw std::invalid_argument(path + " is not a ring of frames");
  std::shared_ptr<Ring> ring(new Ring(path, fd.get(), map(fd.get(), bytes, PROT_READ, path), bytes, 0));
  const RingHeader& header = *ring->header_;
  if (std::memcmp(header.magic, kRingMagic, sizeof kRingMagic) != 0) throw std::invalid_argument(path + " is not a ring of frames");
  if (header.version != kRingVersion)
    throw std::invalid_argument(path + " is a ring of version " + std::to_string(header.version) + ", which this build cannot read");
  if (!ring->isSound()) throw std::invalid_argument(path + " is a damaged ring: its header does not fit its length, or itself");
  return ring;
}

Ring::Ring(std::string path, int fd, void* address, size_t bytes, uint64_t inode)
    : path_(std::move(path)),
      header_(static_cast<RingHeader*>(address)),
      shape_{header_->width, header_->height, header_->slots},
      slotBytes_(header_->slotBytes),
      measures_{header_->saturation, {header_->regions, header_->regions + std::min<size_t>(header_->regionCount, kMaxRegions)}},
      readers_(static_cast<const char*>(kReadersHaveOwnMap ? map(fd, bytes, PROT_READ, path_) : address)),
      bytes_(bytes),
      writable_(inode != 0),
      inode_(inode),
      kept_(writable_ ? kKeptStamps : 0) {}

// Whatever stands in the header: no sum and no product overflows before it has been compared.
bool Ring::isSound() const {
  const auto& [width, height, slots] = shape_;
  if (width == 0 || height == 0 || slots < kMinSlots || header_->headerBytes != kPageBytes || header_->bytesPerPixel != kPixelBytes) return false;
  if (slotBytes_ % kPageBytes != 0 || slotBytes_ < kPageBytes || slotBytes_ > (bytes_ - kPageBytes) / slots) return false;
  if (uint64_t{width} * height > paddedFrameBytes() / kPixelBytes || header_->frameBytes != frameBytes()) return false;
  if (header_->regionCount != measures_.regions.size() || !isSaturation(measures_.saturation)) return false;
  return std::all_of(measures_.regions.begin(), measures_.regions.end(), [&](const Region& region) { return isInside(region, shape_); });
}

Ring::~Ring() {
  unlinkFile();
  if (kReadersHaveOwnMap) ::munmap(const_cast<char*>(readers_), bytes_);
  ::munmap(header_, bytes_);
}

void Ring::unlinkFile() {
  const uint64_t ours = std::exchange(inode_, 0);
  struct stat status;
  if (ours != 0 && ::stat(path_.c_str(), &status) == 0 && status.st_ino == ours) ::unlink(path_.c_str());
}

size_t Ring::offsetOf(uint64_t index) const { return kPageBytes + index % shape_.slots * slotBytes_; }

SlotHeader* Ring::slot(uint64_t index) const { return reinterpret_cast<SlotHeader*>(reinterpret_cast<char*>(header_) + offsetOf(index)); }

Measures Ring::measures() const {
  return {shape_.width, shape_.height, static_cast<uint16_t>(measures_.saturation), measures_.regions};
}

double Ring::mean(const FrameStatistics& statistics) const {
  return static_cast<double>(statistics.sum) / (static_cast<double>(shape_.width) * shape_.height);
}

double Ring::regionMean(const FrameStatistics& statistics, size_t region) const {
  const Region& area = measures_.regions[region];
  return static_cast<double>(statistics.regionSums[region]) / (static_cast<double>(area.width) * area.height);
}

uint16_t* Ring::beginWrite() {
  const uint64_t index = header_->published.load(std::memory_order_relaxed);
  slot(index)->lock.store(2 * index + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  return reinterpret_cast<uint16_t*>(reinterpret_cast<char*>(slot(index)) + kPageBytes);
}

void Ring::publish(const FrameStamp& stamp) {
  const uint64_t index = header_->published.load(std::memory_order_relaxed);
  SlotHeader* header = slot(index);
  const auto words = std::bit_cast<std::array<uint64_t, kStampWords>>(stamp);
  for (size_t at = 0; at < kStampWords; ++at) word(header->stamp, at).store(words[at], std::memory_order_relaxed);
  header->lock.store(2 * index + 2, std::memory_order_release);
  {
    const std::lock_guard guard(mutex_);
    kept_[index % kKeptStamps] = stamp;
    header_->published.store(index + 1, std::memory_order_release);
  }
  changed_.notify_all();
}

void Ring::close(std::optional<LastBatch> last) {
  {
    const std::lock_guard guard(mutex_);
    if (last) last_ = std::move(last);
    header_->closed.store(1, std::memory_order_release);
  }
  changed_.notify_all();
}

bool Ring::whole(uint64_t index) const {
  std::atomic_thread_fence(std::memory_order_acquire);
  return slot(index)->lock.load(std::memory_order_acquire) == 2 * index + 2;
}

const uint16_t* Ring::pixels(uint64_t index) const { return reinterpret_cast<const uint16_t*>(readers_ + offsetOf(index) + kPageBytes); }

FrameStamp Ring::stamp(uint64_t index) const {
  std::array<uint64_t, kStampWords> words;
  for (size_t at = 0; at < kStampWords; ++at) words[at] = word(slot(index)->stamp, at).load(std::memory_order_relaxed);
  return std::bit_cast<FrameStamp>(words);
}

std::optional<LastBatch> Ring::takeLast() {
  const std::lock_guard guard(mutex_);
  return std::exchange(last_, std::nullopt);
}

Ring::Stamps Ring::stamps(uint64_t from, size_t most) const {
  const std::lock_guard guard(mutex_);
  const uint64_t end = published();
  const uint64_t oldest = end - std::min<uint64_t>(end, writable_ ? kKeptStamps : slots());
  Stamps result{std::max(from, oldest), {}};
  for (uint64_t index = result.first; index < end && result.stamps.size() < most; ++index) {
    const FrameStamp stamp = writable_ ? kept_[index % kKeptStamps] : this->stamp(index);
    if (!writable_ && !whole(index)) result = {index + 1, {}};  // overwritten, and so is what came before it
    else result.stamps.push_back(stamp);
  }
  return result;
}

bool Ring::waitFor(uint64_t index, std::chrono::milliseconds timeout) {
  std::unique_lock guard(mutex_);
  changed_.wait_for(guard, timeout, [&] { return published() > index || closed(); });
  return published() > index;
}

void Ring::noteRecorded(uint64_t upTo) {
  {
    const std::lock_guard guard(mutex_);
    recorded_ = upTo;
  }
  changed_.notify_all();
}

bool Ring::waitForRoom(std::chrono::milliseconds timeout) {
  std::unique_lock guard(mutex_);
  return changed_.wait_for(guard, timeout, [&] { return published() - recorded_ + 1 < slots(); });
}

}  // namespace kymograph
