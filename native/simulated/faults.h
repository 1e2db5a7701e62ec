// What can be made to go wrong with a simulated library, by files beside it, so that it is told to this copy of it and to no other:
//   <library>.faults/<anything>   one file for one call, the first by name first; it holds `silent`, `late <ms>`, `foreign`, `garbage`, `cut` or
//                                 `error <code>`, and is gone once it was suffered
//   <library>.unplugged           while it is there, so are no instruments
//   <library>.removed             holds the name of the one instrument that was pulled out, while it is there
//   <library>.pulse               a pulse on the instruments' trigger input: gone once one of them has taken it
#pragma once

#include <string>

namespace simulated {

// What one call suffers, before it does anything: it may have slept.
struct Suffered {
  bool unanswered = false;  // nothing came, or nothing whole
  int code = 0;             // it fails with this of the library's codes; 0: it does not
  bool garbage = false;
};
Suffered suffer();

bool unplugged();
// Empty: none.
std::string removed();
// True once for each pulse.
bool pulsed();

// The file of the copy that is asked.
const std::string& libraryPath();

}  // namespace simulated
