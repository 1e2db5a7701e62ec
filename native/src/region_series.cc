#include "region_series.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <stdexcept>

#include "exclusive_file.h"

namespace kymograph {

namespace {

constexpr uint64_t kPixelBytes = sizeof(uint16_t);
constexpr uint64_t kNumbers = 3;  // of a frame
constexpr uint64_t kAheadFrames = 8;    // asked for before they are needed, so that the disk has always something to do
constexpr uint64_t kMappedFrames = 16;  // at a time: the kernel may map 2 MB around each place that is touched, and all of it counts as resident

// Linux 5.14; its headers may be older. Fails where touching the page would be a SIGBUS.
#ifdef __linux__
constexpr int kPopulateRead = 22;
#endif

// The bytes of the region in one frame, from its first pixel to its last.
uint64_t spanBytes(const RegionSeries& series) { return ((series.height - 1) * series.frameWidth + series.width) * kPixelBytes; }
uint64_t spanStart(const RegionSeries& series, uint64_t frame) {
  return series.offset + frame * series.step + (series.y * series.frameWidth + series.x) * kPixelBytes;
}

// `span`: the pixels from the first of the region to its last.
void reduceSpan(const RegionSeries& series, const uint16_t* span, double* numbers) {
  uint16_t minimum = UINT16_MAX;
  uint16_t maximum = 0;
  uint64_t sum = 0;
  for (uint64_t row = 0; row < series.height; ++row) {
    const uint16_t* pixels = span + row * series.frameWidth;
    uint32_t rowSum = 0;  // 65 536 pixels of 65 535 fit
    for (uint64_t x = 0; x < series.width; ++x) {
      minimum = std::min(minimum, pixels[x]);
      maximum = std::max(maximum, pixels[x]);
      rowSum += pixels[x];
    }
    sum += rowSum;
  }
  numbers[0] = minimum;
  numbers[1] = maximum;
  numbers[2] = static_cast<double>(sum);
}

// Pages of a file, mapped read-only.
class Mapping {
 public:
  Mapping(int fd, uint64_t from, uint64_t bytes) : start_(from - from % pageBytes()), bytes_(bytes + from % pageBytes()) {
    data_ = ::mmap(nullptr, bytes_, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(start_));
    if (data_ == MAP_FAILED) throw SystemError("cannot map a recording", errno);
  }
  ~Mapping() { ::munmap(data_, bytes_); }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  // False where the system cannot say that the pages are there.
  bool bringIn(uint64_t from, uint64_t bytes, const std::string& path) const {
#ifdef __linux__
    const uint64_t page = from - from % pageBytes();
    int result;
    do result = ::madvise(at(page), bytes + (from - page), kPopulateRead);
    while (result < 0 && (errno == EINTR || errno == EAGAIN));
    if (result == 0) return true;
    if (errno != EINVAL) throw SystemError("cannot read " + path, errno == EFAULT ? EIO : errno);
#else
    (void)from, (void)bytes, (void)path;
#endif
    return false;
  }
  void* at(uint64_t offset) const { return static_cast<uint8_t*>(data_) + (offset - start_); }

 private:
  static uint64_t pageBytes() {
    static const auto bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    return bytes;
  }
  uint64_t start_;
  uint64_t bytes_;
  void* data_;
};

void readSpan(int fd, const std::string& path, uint8_t* into, uint64_t bytes, uint64_t offset) {
  for (uint64_t done = 0; done < bytes;) {
    const ssize_t got = ::pread(fd, into + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw SystemError("cannot read " + path, got < 0 ? errno : EIO);
    done += static_cast<uint64_t>(got);
  }
}

void askFor([[maybe_unused]] int fd, [[maybe_unused]] const RegionSeries& series, [[maybe_unused]] uint64_t frame) {
#ifdef __linux__
  if (frame < series.frames) ::posix_fadvise(fd, static_cast<off_t>(spanStart(series, frame)), static_cast<off_t>(spanBytes(series)), POSIX_FADV_WILLNEED);
#endif
}

void check(const RegionSeries& series, int fd) {
  const bool inside = series.width > 0 && series.height > 0 && series.frames > 0 && series.x + series.width <= series.frameWidth &&
                      (series.y + series.height) * series.frameWidth * kPixelBytes <= series.step && series.offset % kPixelBytes == 0;
  if (!inside) throw std::invalid_argument("region: it must lie inside the frames");
  struct stat found;
  if (::fstat(fd, &found) < 0) throw SystemError("cannot ask for the length of " + series.path, errno);
  if (spanStart(series, series.frames - 1) + spanBytes(series) > static_cast<uint64_t>(found.st_size)) throw SystemError(series.path + " is too short", EIO);
}

// Calls `look(frame, span)` for each frame, in their order.
template <typename Look>
void forEachSpan(const RegionSeries& series, ReadMethod method, Look look) {
  const Descriptor file(::open(series.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw SystemError("cannot open " + series.path, errno);
  check(series, file.get());
  const uint64_t bytes = spanBytes(series);
  std::vector<uint16_t> buffer;
  std::optional<Mapping> mapping;
  bool mapped = method == ReadMethod::kMapped;
  for (uint64_t frame = 0; frame < std::min(kAheadFrames, series.frames); ++frame) askFor(file.get(), series, frame);
  for (uint64_t frame = 0; frame < series.frames; ++frame) {
    askFor(file.get(), series, frame + kAheadFrames);
    const uint64_t at = spanStart(series, frame);
    if (mapped && frame % kMappedFrames == 0)
      mapping.emplace(file.get(), at, (std::min(kMappedFrames, series.frames - frame) - 1) * series.step + bytes);
    mapped = mapped && mapping->bringIn(at, bytes, series.path);
    if (!mapped) {
      buffer.resize(bytes / kPixelBytes);
      readSpan(file.get(), series.path, reinterpret_cast<uint8_t*>(buffer.data()), bytes, at);
    }
    look(frame, mapped ? static_cast<const uint16_t*>(mapping->at(at)) : buffer.data());
  }
}

}  // namespace

std::vector<double> regionSeries(const RegionSeries& series, ReadMethod method) {
  std::vector<double> numbers(series.frames * kNumbers);
  forEachSpan(series, method, [&](uint64_t frame, const uint16_t* span) { reduceSpan(series, span, &numbers[frame * kNumbers]); });
  return numbers;
}

std::vector<uint16_t> regionPixels(const RegionSeries& series, ReadMethod method) {
  std::vector<uint16_t> pixels(series.frames * series.width * series.height);
  forEachSpan(series, method, [&](uint64_t frame, const uint16_t* span) {
    uint16_t* into = pixels.data() + frame * series.width * series.height;
    for (uint64_t row = 0; row < series.height; ++row) std::copy_n(span + row * series.frameWidth, series.width, into + row * series.width);
  });
  return pixels;
}

}  // namespace kymograph
