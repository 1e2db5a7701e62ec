#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "models.h"
#include "options.h"
#include "pvcam_api.h"

namespace pvcam_sim {

// Codes of the simulator's own, where the real library's are not documented to us.
enum OwnError : int16_t { kNotInitialised = 9001, kNoSuchCamera = 9002, kNotAvailable = 9003, kNoFrame = 9004, kBadValue = 9005, kNoAnswer = 9006, kReadOnly = 9007 };

struct Choice {
  int32_t value;
  std::string name;
};

// The parameters of one camera: what there is, in which range, and what it is set to. Ranges follow what they depend on, as the real ones do.
class Settings {
 public:
  Settings(int number, const Options& options);

  // Each gives a PVCAM error code, 0 for success.
  int16_t get(uint32_t id, int16_t attribute, void* value);
  int16_t set(uint32_t id, const void* value);
  int16_t choice(uint32_t id, uint32_t index, Choice* found);

  int64_t number(uint32_t id) const;
  // Of what an acquisition has been set up for.
  void setUpFor(uint32_t rows, uint32_t exposure, uint64_t frameBytes);
  // Of the buffer that an acquisition has been given; there until the next one, so that a test sees it.
  void began(uint32_t bufferBytes);
  double rowSeconds() const;
  double exposureUnitSeconds() const;
  int16_t bitDepth() const;
  double gainFactor() const;
  // How much quieter denoising makes the pixels; 1 without it.
  double quiet() const;
  void resetPostProcessing();

 private:
  struct Entry {
    uint16_t access;
    int64_t current, minimum, maximum, increment, initial;
    double real = 0;  // of those that are no whole numbers
    std::string text;
    std::vector<Choice> choices;
  };
  Entry* find(uint32_t id);
  void add(uint32_t id, int64_t value);
  void addRange(uint32_t id, int64_t minimum, int64_t maximum, int64_t initial);
  void addChoices(uint32_t id, bool writable, std::vector<Choice> choices);
  void addText(uint32_t id, std::string text);
  const Gain& gain() const;
  const Speed& speed() const;
  const Port& port() const;
  void followReadout();
  void followPost();
  void followResolution();
  int16_t storable(const Entry& entry, uint32_t id, int64_t value) const;

  const Model& model_;
  mutable std::recursive_mutex mutex_;
  std::map<uint32_t, Entry> entries_;
  std::vector<std::vector<uint32_t>> post_;  // values, feature by feature
  std::mt19937 random_{7};
};

}  // namespace pvcam_sim
