#include "counter.h"

namespace comedi_sim {
namespace {

namespace comedi = kymograph::comedi;
constexpr unsigned kMaximum = 0xffffff;

}  // namespace

void Counter::pass(double seconds, double sourceHz, bool open) {
  if (!armed_ || !open || sourceHz == 0) return;
  part_ += seconds * sourceHz;
  const auto whole = static_cast<uint64_t>(part_);
  part_ -= static_cast<double>(whole);
  add(whole);
}

// Down, when it makes pulses, from its two registers in turns; else up, or down, past its end.
void Counter::add(uint64_t ticks) {
  if (!armed_) return;
  if (makesPulses()) {
    const unsigned period = loadA_ + loadB_;
    value_ = (value_ + period - static_cast<unsigned>(ticks % period)) % period;
  } else if ((mode_ & comedi::kCountUp) != 0) {
    value_ = static_cast<unsigned>((value_ + ticks) & kMaximum);
  } else {
    value_ = static_cast<unsigned>((value_ - ticks) & kMaximum);
  }
}

void Counter::load(unsigned channel, unsigned value) {
  if (channel == 0) value_ = value;
  if (channel == 1) loadA_ = value;
  if (channel == 2) loadB_ = value;
  part_ = 0;
}

bool Counter::makesPulses() const {
  constexpr unsigned pulses = comedi::kToggleAtEnd | comedi::kLoadAtEnd | comedi::kLoadInTurns;
  return (mode_ & pulses) == pulses && (mode_ & comedi::kCountUp) == 0 && loadA_ + loadB_ > 0;
}

double Counter::pulseHz(double sourceHz) const { return armed_ && makesPulses() ? sourceHz / (loadA_ + loadB_) : 0; }

}  // namespace comedi_sim
