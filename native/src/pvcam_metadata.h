#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pvcam_api.h"

namespace kymograph {

// Frames with PVCAM's metadata: a frame header, then for each region its header and its pixels, all packed and little-endian, as the structures
// md_frame_header, md_frame_header_v3 and md_frame_roi_header of pvcam.h lay them out. Read by ourselves and not by pl_md_frame_decode: that trusts the
// sizes which stand in the headers, older libraries do not know the later versions, and it fills pointers where numbers are wanted.
struct FrameRegion {
  uint16_t number;  // from 1
  rgn_type region;  // on the sensor
  std::span<const uint8_t> pixels;
  uint32_t width() const { return (region.s2 - region.s1 + 1u) / region.sbin; }
  uint32_t height() const { return (region.p2 - region.p1 + 1u) / region.pbin; }
};

struct DecodedFrame {
  uint8_t version;
  uint32_t number;
  int64_t beginNs;  // camera's clock: begin and end of the frame
  int64_t endNs;
  int64_t exposureNs;
  uint8_t bitDepth;
  std::vector<FrameRegion> regions;  // those with pixels
};

constexpr size_t kFrameHeaderBytes = 48;
constexpr size_t kRegionHeaderBytes = 32;
constexpr uint32_t kFrameSignature = 5328208;  // "PMQ"

// Versions 1 to 3, pixels of 16 bits, not compressed. Throws std::runtime_error that says what is wrong; never reads outside of `bytes`.
DecodedFrame decodeFrame(std::span<const uint8_t> bytes);

// The part of the sensor that a ring's frames show.
struct FrameBox {
  uint32_t x, y, width, height;  // in sensor pixels
  uint32_t binningX, binningY;
  uint32_t columns() const { return width / binningX; }
  uint32_t rows() const { return height / binningY; }
};

// The pixels of the only region, where it is all of the box: they can be copied as they stand. Null else.
const uint8_t* wholeFrame(const DecodedFrame& frame, const FrameBox& box);

// Writes the regions at their places in the box, 0 where there is none. Throws std::runtime_error for one that does not lie in it or is binned otherwise.
void composeFrame(const DecodedFrame& frame, const FrameBox& box, uint16_t* pixels);

}  // namespace kymograph
