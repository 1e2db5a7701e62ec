// What can be made to go wrong, by files beside the library, so that it is told to this copy of it and to no other:
//   <library>.faults/<anything>   one file for one call, the first by name first; it holds `silent`, `late <ms>`, `foreign`, `garbage`, `cut` or
//                                 `error <code>`, and is gone once it was suffered
//   <library>.unplugged           while it is there, so are no cameras
#pragma once

#include <cstdint>

namespace pvcam_sim {

// A camera that does not answer, or not whole, is told so by the real library with a code that is not documented to us.
constexpr int16_t kNoAnswer = 9006;

// What one call suffers, before it does anything: it may have slept. `code`: it fails with this; 0: it does not.
struct Suffered {
  int16_t code = 0;
  bool garbage = false;
};
Suffered suffer();

bool unplugged();

}  // namespace pvcam_sim
