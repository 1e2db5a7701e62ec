#pragma once

#include <optional>

#include "comedi_device.h"

namespace kymograph {

// What a counter counts, and when: its own clock of 20 MHz or 100 kHz, or the edges at a programmable function input; always, or while such an input is high.
struct ComediCounting {
  bool slow = false;
  std::optional<unsigned> pin;
  bool falling = false;
  std::optional<unsigned> gatePin;
};

// A general-purpose counter of one of NI's boards, or its frequency output, by the calls of comedilib's own examples (demo/gpct_simple_counting.c,
// demo/gpct_pulse_generator.c) and the words of linux/comedi.h.
class ComediCounter {
 public:
  // Throws std::invalid_argument for a subdevice that is none.
  ComediCounter(const ComediDevice& device, unsigned subdevice);
  // From 0 on, upwards, at once.
  void start(const ComediCounting& counting = {}) const;
  // At its output, from now on, low first; ticks are of 50 ns.
  void startPulses(unsigned lowTicks, unsigned highTicks) const;
  // It keeps its value.
  void stop() const;
  bool runs() const;
  // Stops it, at 0.
  void reset() const;
  // Of the board's frequency output: 10 MHz, or 100 kHz, by 1 to 16.
  void outputFrequency(bool slow, unsigned divider) const;

 private:
  void instruct(unsigned* words, unsigned count) const;
  // Under the lock.
  void write(unsigned channel, unsigned value) const;
  // Everything but the arming.
  void configure(unsigned gate, unsigned mode, unsigned clock, unsigned periodNs) const;

  const ComediDevice& device_;
  const unsigned subdevice_;
};

}  // namespace kymograph
