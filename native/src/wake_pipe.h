#pragma once

#include "exclusive_file.h"

namespace kymograph {

enum class Waited { kReady, kTimedOut, kWoken };

// Wakes a thread that waits for a descriptor, once and for good; also before it waits.
class WakePipe {
 public:
  WakePipe();
  void wake() { writer_ = Descriptor(); }  // the reading end says so
  // Until `descriptor` (-1: none) has one of poll()'s `events`, or `timeoutMs` are over (-1: never).
  Waited waitFor(int descriptor, short events, int timeoutMs) const;

 private:
  Descriptor reader_;
  Descriptor writer_;
};

}  // namespace kymograph
