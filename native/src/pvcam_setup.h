#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pvcam_library.h"
#include "pvcam_metadata.h"
#include "pvcam_parameters.h"
#include "ring.h"

namespace kymograph {

struct PvcamRegion {
  uint32_t x, y, width, height;  // in sensor pixels
};

struct PvcamStart {
  std::vector<PvcamRegion> regions;  // a frame of the ring is the smallest rectangle around them; several need metadata to be switched on
  uint32_t binningX, binningY;
  double exposureSeconds;
  std::optional<int32_t> triggerMode;    // of the camera's own; absent: it runs by itself,
  std::optional<int32_t> exposeOutMode;  // and its first one
  std::string ringPath;
  uint32_t ringSlots;
  RingMeasures measures;
  std::optional<uint64_t> frames;
};

struct PvcamExposure {
  uint32_t count;
  int64_t unitNs;
};

// Throws std::invalid_argument for what must not reach a camera with such a sensor.
void checkOptions(const PvcamStart& options, uint32_t sensorWidth, uint32_t sensorHeight);
// Around all regions. Each must begin whole binned pixels from its corner, so that they fit together; std::invalid_argument.
FrameBox boxAround(const PvcamStart& options);
std::vector<rgn_type> regionsOf(const PvcamStart& options);
uint64_t pixelBytes(const PvcamStart& options);
// Extended modes are the trigger mode OR-ed with the expose-out mode; cameras without them take the legacy ones as they are.
int16_t exposureMode(const PvcamParameters& parameters, const PvcamStart& options);
// Sets the finest unit in which the exposure fits into PVCAM's 32 bits and the camera's range: below 71 minutes these are microseconds. Cameras without a
// choice count milliseconds.
PvcamExposure setExposure(const PvcamParameters& parameters, double seconds);
// In nanoseconds, after the set-up: a camera rounds to its own clock. What it does not tell is what was asked for.
int64_t exposureDone(const PvcamParameters& parameters, PvcamExposure asked);
// PVCAM's own buffer only bridges the time until we copy; it is not the ring. As many frames as the library recommends or a second has, at least 32, as far
// as the bounds of frames and bytes allow. After the set-up.
size_t bufferBytes(const PvcamParameters& parameters, uint32_t frameBytes, double exposureSeconds);

}  // namespace kymograph
