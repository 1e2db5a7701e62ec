#include "comedi_counter.h"

#include <stdexcept>
#include <string>

namespace kymograph {

namespace {

constexpr unsigned kTimebase1Ns = 50;       // 20 MHz
constexpr unsigned kTimebase2Ns = 10'000;   // 100 kHz
constexpr unsigned kLoadA = 1, kLoadB = 2;  // channels of a counter that are registers: what it is loaded with when it reaches its end, in turns
constexpr unsigned kLeastTicks = 2;         // of each half of a pulse
constexpr unsigned kMostDivider = 16;       // told as 0
constexpr unsigned kNoGate = comedi::kGateDisabled | comedi::kEdge;

void checkPin(unsigned pin) {
  if (pin >= comedi::kPins) throw std::invalid_argument("pin: " + std::to_string(pin) + " is not one of " + std::to_string(comedi::kPins));
}

}  // namespace

ComediCounter::ComediCounter(const ComediDevice& device, unsigned subdevice) : device_(device), subdevice_(subdevice) {
  if (device.subdevice(subdevice).type != comedi::kCounter) throw std::invalid_argument("subdevice: " + std::to_string(subdevice) + " is no counter");
}

void ComediCounter::start(const ComediCounting& counting) const {
  unsigned clock = counting.slow ? comedi::kTimebase2 : comedi::kTimebase1;
  unsigned periodNs = counting.slow ? kTimebase2Ns : kTimebase1Ns;
  if (counting.pin) {
    checkPin(*counting.pin);
    clock = comedi::pinClock(*counting.pin) | (counting.falling ? comedi::kInvert : 0U);
    periodNs = 0;  // nobody knows it
  }
  if (counting.gatePin) checkPin(*counting.gatePin);
  const auto guard = device_.library().lock();
  configure(counting.gatePin ? comedi::pinGate(*counting.gatePin) : kNoGate, comedi::kCountNormally | comedi::kCountUp | comedi::kPulseAtEnd, clock, periodNs);
  write(0, 0);
  device_.library().check(device_.library().comedi_arm(device_.handle(), subdevice_, comedi::kArmImmediately), "comedi_arm");
}

void ComediCounter::startPulses(unsigned lowTicks, unsigned highTicks) const {
  const ComediSubdevice& on = device_.subdevice(subdevice_);
  if (on.channels <= kLoadB) throw std::invalid_argument("subdevice: this counter makes no pulses");
  if (lowTicks < kLeastTicks || lowTicks > on.maxdata || highTicks < kLeastTicks || highTicks > on.maxdata)
    throw std::invalid_argument("ticks: " + std::to_string(kLeastTicks) + " to " + std::to_string(on.maxdata) + " for each half of a pulse");
  constexpr unsigned mode = comedi::kCountNormally | comedi::kToggleAtEnd | comedi::kLoadAtEnd | comedi::kLoadInTurns | comedi::kLoadBFirst;
  const auto guard = device_.library().lock();
  configure(kNoGate, mode, comedi::kTimebase1, kTimebase1Ns);
  write(0, lowTicks);
  write(kLoadA, lowTicks);
  write(kLoadB, highTicks);
  device_.library().check(device_.library().comedi_arm(device_.handle(), subdevice_, comedi::kArmImmediately), "comedi_arm");
}

void ComediCounter::configure(unsigned gate, unsigned mode, unsigned clock, unsigned periodNs) const {
  const ComediLibrary& call = device_.library();
  call.check(call.comedi_reset(device_.handle(), subdevice_), "comedi_reset");
  call.check(call.comedi_set_gate_source(device_.handle(), subdevice_, 0, 0, gate), "comedi_set_gate_source");
  call.check(call.comedi_set_counter_mode(device_.handle(), subdevice_, 0, mode), "comedi_set_counter_mode");
  call.check(call.comedi_set_clock_source(device_.handle(), subdevice_, 0, clock, periodNs), "comedi_set_clock_source");
}

void ComediCounter::write(unsigned channel, unsigned value) const {
  const ComediLibrary& call = device_.library();
  call.check(call.comedi_data_write(device_.handle(), subdevice_, channel, 0, 0, value), "comedi_data_write");
}

// By the instruction: the library has a function for it only from 0.12 on.
void ComediCounter::stop() const {
  unsigned words[] = {comedi::kDisarm};
  instruct(words, 1);
}

bool ComediCounter::runs() const {
  unsigned words[] = {comedi::kCounterStatus, 0, 0};  // the bits, and which of them are known
  instruct(words, 3);
  return (words[1] & comedi::kCounterArmed) != 0;
}

void ComediCounter::reset() const {
  const auto guard = device_.library().lock();
  device_.library().check(device_.library().comedi_reset(device_.handle(), subdevice_), "comedi_reset");
}

void ComediCounter::outputFrequency(bool slow, unsigned divider) const {
  if (divider < 1 || divider > kMostDivider) throw std::invalid_argument("divider: 1 to " + std::to_string(kMostDivider));
  const ComediLibrary& call = device_.library();
  const auto guard = call.lock();
  const unsigned clock = slow ? comedi::kOutputTimebase2 : comedi::kOutputTimebase1Half;
  call.check(call.comedi_set_clock_source(device_.handle(), subdevice_, 0, clock, 0), "comedi_set_clock_source");
  write(0, divider % kMostDivider);
}

void ComediCounter::instruct(unsigned* words, unsigned count) const {
  comedi::Instruction instruction{};
  instruction.what = comedi::kConfigure;
  instruction.count = count;
  instruction.data = words;
  instruction.subdevice = subdevice_;
  const auto guard = device_.library().lock();
  device_.library().check(device_.library().comedi_do_insn(device_.handle(), &instruction), "comedi_do_insn");
}

}  // namespace kymograph
