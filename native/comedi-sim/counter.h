#pragma once

#include <cstdint>

#include "comedi_api.h"

namespace comedi_sim {

// One general-purpose counter of 24 bits, as its registers are written. Time comes from outside, in seconds, so that all of a board see the same.
class Counter {
 public:
  // Even counts of the time that has passed: `sourceHz` of what it counts (0: edges, told one by one), `open`: whether its gate lets them through.
  void pass(double seconds, double sourceHz, bool open);
  void count() { add(1); }

  void reset() { *this = {}; }
  void setMode(unsigned mode) { mode_ = mode; }
  void setClock(unsigned clock) { clock_ = clock; }
  void setGate(unsigned gate) { gate_ = gate; }
  // Channel 0 is the count, 1 and 2 what it is loaded with in turns.
  void load(unsigned channel, unsigned value);
  void arm() { armed_ = true; }
  void disarm() { armed_ = false; }

  unsigned read(unsigned channel) const { return channel == 0 ? value_ : channel == 1 ? loadA_ : loadB_; }
  bool armed() const { return armed_; }
  unsigned clock() const { return clock_; }
  unsigned gate() const { return gate_; }
  // Of the pulses at its output; 0 while it makes none. `sourceHz` as for pass.
  double pulseHz(double sourceHz) const;

 private:
  bool makesPulses() const;
  void add(uint64_t ticks);

  unsigned mode_ = 0;
  unsigned clock_ = 0;
  unsigned gate_ = kymograph::comedi::kGateDisabled;
  unsigned value_ = 0;
  unsigned loadA_ = 0;
  unsigned loadB_ = 0;
  bool armed_ = false;
  double part_ = 0;  // of a tick
};

}  // namespace comedi_sim
