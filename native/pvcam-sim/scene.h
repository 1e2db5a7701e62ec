#pragma once

#include <cstdint>
#include <vector>

#include "pvcam_api.h"

namespace pvcam_sim {

// What the simulated sensor sees: a Gaussian spot that drifts over a noisy background, for one region and exposure. Everything costly is done once: a frame
// is one copy out of a larger image of noise, at an offset that changes from frame to frame, plus a small stamp.
class Scene {
 public:
  Scene(uint32_t sensorWidth, uint32_t sensorHeight, const rgn_type& region, double exposureSeconds);
  uint32_t width() const { return width_; }
  uint32_t height() const { return height_; }
  size_t frameBytes() const { return size_t{width_} * height_ * sizeof(uint16_t); }
  // The same number gives the same frame.
  void draw(uint32_t frameNumber, double seconds, uint16_t* pixels) const;

 private:
  void addSpot(double seconds, uint16_t* pixels) const;

  uint32_t sensorWidth_, sensorHeight_;
  uint32_t left_, top_, binning_;
  uint32_t width_, height_;
  uint32_t noiseWidth_;
  std::vector<uint16_t> noise_;
  int spotRadius_;
  std::vector<uint16_t> spot_;
};

}  // namespace pvcam_sim
