// Compares the statistics of frames, bit for bit, with the obvious loop: odd shapes, regions anywhere, pixels at odd addresses, copied or where they stand.
// Arguments: rounds, seed. With -DPLAIN the loops without AVX2 are what is tested, on x86-64 too.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#ifdef PLAIN
#undef __x86_64__
#endif
#include "pixel_kernels.cc"
#include "statistics.cc"

using namespace kymograph;

namespace {

FrameStatistics obvious(const Measures& measures, const std::vector<uint16_t>& pixels) {
  FrameStatistics total;
  for (uint32_t y = 0; y < measures.height; ++y)
    for (uint32_t x = 0; x < measures.width; ++x) {
      const uint16_t pixel = pixels[size_t{y} * measures.width + x];
      total.minimum = std::min(total.minimum, pixel);
      total.maximum = std::max(total.maximum, pixel);
      if (pixel >= measures.saturation) ++total.saturated;
      total.sum += pixel;
      for (size_t at = 0; at < measures.regions.size(); ++at) {
        const Region& region = measures.regions[at];
        if (x >= region.x && x - region.x < region.width && y >= region.y && y - region.y < region.height) total.regionSums[at] += pixel;
      }
    }
  return total;
}

}  // namespace

int main(int, char** arguments) {
  const int rounds = std::atoi(arguments[1]);
  std::mt19937 random(static_cast<unsigned>(std::atoi(arguments[2])));
  const auto below = [&](uint32_t limit) { return static_cast<uint32_t>(random() % limit); };
  for (int round = 0; round < rounds; ++round) {
    // From a single pixel to rows that are longer than a piece, and pieces of several rows; every seventh frame has nothing but full scale, where sums are largest.
    // Every twentieth is so large that it goes past the caches.
    const bool large = round % 20 == 1;
    const uint32_t width = large ? 700 + below(700) : round % 5 == 0 ? 1 + below(70'000) : 1 + below(300);
    const uint32_t height = large ? 800 + below(100) : 1 + below(round % 5 == 0 ? 9 : 200);
    const uint32_t depth = 1 + below(16);
    std::vector<uint16_t> pixels(size_t{width} * height);
    for (uint16_t& pixel : pixels) pixel = round % 7 == 0 ? UINT16_MAX : static_cast<uint16_t>(random() & ((1u << depth) - 1));
    std::vector<Region> regions(below(kMaxRegions + 1));
    for (Region& region : regions) {
      region.x = below(width);
      region.y = below(height);
      region.width = 1 + below(width - region.x);
      region.height = 1 + below(height - region.y);
    }
    const auto saturation = static_cast<uint16_t>(1 + below(1u << depth) % UINT16_MAX);
    const Measures measures{width, height, saturation, regions};
    const FrameStatistics expected = obvious(measures, pixels);

    const size_t bytes = pixels.size() * sizeof(uint16_t);
    std::vector<uint8_t> odd(bytes + 1);
    std::memcpy(odd.data() + 1, pixels.data(), bytes);
    const size_t shift = below(32);  // from a vector's alignment
    std::vector<uint16_t> room(pixels.size() + shift + 1, 0xabcd);
    uint16_t* to = room.data() + shift;
    const FrameStatistics copied = copyAndMeasure(measures, odd.data() + 1, to);
    const uint32_t cut = below(height + 1);
    FrameStatistics standing = measureRows(measures, to, 0, cut);
    standing += measureRows(measures, to, cut, height);
    const bool same = std::memcmp(&copied, &expected, sizeof expected) == 0 && std::memcmp(&standing, &expected, sizeof expected) == 0 &&
                      std::equal(pixels.begin(), pixels.end(), to) && room.back() == 0xabcd;
    if (!same) {
      std::printf("round %d: %u x %u, saturation %u, %zu regions\n", round, width, height, saturation, regions.size());
      return 1;
    }
  }
  std::printf("same\n");
}
