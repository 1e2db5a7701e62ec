#include "board.h"

#include <algorithm>
#include <cmath>

namespace comedi_sim {
namespace {

constexpr double kLoopOffset = -0.0496;    // V, as captured on the real one: DAC0 at 0 V, not calibrated
constexpr double kPhotodiode = 4.7814;     // V, as captured
constexpr double kReference = 0.0012;      // V between ground and the common reference
constexpr unsigned kCounterMaximum = 0xffffff;
constexpr double kTimeBaseHz = 20e6;
constexpr unsigned kDifferentialStep = 8;  // channel n is measured against n + 8

std::vector<comedi::Range> inputRanges() {
  std::vector<comedi::Range> ranges;
  for (const double volts : {10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1}) ranges.push_back({-volts, volts, comedi::kVolt});
  for (const double volts : {10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1}) ranges.push_back({0, volts, comedi::kVolt});
  return ranges;
}

std::array<Subdevice, kSubdevices> makeSubdevices() {
  constexpr unsigned both = comedi::kReadable | comedi::kWritable;
  constexpr unsigned references = comedi::kGround | comedi::kCommon | comedi::kDifferential | comedi::kOther;
  std::array<Subdevice, kSubdevices> all{};
  all[kAnalogIn] = {comedi::kAnalogIn, comedi::kReadable | comedi::kCommandRead | references, 16, 65535, inputRanges()};
  all[kAnalogOut] = {comedi::kAnalogOut, both | comedi::kGround, 2, 65535, {{-10, 10, comedi::kVolt}, {0, 10, comedi::kVolt}, {-1, 1, comedi::kNoUnit}, {0, 1, comedi::kNoUnit}}};
  all[kDigital] = {comedi::kDigitalIo, both, 8, 1, {}};
  all[5] = {comedi::kCalibration, both, 11, 255, {}};
  all[6] = {comedi::kMemory, comedi::kReadable, 512, 255, {}};
  all[kPfi] = {comedi::kDigitalIo, both, 10, 1, {}};
  all[9] = {comedi::kSerial, both, 1, 255, {}};
  all[10] = {comedi::kDigitalIo, both, 8, 1, {}};
  all[kCounter0] = {comedi::kCounter, both | comedi::kLargeSamples, 3, kCounterMaximum, {}};
  all[kCounter1] = all[kCounter0];
  all[13] = {comedi::kCounter, both, 1, 15, {}};
  return all;
}

}  // namespace

std::array<Subdevice, kSubdevices>& subdevices() {
  static auto& all = *new std::array<Subdevice, kSubdevices>(makeSubdevices());  // never destroyed: callers may go on while the process ends
  return all;
}

double Board::input(unsigned channel) {
  const double noise = noise_(random_);
  if (channel == 0) return outputs_[0].volts + kLoopOffset + noise;
  return (channel == 1 ? kPhotodiode : 0) + noise;
}

unsigned Board::analogIn(unsigned channel, unsigned range, unsigned reference) {
  double volts = input(channel);
  if (reference == 1) volts -= kReference;
  if (reference == 2) volts -= channel < kDifferentialStep ? input(channel + kDifferentialStep) : 0;
  if (reference == 3) volts = noise_(random_);  // the board's own calibration input: its ground
  const Subdevice& on = subdevices()[kAnalogIn];
  const comedi::Range& span = on.ranges[range];
  const double raw = std::round((volts - span.minimum) / (span.maximum - span.minimum) * on.maxdata);
  return static_cast<unsigned>(std::clamp(raw, 0.0, static_cast<double>(on.maxdata)));
}

void Board::writeAnalogOut(unsigned channel, unsigned range, unsigned value) {
  const Subdevice& on = subdevices()[kAnalogOut];
  const comedi::Range& span = on.ranges[range];
  outputs_[channel] = {value, span.minimum + value / static_cast<double>(on.maxdata) * (span.maximum - span.minimum)};
}

void Board::configure(unsigned subdevice, unsigned line, bool output) {
  Port& on = ports_[subdevice == kPfi ? 1 : 0];
  on.outputs = output ? on.outputs | 1U << line : on.outputs & ~(1U << line);
}

void Board::drive(unsigned subdevice, unsigned mask, unsigned bits) {
  Port& on = ports_[subdevice == kPfi ? 1 : 0];
  on.driven = (on.driven & ~mask) | (bits & mask);
}

unsigned Board::levels(unsigned subdevice) const {
  const Port& on = port(subdevice);
  const unsigned all = (1U << subdevices()[subdevice].channels) - 1;
  return ((on.driven & on.outputs) | ~on.outputs) & all;
}

void Board::armCounter(unsigned counter) {
  counters_[counter].armed = true;
  counters_[counter].since = std::chrono::steady_clock::now();
}

unsigned Board::counter(unsigned counter) const {
  const Counter& on = counters_[counter];
  if (!on.armed) return on.value;
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - on.since;
  return static_cast<unsigned>((on.value + static_cast<uint64_t>(passed.count() * kTimeBaseHz)) & kCounterMaximum);
}

}  // namespace comedi_sim
