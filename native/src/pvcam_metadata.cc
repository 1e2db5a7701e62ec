#include "pvcam_metadata.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>

namespace kymograph {

namespace {

constexpr size_t kPixelBytes = sizeof(uint16_t);
constexpr uint8_t kInvalidRegion = 1;     // flags of a region: it is to be passed over,
constexpr uint8_t kRegionHeaderOnly = 2;  // or has no pixels
constexpr uint64_t kPicosecondsPerNs = 1000;

[[noreturn]] void refuse(const std::string& why) { throw std::runtime_error("frame metadata: " + why); }

// Takes bytes from the front, never more than there are.
class Reader {
 public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes_(bytes) {}

  std::span<const uint8_t> take(size_t count, const char* what) {
    if (count > bytes_.size()) refuse(std::string(what) + " takes " + std::to_string(count) + " bytes and " + std::to_string(bytes_.size()) + " are left");
    const auto taken = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return taken;
  }

 private:
  std::span<const uint8_t> bytes_;
};

// At a fixed place within a header, whose length is known.
template <typename Value>
Value at(std::span<const uint8_t> header, size_t offset) {
  Value value;
  std::memcpy(&value, header.subspan(offset, sizeof value).data(), sizeof value);
  return value;
}

int64_t nanoseconds(uint64_t count, uint64_t unitNs) {
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  return static_cast<int64_t>(unitNs != 0 && count > kMost / unitNs ? kMost : count * unitNs);
}

rgn_type regionAt(std::span<const uint8_t> header, size_t offset) {
  const auto part = [&](size_t index) { return at<uint16_t>(header, offset + index * sizeof(uint16_t)); };
  return {part(0), part(1), part(2), part(3), part(4), part(5)};
}

FrameRegion decodeRegion(Reader& reader, uint8_t version) {
  const auto header = reader.take(kRegionHeaderBytes, "a region's header");
  const rgn_type region = regionAt(header, 10);
  const auto flags = at<uint8_t>(header, 22);
  const auto announced = version >= 2 ? at<uint32_t>(header, 25) : 0;  // version 1 keeps these bytes to itself
  reader.take(at<uint16_t>(header, 23), "a region's extended metadata");
  FrameRegion decoded{at<uint16_t>(header, 0), region, {}};
  if (region.s2 < region.s1 || region.p2 < region.p1 || region.sbin == 0 || region.pbin == 0) {
    if ((flags & kInvalidRegion) != 0 && announced == 0) return decoded;
    refuse("region " + std::to_string(decoded.number) + " is none");
  }
  const uint64_t computed = uint64_t{decoded.width()} * decoded.height() * kPixelBytes;
  if ((flags & kRegionHeaderOnly) != 0) return decoded;
  if (announced != 0 && announced != computed)
    refuse("region " + std::to_string(decoded.number) + " announces " + std::to_string(announced) + " bytes, and its place on the sensor says " + std::to_string(computed));
  const auto pixels = reader.take(computed, "a region's pixels");
  if ((flags & kInvalidRegion) == 0) decoded.pixels = pixels;
  return decoded;
}

}  // namespace

DecodedFrame decodeFrame(std::span<const uint8_t> bytes) {
  Reader reader(bytes);
  const auto header = reader.take(kFrameHeaderBytes, "the frame's header");
  if (at<uint32_t>(header, 0) != kFrameSignature) refuse("it does not begin with PVCAM's signature");
  DecodedFrame frame{};
  frame.version = at<uint8_t>(header, 4);
  if (frame.version < 1 || frame.version > 3) refuse("version " + std::to_string(frame.version) + " is not known");
  frame.number = at<uint32_t>(header, 5);
  const auto regions = at<uint16_t>(header, 9);
  if (frame.version == 3) {
    frame.beginNs = static_cast<int64_t>(at<uint64_t>(header, 11) / kPicosecondsPerNs);
    frame.endNs = static_cast<int64_t>(at<uint64_t>(header, 19) / kPicosecondsPerNs);
    frame.exposureNs = static_cast<int64_t>(at<uint64_t>(header, 27) / kPicosecondsPerNs);
  } else {
    const auto unitNs = at<uint32_t>(header, 19);
    frame.beginNs = nanoseconds(at<uint32_t>(header, 11), unitNs);
    frame.endNs = nanoseconds(at<uint32_t>(header, 15), unitNs);
    frame.exposureNs = nanoseconds(at<uint32_t>(header, 23), at<uint32_t>(header, 27));
  }
  frame.bitDepth = at<uint8_t>(header, 35);
  reader.take(at<uint16_t>(header, 38), "extended metadata");
  if (frame.version >= 2) {  // before, these bytes are reserved
    const auto format = at<uint8_t>(header, 40);
    if (format > 1) refuse("image format " + std::to_string(format) + " has no pixels of 16 bits");
    if (const auto compression = at<uint8_t>(header, 41); compression != 0) refuse("compression " + std::to_string(compression) + " is not known");
  }
  for (uint16_t index = 0; index < regions; ++index) {
    FrameRegion region = decodeRegion(reader, frame.version);
    if (!region.pixels.empty()) frame.regions.push_back(region);
  }
  return frame;
}

const uint8_t* wholeFrame(const DecodedFrame& frame, const FrameBox& box) {
  if (frame.regions.size() != 1) return nullptr;
  const FrameRegion& only = frame.regions.front();
  const rgn_type& region = only.region;
  const bool all = region.s1 == box.x && region.p1 == box.y && region.s2 + 1u == box.x + box.width && region.p2 + 1u == box.y + box.height &&
                   region.sbin == box.binningX && region.pbin == box.binningY;
  return all ? only.pixels.data() : nullptr;
}

void composeFrame(const DecodedFrame& frame, const FrameBox& box, uint16_t* pixels) {
  const size_t columns = box.columns();
  std::fill_n(pixels, columns * box.rows(), uint16_t{0});
  for (const FrameRegion& part : frame.regions) {
    const rgn_type& region = part.region;
    const bool binned = region.sbin == box.binningX && region.pbin == box.binningY;
    const bool inside = region.s1 >= box.x && region.p1 >= box.y && region.s2 < box.x + box.width && region.p2 < box.y + box.height;
    if (!binned || !inside) refuse("region " + std::to_string(part.number) + " does not belong to the frame that was asked for");
    uint16_t* to = pixels + (region.p1 - box.y) / box.binningY * columns + (region.s1 - box.x) / box.binningX;
    const size_t rowBytes = part.width() * kPixelBytes;
    const uint8_t* from = part.pixels.data();
    for (uint32_t row = 0; row < part.height(); ++row, to += columns, from += rowBytes) std::memcpy(to, from, rowBytes);
  }
}

}  // namespace kymograph
