#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace kymograph {

// A rectangle of the frames of a recording: those of the first frame begin at `offset`, of each next one `step` bytes further, `frameWidth` pixels a row.
struct RegionSeries {
  std::string path;
  uint64_t offset;
  uint64_t step;
  uint64_t frames;
  uint64_t frameWidth;
  uint64_t x;
  uint64_t y;
  uint64_t width;
  uint64_t height;
};

enum class ReadMethod { kMapped, kRead };

// Minimum, maximum and sum of the region in each frame, one after the other. Reads the rows of the region and nothing between the frames. `method` is how:
// mapped falls back to read where the system cannot bring in a mapped page without the risk of SIGBUS. Throws SystemError, also when the file is too short,
// and std::invalid_argument for a region that leaves its frames.
std::vector<double> regionSeries(const RegionSeries& series, ReadMethod method);

// The pixels of the region, frame after frame, row after row; otherwise as above.
std::vector<uint16_t> regionPixels(const RegionSeries& series, ReadMethod method);

}  // namespace kymograph
