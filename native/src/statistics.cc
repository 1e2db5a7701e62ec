#include "statistics.h"

#include <algorithm>

#include "pixel_kernels.h"

namespace kymograph {

namespace {

constexpr size_t kPieceBytes = 8 * 1024;    // copied, then looked at again for the regions: it stays in the first cache
constexpr size_t kStreamedBytes = 1 << 20;  // a frame from here on is not in the second cache when somebody comes for it

const uint8_t* rowAt(const Measures& measures, const void* frame, uint32_t y) {
  return static_cast<const uint8_t*>(frame) + y * size_t{measures.width} * sizeof(uint16_t);
}

// Calls `piece` with the first pixel and the count of each.
template <typename Piece>
void inPieces(size_t count, Piece&& piece) {
  for (size_t at = 0; at < count; at += kPiecePixels) piece(at, std::min(kPiecePixels, count - at));
}

void add(FrameStatistics& total, const PieceStatistics& piece) {
  total.minimum = std::min(total.minimum, piece.minimum);
  total.maximum = std::max(total.maximum, piece.maximum);
  total.saturated += piece.saturated;
  total.sum += piece.sum;
}

// Of the rows from `first` up to `end` as they stand at `frame`.
void addRegions(FrameStatistics& total, const Measures& measures, const void* frame, uint32_t first, uint32_t end) {
  const auto sum = pixelKernels().sum;
  for (size_t at = 0; at < measures.regions.size(); ++at) {
    const Region& region = measures.regions[at];
    const uint32_t last = std::min(end, region.y + region.height);
    for (uint32_t y = std::max(first, region.y); y < last; ++y) {
      const uint8_t* row = rowAt(measures, frame, y) + size_t{region.x} * sizeof(uint16_t);
      inPieces(region.width, [&](size_t from, size_t count) { total.regionSums[at] += sum(row + from * sizeof(uint16_t), count); });
    }
  }
}

// Whole rows, as many as fill kPieceBytes: calls `rows` with the first one and the one after the last.
template <typename Rows>
void inRows(const Measures& measures, uint32_t first, uint32_t end, Rows&& rows) {
  const size_t rowBytes = size_t{measures.width} * sizeof(uint16_t);
  const auto step = static_cast<uint32_t>(std::max<size_t>(1, kPieceBytes / rowBytes));
  for (uint32_t y = first; y < end;) {
    const uint32_t next = end - y > step ? y + step : end;
    rows(y, next);
    y = next;
  }
}

}  // namespace

FrameStatistics& FrameStatistics::operator+=(const FrameStatistics& other) {
  minimum = std::min(minimum, other.minimum);
  maximum = std::max(maximum, other.maximum);
  saturated += other.saturated;
  sum += other.sum;
  for (size_t at = 0; at < kMaxRegions; ++at) regionSums[at] += other.regionSums[at];
  return *this;
}

void addPixels(FrameStatistics& total, const uint16_t* pixels, size_t count, uint16_t saturation) {
  const auto measure = pixelKernels().measure;
  inPieces(count, [&](size_t at, size_t part) { add(total, measure(reinterpret_cast<const uint8_t*>(pixels + at), part, saturation)); });
}

FrameStatistics measureRows(const Measures& measures, const uint16_t* frame, uint32_t first, uint32_t end) {
  FrameStatistics total;
  inRows(measures, first, end, [&](uint32_t y, uint32_t next) {
    addPixels(total, frame + y * size_t{measures.width}, (next - y) * size_t{measures.width}, measures.saturation);
    addRegions(total, measures, frame, y, next);
  });
  return total;
}

FrameStatistics copyAndMeasure(const Measures& measures, const void* from, uint16_t* to) {
  const PixelKernels& kernels = pixelKernels();
  const size_t width = measures.width;
  const auto copy = width * measures.height * sizeof(uint16_t) < kStreamedBytes ? kernels.copy : kernels.stream;
  FrameStatistics total;
  kernels.settle();  // whoever sees a new pixel is to see the slot's lock before it
  inRows(measures, 0, measures.height, [&](uint32_t y, uint32_t next) {
    const uint8_t* rows = rowAt(measures, from, y);
    inPieces((next - y) * width, [&](size_t at, size_t count) { add(total, copy(rows + at * sizeof(uint16_t), to + y * width + at, count, measures.saturation)); });
    addRegions(total, measures, from, y, next);
  });
  kernels.settle();  // and no publication before its pixels
  return total;
}

}  // namespace kymograph
