#pragma once

#include <cstdint>

namespace pvcam_sim {

// Read by pl_pvcam_init from the environment; absent or not understood: the default.
struct Options {
  uint32_t width = 512, height = 512;    // KYMOGRAPH_PVCAM_SIM_SIZE        "2048x2048": the size of the sensors
  uint32_t failAfter = UINT32_MAX;       // KYMOGRAPH_PVCAM_SIM_FAIL_AFTER  "100": every acquisition fails after so many frames
  uint32_t firstFrame = 1;               // KYMOGRAPH_PVCAM_SIM_FIRST_FRAME "2147483640": the number of the first frame, near where 31 bits end
  uint32_t loseEvery = 0;                // KYMOGRAPH_PVCAM_SIM_LOSE_EVERY  "10": every tenth frame is lost on its way; its number is not given again
  uint32_t spoilEvery = 0;               // KYMOGRAPH_PVCAM_SIM_SPOIL_EVERY "10": the metadata of every tenth frame is garbage
  uint32_t metadataVersion = 3;          // KYMOGRAPH_PVCAM_SIM_METADATA    "1", "2" or "3": of the frame header
  bool stalls = true;                    // KYMOGRAPH_PVCAM_SIM_STALL       "off": reading a parameter while streaming does no harm
  bool lastContext = false;              // KYMOGRAPH_PVCAM_SIM_CONTEXT     "last": every callback gets the context that was registered last, for whatever camera

  static Options fromEnvironment();
};

}  // namespace pvcam_sim
