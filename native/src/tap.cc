#include "tap.h"

#include <lz4.h>

#include <cstring>
#include <stdexcept>
#include <utility>

#include "binning.h"

namespace kymograph {

namespace {

constexpr int kAttempts = 3;  // a frame is overwritten under us only if the whole ring goes by during one tap
constexpr int kFastest = 1;   // LZ4's acceleration: more is faster still, and packs less

// As much of what was asked for as is whole squares.
Region squares(const TapRequest& request, const Ring& ring) {
  Region region = request.region.value_or(Region{0, 0, ring.width(), ring.height()});
  region.width -= region.width % request.bin;
  region.height -= region.height % request.bin;
  return region;
}

bool isWholeFrame(const Region& region, const Ring& ring) { return region.width == ring.width() && region.height == ring.height(); }

void copyPixels(const uint16_t* frame, size_t stride, const Region& region, uint32_t bin, uint16_t* out) {
  const uint16_t* row = frame + region.y * stride + region.x;
  if (bin == 1 && region.width == stride) {
    std::memcpy(out, row, size_t{region.width} * region.height * kPixelBytes);
    return;
  }
  const size_t width = region.width / bin;
  for (uint32_t y = 0; y < region.height; y += bin, row += bin * stride, out += width) {
    if (bin == 1) std::memcpy(out, row, width * kPixelBytes);
    else binRows(row, stride, region.width, bin, out);
  }
}

FrameStatistics measure(const uint16_t* frame, size_t stride, const Region& region, uint16_t saturation) {
  FrameStatistics total;
  for (uint32_t y = 0; y < region.height; ++y) addPixels(total, frame + (region.y + y) * stride + region.x, region.width, saturation);
  return total;
}

void compress(Picture& picture) {
  if (picture.bytes > LZ4_MAX_INPUT_SIZE) return;
  const auto bytes = static_cast<int>(picture.bytes);
  auto packed = std::make_unique_for_overwrite<uint8_t[]>(picture.bytes);
  const int packedBytes = LZ4_compress_fast(reinterpret_cast<const char*>(picture.data.get()), reinterpret_cast<char*>(packed.get()), bytes, bytes - 1, kFastest);
  if (packedBytes <= 0) return;  // it would not have become smaller
  picture.data = std::make_unique_for_overwrite<uint8_t[]>(packedBytes);
  picture.bytes = packedBytes;
  picture.compressed = true;
  std::memcpy(picture.data.get(), packed.get(), packedBytes);
}

}  // namespace

void check(const TapRequest& request, const Ring& ring) {
  if (request.bin != 1 && request.bin != 2 && request.bin != 4) throw std::invalid_argument("bin: must be 1, 2 or 4");
  const Region region = request.region.value_or(Region{0, 0, ring.width(), ring.height()});
  const bool inside = uint64_t{region.x} + region.width <= ring.width() && uint64_t{region.y} + region.height <= ring.height();
  if (!inside || region.width < request.bin || region.height < request.bin)
    throw std::invalid_argument("region: must lie inside the frame of " + std::to_string(ring.width()) + " x " + std::to_string(ring.height()) +
                                " and be at least " + std::to_string(request.bin) + " pixels wide and high");
}

bool hasNewer(const Ring& ring, std::optional<uint64_t> after) {
  const uint64_t published = ring.published();
  if (published == 0) return false;
  const FrameStamp stamp = ring.stamp(published - 1);
  return !ring.whole(published - 1) || !after || stamp.sequence > *after;
}

std::optional<Picture> takePicture(const Ring& ring, const TapRequest& request) {
  const Region region = squares(request, ring);
  const uint64_t measured = uint64_t{region.width} * region.height;
  const size_t bytes = measured / (request.bin * request.bin) * kPixelBytes;
  Picture picture{0, {}, {}, measured, region.width / request.bin, region.height / request.bin, nullptr};
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const uint64_t published = ring.published();
    if (published == 0) return std::nullopt;
    const uint64_t newest = published - 1;
    picture.index = newest;
    picture.stamp = ring.stamp(newest);
    if (!ring.whole(newest)) continue;
    if (request.after && picture.stamp.sequence <= *request.after) return std::nullopt;
    const uint16_t* frame = ring.pixels(newest);
    picture.statistics = isWholeFrame(region, ring) ? picture.stamp.statistics : measure(frame, ring.width(), region, ring.measures().saturation);
    if (request.pixels) {
      if (!picture.data) picture.data = std::make_unique_for_overwrite<uint8_t[]>(bytes);
      copyPixels(frame, ring.width(), region, request.bin, reinterpret_cast<uint16_t*>(picture.data.get()));
      picture.bytes = bytes;
    }
    if (!ring.whole(newest)) continue;
    if (request.pixels && request.compress) compress(picture);
    return picture;
  }
  return std::nullopt;
}

}  // namespace kymograph
