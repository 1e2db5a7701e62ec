#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pvcam_sim {

struct Gain {
  const char* name;
  int16_t bitDepth;
  double factor;  // counts for an electron, against the first gain
};

struct Speed {
  uint16_t pixelTimeNs;
  std::vector<Gain> gains;
};

struct Port {
  const char* name;
  std::vector<Speed> speeds;
};

struct PostParameter {
  uint32_t id;
  const char* name;
  uint32_t minimum, maximum, initial;
};

struct PostFeature {
  uint32_t id;
  const char* name;
  std::vector<PostParameter> parameters;  // the first switches it on
};

// What a camera is beside its sensor's size.
struct Model {
  const char* product;
  const char* chip;
  std::vector<Port> ports;
};

// Number 0 has the tables of a Prime BSI, number 1 those of one of its later kind, whose speeds are ports.
const Model& modelOf(int number);
// As a Prime BSI lists them.
const std::vector<PostFeature>& postFeatures();

constexpr uint32_t kDenoising = 14;

}  // namespace pvcam_sim
