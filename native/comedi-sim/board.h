// An NI PCI-MIO-16XE-10 as the kernel driver ni_pcimio shows it: 14 subdevices, and what is wired to it. DAC0 leads to ACH0 (BNC-2110: FS, ground reference);
// ACH1 has a photodiode, ACH2 another one behind a modulator that DAC1 drives; DIO0 leads to PFI0 and DIO1
// to PFI9, the frequency output to PFI8 and the output of counter 0 to PFI3; nothing is wired to the others. Not calibrated: the loop is some 50 mV off.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "comedi_api.h"
#include "counter.h"

namespace comedi_sim {

namespace comedi = kymograph::comedi;

constexpr unsigned kAnalogIn = 0, kAnalogOut = 1, kDigital = 2, kPfi = 7, kCounter0 = 11, kCounter1 = 12, kFrequency = 13;
constexpr unsigned kSubdevices = 14;

struct Subdevice {
  int type;
  unsigned flags;
  unsigned channels;
  unsigned maxdata;
  std::vector<comedi::Range> ranges;
};

std::array<Subdevice, kSubdevices>& subdevices();

struct Edge {
  unsigned pin;
  bool rising;
};

// Not for several threads at once; whoever calls it sees to that.
class Board {
 public:
  unsigned analogIn(unsigned channel, unsigned range, unsigned reference);
  void writeAnalogOut(unsigned channel, unsigned range, unsigned value);
  // As a command does it: what is read back of an output is what was written to it directly.
  void playAnalogOut(unsigned channel, unsigned range, unsigned value);
  unsigned analogOut(unsigned channel) const { return outputs_[channel].value; }

  // Of the 8 digital lines and of the 10 PFI pins. What nobody drives floats high.
  void configure(unsigned subdevice, unsigned line, bool output);
  bool isOutput(unsigned subdevice, unsigned line) const { return (port(subdevice).outputs >> line & 1) != 0; }
  // What came of it at the programmable function inputs.
  std::vector<Edge> drive(unsigned subdevice, unsigned mask, unsigned bits);
  unsigned levels(unsigned subdevice) const;

  // One of the two, as it stands now.
  Counter& counter(unsigned number);
  // Of the frequency output, once it has been written to: 0 of its four bits is 16.
  void writeFrequency(unsigned divider);
  void setFrequencyClock(unsigned clock);
  unsigned frequencyDivider() const { return divider_ % 16; }

 private:
  struct Output {
    unsigned value = 32768;
    double volts = 0;
  };
  struct Port {
    unsigned outputs = 0;
    unsigned driven = 0;
  };
  double input(unsigned channel);
  // Everything that counts even pulses, up to now; before anything changes.
  void pass();
  double clockHz(unsigned clock) const;
  bool open(const Counter& counter) const;
  unsigned shown_ = 0x3ff;  // of the PFI pins, when they were looked at the last time
  const Port& port(unsigned subdevice) const { return ports_[subdevice == kPfi ? 1 : 0]; }

  std::array<Output, 2> outputs_;
  std::array<Port, 2> ports_;
  std::array<Counter, 2> counters_;
  unsigned divider_ = 0;  // of the frequency output; 0: it is off
  unsigned frequencyClock_ = 0;
  std::chrono::steady_clock::time_point passed_ = std::chrono::steady_clock::now();
  std::minstd_rand random_{20260};
  std::normal_distribution<double> noise_{0, 0.0003};
};

}  // namespace comedi_sim
