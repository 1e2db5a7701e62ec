#include "scene.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

namespace pvcam_sim {

namespace {

constexpr double kOffset = 100;              // counts without light, per binned pixel
constexpr double kNoise = 4;                 // counts, root mean square, per sensor pixel
constexpr double kBrightness = 1.5e6;        // counts per second at the middle of the spot
constexpr double kFullWell = 60'000;         // counts
constexpr double kSigmaShare = 1.0 / 24;     // of the sensor's smaller side
constexpr double kReachSigmas = 4;           // beyond this the spot is below a count
constexpr double kSwing = 0.3;               // of the sensor, to each side of its middle
constexpr double kPeriodXSeconds = 11;
constexpr double kPeriodYSeconds = 17;
constexpr uint32_t kNoiseMargin = 64;        // offsets of the noise image

uint16_t counts(double value, uint16_t most) { return static_cast<uint16_t>(std::clamp(std::lround(value), 0l, static_cast<long>(most))); }

// Scatters consecutive numbers (the finaliser of MurmurHash3).
uint32_t scatter(uint32_t number) {
  number ^= number >> 16;
  number *= 0x85ebca6b;
  number ^= number >> 13;
  number *= 0xc2b2ae35;
  return number ^ number >> 16;
}

}  // namespace

Scene::Scene(uint32_t sensorWidth, uint32_t sensorHeight, const rgn_type& region, const Look& look)
    : sensorWidth_(sensorWidth),
      sensorHeight_(sensorHeight),
      left_(region.s1),
      top_(region.p1),
      binningX_(region.sbin),
      binningY_(region.pbin),
      width_((region.s2 - region.s1 + 1u) / region.sbin),
      height_((region.p2 - region.p1 + 1u) / region.pbin),
      noiseWidth_(width_ + kNoiseMargin),
      most_(look.most),
      flipX_(look.flipX),
      flipY_(look.flipY),
      noise_(size_t{noiseWidth_} * (height_ + kNoiseMargin)) {
  std::mt19937 random(1);  // the same lab at every start
  const double binned = binningX_ * binningY_;
  std::normal_distribution<double> background(kOffset, kNoise * look.quiet * std::sqrt(binned));
  constexpr size_t kDistinct = 1 << 16;  // enough that no repetition is seen, few enough to be quick
  std::vector<uint16_t> samples(kDistinct);
  for (auto& sample : samples) sample = counts(background(random), most_);
  for (auto& pixel : noise_) pixel = samples[random() % kDistinct];

  const double sigma = kSigmaShare * std::min(sensorWidth, sensorHeight);
  const double sigmaX = std::max(1.0, sigma / binningX_), sigmaY = std::max(1.0, sigma / binningY_);
  const double peak = std::min(kFullWell, kBrightness * look.exposureSeconds * binned) * look.gain;
  spotRadiusX_ = static_cast<int>(std::ceil(kReachSigmas * sigmaX));
  spotRadiusY_ = static_cast<int>(std::ceil(kReachSigmas * sigmaY));
  for (int y = -spotRadiusY_; y <= spotRadiusY_; ++y)
    for (int x = -spotRadiusX_; x <= spotRadiusX_; ++x) spot_.push_back(counts(peak * std::exp(-(x * x / (2 * sigmaX * sigmaX) + y * y / (2 * sigmaY * sigmaY))), most_));
}

void Scene::draw(uint32_t frameNumber, double seconds, uint16_t* pixels) const {
  const uint32_t offset = scatter(frameNumber);
  const uint16_t* from = noise_.data() + size_t{offset % kNoiseMargin} * noiseWidth_ + (offset >> 8) % kNoiseMargin;
  for (uint32_t y = 0; y < height_; ++y) std::memcpy(pixels + size_t{y} * width_, from + size_t{y} * noiseWidth_, size_t{width_} * sizeof(uint16_t));
  addSpot(seconds, pixels);
}

void Scene::addSpot(double seconds, uint16_t* pixels) const {
  const double turnX = 2 * M_PI * seconds / kPeriodXSeconds;
  const double turnY = 2 * M_PI * seconds / kPeriodYSeconds;
  const auto place = [](double onSensor, uint32_t start, uint32_t binning, uint32_t size, bool flipped) {
    const auto centre = static_cast<int>(std::lround((onSensor - start) / binning));
    return flipped ? static_cast<int>(size) - 1 - centre : centre;
  };
  const int centreX = place(sensorWidth_ * (0.5 + kSwing * std::sin(turnX)), left_, binningX_, width_, flipX_);
  const int centreY = place(sensorHeight_ * (0.5 + kSwing * std::cos(turnY)), top_, binningY_, height_, flipY_);
  const int side = 2 * spotRadiusX_ + 1;
  const int firstX = std::max(0, centreX - spotRadiusX_);
  const int lastX = std::min(static_cast<int>(width_) - 1, centreX + spotRadiusX_);
  const int firstY = std::max(0, centreY - spotRadiusY_);
  const int lastY = std::min(static_cast<int>(height_) - 1, centreY + spotRadiusY_);
  for (int y = firstY; y <= lastY; ++y) {
    const uint16_t* stamp = spot_.data() + size_t(y - centreY + spotRadiusY_) * side + (firstX - centreX + spotRadiusX_);
    uint16_t* row = pixels + size_t(y) * width_;
    for (int x = firstX; x <= lastX; ++x) row[x] = static_cast<uint16_t>(std::min(uint32_t{most_}, uint32_t{row[x]} + *stamp++));
  }
}

}  // namespace pvcam_sim
