#include "board.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace comedi_sim {
namespace {

constexpr double kLoopOffset = -0.0496;    // V, as captured on the real one: DAC0 at 0 V, not calibrated
constexpr double kPhotodiode = 4.7814;     // V, as captured
// An electro-optic modulator that DAC1 drives, and the photodiode behind it; its extremes as captured in a sweep.
constexpr double kDarkVolts = 0.7;
constexpr double kBrightVolts = 4.8;
constexpr double kDarkMilliwatts = 2.25;
constexpr double kBrightMilliwatts = 15.9;
constexpr double kVoltsPerMilliwatt = 0.5;
constexpr double kReference = 0.0012;      // V between ground and the common reference
constexpr unsigned kCounterMaximum = 0xffffff;
constexpr double kTimeBase1Hz = 20e6;
constexpr double kTimeBase2Hz = 100e3;
constexpr unsigned kFrequencyPin = 8;
constexpr unsigned kPulsePin = 3;
constexpr unsigned kDifferentialStep = 8;  // channel n is measured against n + 8

struct Wire {
  unsigned line;
  unsigned pin;
};
constexpr Wire kWires[] = {{0, 0}, {1, 9}};  // from a digital line to a programmable function input

// A sine squared between its extremes.
double modulatedMilliwatts(double volts) {
  const double sine = std::sin(std::numbers::pi / 2 * (volts - kDarkVolts) / (kBrightVolts - kDarkVolts));
  return kDarkMilliwatts + (kBrightMilliwatts - kDarkMilliwatts) * sine * sine;
}

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
  all[kAnalogOut] = {comedi::kAnalogOut, both | comedi::kCommandWrite | comedi::kGround, 2, 65535, {{-10, 10, comedi::kVolt}, {0, 10, comedi::kVolt}, {-1, 1, comedi::kNoUnit}, {0, 1, comedi::kNoUnit}}};
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
  if (channel == 1) return kPhotodiode + noise;
  if (channel == 2) return modulatedMilliwatts(outputs_[1].volts) * kVoltsPerMilliwatt + noise;
  return noise;
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
  playAnalogOut(channel, range, value);
  outputs_[channel].value = value;
}

void Board::playAnalogOut(unsigned channel, unsigned range, unsigned value) {
  const Subdevice& on = subdevices()[kAnalogOut];
  const comedi::Range& span = on.ranges[range];
  outputs_[channel].volts = span.minimum + value / static_cast<double>(on.maxdata) * (span.maximum - span.minimum);
}

void Board::configure(unsigned subdevice, unsigned line, bool output) {
  pass();
  Port& on = ports_[subdevice == kPfi ? 1 : 0];
  on.outputs = output ? on.outputs | 1U << line : on.outputs & ~(1U << line);
}

std::vector<Edge> Board::drive(unsigned subdevice, unsigned mask, unsigned bits) {
  pass();
  Port& on = ports_[subdevice == kPfi ? 1 : 0];
  on.driven = (on.driven & ~mask) | (bits & mask);
  const unsigned now = levels(kPfi);
  std::vector<Edge> edges;
  for (unsigned pin = 0; pin < subdevices()[kPfi].channels; ++pin)
    if (((now ^ shown_) >> pin & 1) != 0) edges.push_back({pin, (now >> pin & 1) != 0});
  shown_ = now;
  for (const Edge& edge : edges)
    for (Counter& counter : counters_)
      if (counter.clock() == (comedi::pinClock(edge.pin) | (edge.rising ? 0U : comedi::kInvert)) && open(counter)) counter.count();
  return edges;
}

unsigned Board::levels(unsigned subdevice) const {
  const Port& on = port(subdevice);
  const unsigned all = (1U << subdevices()[subdevice].channels) - 1;
  unsigned high = (on.driven & on.outputs) | ~on.outputs;
  if (subdevice == kPfi)
    for (const Wire& wire : kWires)
      if ((on.outputs >> wire.pin & 1) == 0 && (levels(kDigital) >> wire.line & 1) == 0) high &= ~(1U << wire.pin);
  return high & all;
}

void Board::pass() {
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(now - passed_).count();
  passed_ = now;
  for (Counter& counter : counters_) counter.pass(seconds, clockHz(counter.clock()), open(counter));
}

double Board::clockHz(unsigned clock) const {
  if (clock == comedi::kTimebase1) return kTimeBase1Hz;
  if (clock == comedi::kTimebase2) return kTimeBase2Hz;
  const unsigned source = clock & ~comedi::kInvert;
  if (source == comedi::pinClock(kFrequencyPin) && divider_ != 0)
    return (frequencyClock_ == comedi::kOutputTimebase2 ? kTimeBase2Hz : kTimeBase1Hz / 2) / divider_;
  if (source == comedi::pinClock(kPulsePin) && counters_[0].clock() != clock) return counters_[0].pulseHz(clockHz(counters_[0].clock()));
  return 0;
}

bool Board::open(const Counter& counter) const {
  const unsigned gate = counter.gate();
  if ((gate & comedi::kGateDisabled) != 0) return true;
  const unsigned pin = (gate & ~comedi::kEdge) - comedi::pinGate(0);
  return (levels(kPfi) >> pin & 1) != 0;
}

Counter& Board::counter(unsigned number) {
  pass();
  return counters_[number];
}

void Board::writeFrequency(unsigned divider) {
  pass();
  divider_ = divider == 0 ? 16 : divider;
}

void Board::setFrequencyClock(unsigned clock) {
  pass();
  frequencyClock_ = clock;
}

}  // namespace comedi_sim
