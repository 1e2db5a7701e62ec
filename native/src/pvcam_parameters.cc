#include "pvcam_parameters.h"

#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <type_traits>

namespace kymograph {

namespace {

constexpr uint32_t kMostChoices = 256;        // no enumeration of theirs comes near; a count beyond is garbage
constexpr uint32_t kLongestChoice = 1024;

// Calls `use` with a value of the C type that stands for `type` in memory.
template <typename Use>
auto asType(uint16_t type, Use&& use) {
  switch (type) {
    case pvcam::kInt8: return use(int8_t{});
    case pvcam::kInt16: return use(int16_t{});
    case pvcam::kInt32:
    case pvcam::kEnum: return use(int32_t{});
    case pvcam::kInt64: return use(int64_t{});
    case pvcam::kUint8: return use(uint8_t{});
    case pvcam::kUint16: return use(uint16_t{});
    case pvcam::kUint32: return use(uint32_t{});
    case pvcam::kUint64: return use(uint64_t{});
    case pvcam::kFloat32: return use(float{});
    case pvcam::kFloat64: return use(double{});
    case pvcam::kBoolean: return use(rs_bool{});
    default: throw std::invalid_argument("parameter: type " + std::to_string(type) + " of PVCAM is no value");
  }
}

template <typename Number>
PvcamValue valueOf(uint16_t type, Number number) {
  if (type == pvcam::kBoolean) return number != 0;
  if constexpr (std::is_floating_point_v<Number>) return static_cast<double>(number);
  else if constexpr (std::is_same_v<Number, uint64_t>) return static_cast<int64_t>(std::min<uint64_t>(number, std::numeric_limits<int64_t>::max()));
  else return static_cast<int64_t>(number);
}

template <typename Number>
Number numberFrom(const PvcamValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return static_cast<Number>(*flag);
  if constexpr (std::is_floating_point_v<Number>) {
    if (const auto* real = std::get_if<double>(&value)) return static_cast<Number>(*real);
    if (const auto* whole = std::get_if<int64_t>(&value)) return static_cast<Number>(*whole);
  } else if (const auto* whole = std::get_if<int64_t>(&value)) {
    if (std::in_range<Number>(*whole)) return static_cast<Number>(*whole);
  }
  throw std::invalid_argument("parameter: the value does not fit into the camera's type");
}

bool hasRange(uint16_t type) { return type != pvcam::kEnum && type != pvcam::kBoolean && type != pvcam::kText; }

}  // namespace

bool PvcamParameters::available(uint32_t id) const {
  rs_bool there = 0;
  return library_.pl_get_param(camera_, id, pvcam::kAvailable, &there) && there;
}

uint16_t PvcamParameters::typeOf(uint32_t id) const { return read<uint16_t>(id, pvcam::kType); }

std::optional<PvcamDescription> PvcamParameters::describe(uint32_t id) const {
  if (!available(id)) return std::nullopt;
  PvcamDescription description{typeOf(id), read<uint16_t>(id, pvcam::kAccess), {}, {}, {}, {}, {}};
  const uint16_t type = description.type;
  if (type == pvcam::kEnum) description.choices = choices(id);
  if (!hasRange(type) || description.access == pvcam::kExistCheckOnly) return description;
  description.minimum = limit(id, type, pvcam::kMinimum);
  description.maximum = limit(id, type, pvcam::kMaximum);
  description.increment = limit(id, type, pvcam::kIncrement);
  description.initial = limit(id, type, pvcam::kDefault);
  return description;
}

PvcamValue PvcamParameters::attribute(uint32_t id, uint16_t type, pvcam::Attribute which) const {
  return asType(type, [&](auto like) { return valueOf(type, read<decltype(like)>(id, which)); });
}

// Some parameters have no range, and some none while something else is switched off.
std::optional<PvcamValue> PvcamParameters::limit(uint32_t id, uint16_t type, pvcam::Attribute which) const {
  try {
    return attribute(id, type, which);
  } catch (const PvcamError&) {
    return std::nullopt;
  }
}

PvcamValue PvcamParameters::get(uint32_t id) const {
  const uint16_t type = typeOf(id);
  if (type != pvcam::kText) return attribute(id, type, pvcam::kCurrent);
  std::array<char, pvcam::kParameterTextLength + 1> text{};
  library_.check(library_.pl_get_param(camera_, id, pvcam::kCurrent, text.data()), "pl_get_param");
  text.back() = '\0';
  return std::string(text.data());
}

void PvcamParameters::set(uint32_t id, const PvcamValue& value) const {
  asType(typeOf(id), [&](auto like) {
    auto number = numberFrom<decltype(like)>(value);
    library_.check(library_.pl_set_param(camera_, id, &number), "pl_set_param");
  });
}

std::vector<PvcamChoice> PvcamParameters::choices(uint32_t id) const {
  const auto total = read<uint32_t>(id, pvcam::kCount);
  if (total > kMostChoices) throw std::runtime_error("the camera announces " + std::to_string(total) + " choices of one parameter");
  std::vector<PvcamChoice> all;
  for (uint32_t index = 0; index < total; ++index) {
    uint32_t length = 0;
    library_.check(library_.pl_enum_str_length(camera_, id, index, &length), "pl_enum_str_length");
    if (length > kLongestChoice) throw std::runtime_error("the camera announces a choice of " + std::to_string(length) + " characters");
    std::string text(length + 1, '\0');
    int32_t value = 0;
    library_.check(library_.pl_get_enum_param(camera_, id, index, &value, text.data(), length), "pl_get_enum_param");
    text.resize(text.find('\0'));
    all.push_back({value, std::move(text)});
  }
  return all;
}

std::string PvcamParameters::text(uint32_t id) const {
  std::array<char, pvcam::kParameterTextLength + 1> text{};
  if (!available(id) || !library_.pl_get_param(camera_, id, pvcam::kCurrent, text.data())) return "";
  text.back() = '\0';
  return text.data();
}

}  // namespace kymograph
