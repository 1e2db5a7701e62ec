#pragma once

#include <cstdint>
#include <vector>

#include "pvcam_api.h"

namespace pvcam_sim {

// What the simulated sensor sees: a Gaussian spot that drifts over a noisy background, for one region and exposure. Everything costly is done once: a frame
// is one copy out of a larger image of noise, at an offset that changes from frame to frame, plus a small stamp.
struct Look {
  double exposureSeconds;
  double gain = 1;   // counts for an electron, against the usual one
  double quiet = 1;  // of the usual noise
  uint16_t most = 65'535;
  bool flipX = false, flipY = false;
};

class Scene {
 public:
  Scene(uint32_t sensorWidth, uint32_t sensorHeight, const rgn_type& region, const Look& look);
  uint32_t width() const { return width_; }
  uint32_t height() const { return height_; }
  size_t frameBytes() const { return size_t{width_} * height_ * sizeof(uint16_t); }
  // The same number gives the same frame.
  void draw(uint32_t frameNumber, double seconds, uint16_t* pixels) const;

 private:
  void addSpot(double seconds, uint16_t* pixels) const;

  uint32_t sensorWidth_, sensorHeight_;
  uint32_t left_, top_, binningX_, binningY_;
  uint32_t width_, height_;
  uint32_t noiseWidth_;
  uint16_t most_;
  bool flipX_, flipY_;
  std::vector<uint16_t> noise_;
  int spotRadiusX_, spotRadiusY_;
  std::vector<uint16_t> spot_;
};

}  // namespace pvcam_sim
