#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "pvcam_library.h"

namespace kymograph {

// Every number but floats: no parameter of PVCAM's 64-bit types needs all of an unsigned one's range.
using PvcamValue = std::variant<bool, int64_t, double, std::string>;

struct PvcamChoice {
  int32_t value;
  std::string name;
};

// What a camera says of one of its parameters now; the range may depend on others.
struct PvcamDescription {
  uint16_t type;
  uint16_t access;
  std::optional<PvcamValue> minimum, maximum, increment, initial;  // of numbers
  std::vector<PvcamChoice> choices;                                // of enumerations
};

// The parameters of one open camera, by id, whatever their types. None of these may be called while the camera streams.
class PvcamParameters {
 public:
  PvcamParameters(const PvcamLibrary& library, int16_t camera) : library_(library), camera_(camera) {}

  bool available(uint32_t id) const;
  // Nothing for what the camera does not have.
  std::optional<PvcamDescription> describe(uint32_t id) const;
  // Throws PvcamError; std::invalid_argument for a type that is no value (pointers), or a value that the type cannot hold.
  PvcamValue get(uint32_t id) const;
  void set(uint32_t id, const PvcamValue& value) const;
  std::vector<PvcamChoice> choices(uint32_t id) const;

  template <typename Value>
  Value read(uint32_t id, pvcam::Attribute attribute = pvcam::kCurrent) const {
    Value value{};
    library_.check(library_.pl_get_param(camera_, id, attribute, &value), "pl_get_param");
    return value;
  }
  template <typename Value>
  std::optional<Value> readIfAny(uint32_t id, pvcam::Attribute attribute = pvcam::kCurrent) const {
    Value value{};
    return available(id) && library_.pl_get_param(camera_, id, attribute, &value) ? std::optional(value) : std::nullopt;
  }
  // Not every camera has every text; an absent one is no reason to refuse the camera.
  std::string text(uint32_t id) const;

 private:
  uint16_t typeOf(uint32_t id) const;
  PvcamValue attribute(uint32_t id, uint16_t type, pvcam::Attribute attribute) const;
  std::optional<PvcamValue> limit(uint32_t id, uint16_t type, pvcam::Attribute attribute) const;

  const PvcamLibrary& library_;
  const int16_t camera_;
};

}  // namespace kymograph
