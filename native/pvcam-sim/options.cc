#include "options.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace pvcam_sim {

namespace {

constexpr uint32_t kMaxSide = 8192;

uint32_t number(const char* name, uint32_t otherwise) {
  const char* text = std::getenv(name);
  unsigned value = 0;
  return text != nullptr && std::sscanf(text, "%u", &value) == 1 && value > 0 ? value : otherwise;
}

bool is(const char* name, const char* word) {
  const char* text = std::getenv(name);
  return text != nullptr && std::strcmp(text, word) == 0;
}

}  // namespace

Options Options::fromEnvironment() {
  Options options;
  const char* size = std::getenv("KYMOGRAPH_PVCAM_SIM_SIZE");
  unsigned width = 0, height = 0;
  if (size != nullptr && std::sscanf(size, "%ux%u", &width, &height) == 2 && width > 0 && height > 0 && width <= kMaxSide && height <= kMaxSide) {
    options.width = width;
    options.height = height;
  }
  options.failAfter = number("KYMOGRAPH_PVCAM_SIM_FAIL_AFTER", options.failAfter);
  options.firstFrame = number("KYMOGRAPH_PVCAM_SIM_FIRST_FRAME", options.firstFrame);
  options.loseEvery = number("KYMOGRAPH_PVCAM_SIM_LOSE_EVERY", options.loseEvery);
  options.spoilEvery = number("KYMOGRAPH_PVCAM_SIM_SPOIL_EVERY", options.spoilEvery);
  const uint32_t version = number("KYMOGRAPH_PVCAM_SIM_METADATA", options.metadataVersion);
  if (version <= 3) options.metadataVersion = version;
  options.stalls = !is("KYMOGRAPH_PVCAM_SIM_STALL", "off");
  options.lastContext = is("KYMOGRAPH_PVCAM_SIM_CONTEXT", "last");
  return options;
}

}  // namespace pvcam_sim
