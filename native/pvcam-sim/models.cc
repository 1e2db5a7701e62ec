#include "models.h"

namespace pvcam_sim {

const Model& modelOf(int number) {
  static const std::vector<Model> models = {
      {"PrimeBSI",
       "KYMOGRAPH-SIM",
       {{"CMOS",
         {{5, {{"Default", 16, 1}, {"Full well", 11, 0.03}, {"Balanced", 11, 0.06}, {"Sensitivity", 11, 0.12}}},
          {10, {{"HDR", 16, 1}, {"CMS", 12, 0.25}}}}}}},
      {"PrimeBSIExpress",
       "KYMOGRAPH-SIM",
       {{"Sensitivity", {{10, {{"CMS", 12, 0.25}}}}}, {"Speed", {{5, {{"Full well", 11, 0.03}, {"Balanced", 11, 0.06}}}}}, {"Dynamic Range", {{10, {{"HDR", 16, 1}}}}}}},
  };
  return models[static_cast<size_t>(number) % models.size()];
}

const std::vector<PostFeature>& postFeatures() {
  static const std::vector<PostFeature> features = {
      {13, "DESPECKLE BRIGHT LOW", {{130, "ENABLED", 0, 1, 0}, {131, "THRESHOLD", 0, 65535, 65}, {132, "MAX ADU AFFECTED", 0, 65535, 200}}},
      {8, "DESPECKLE BRIGHT HIGH", {{80, "ENABLED", 0, 1, 0}, {81, "THRESHOLD", 0, 65535, 275}, {82, "MIN ADU AFFECTED", 0, 65535, 200}}},
      {9, "DESPECKLE DARK LOW", {{90, "ENABLED", 0, 1, 0}, {91, "THRESHOLD", 0, 65535, 35}, {92, "MAX ADU AFFECTED", 0, 65535, 200}}},
      {15, "DESPECKLE DARK HIGH", {{150, "ENABLED", 0, 1, 0}, {151, "THRESHOLD", 0, 65535, 85}, {152, "MIN ADU AFFECTED", 0, 65535, 200}}},
      {kDenoising,
       "DENOISING",
       {{140, "ENABLED", 0, 1, 0}, {141, "NO OF ITERATIONS", 1, 10, 3}, {142, "GAIN", 0, 65535, 100}, {143, "OFFSET", 0, 65535, 25}, {144, "LAMBDA", 0, 255, 26}}},
      {3, "QUANTVIEW", {{30, "ENABLED", 0, 1, 0}, {31, "E-", 0, 65535, 1}}},
  };
  return features;
}

}  // namespace pvcam_sim
