// Squares of pixels put together, in buffers that end where the pixels do: a vector that reads or writes one too many is seen.
#include "binning.h"

#include <cstdint>
#include <random>
#include <vector>

#include "check.h"

using namespace kymograph;

namespace {

constexpr int kShapes = 4'000;
constexpr uint32_t kMaxWidth = 400;  // six steps of the widest vectors, and what is left over
constexpr uint32_t kMaxBesides = 9;

void oneShape(std::mt19937& random, uint32_t bin) {
  const auto below = [&](uint32_t end) { return static_cast<uint32_t>(random() % end); };
  const size_t width = size_t{1 + below(kMaxWidth / bin)} * bin;
  const size_t stride = width + below(kMaxBesides);
  const size_t before = below(kMaxBesides);  // any alignment
  std::vector<uint16_t> pixels(before + (bin - 1) * stride + width);
  const uint32_t darkest = below(4) == 0 ? 65'530 : 0;  // sums that need more than 16 bits
  for (uint16_t& pixel : pixels) pixel = static_cast<uint16_t>(darkest + below(65'536 - darkest));
  std::vector<uint16_t> means(width / bin);
  const uint16_t* rows = pixels.data() + before;
  binRows(rows, stride, width, bin, means.data());
  for (size_t x = 0; x < means.size(); ++x) {
    double sum = 0;
    for (uint32_t dy = 0; dy < bin; ++dy)
      for (uint32_t dx = 0; dx < bin; ++dx) sum += rows[dy * stride + x * bin + dx];
    CHECK(means[x] == static_cast<uint16_t>(sum / (bin * bin) + 0.5));
  }
}

}  // namespace

int main() {
  std::mt19937 random(1);
  for (int shape = 0; shape < kShapes; ++shape)
    for (const uint32_t bin : {2, 4}) oneShape(random, bin);
  return 0;
}
