#pragma once

#include <string>

#include "exclusive_file.h"

namespace kymograph {

// Both ends of a pseudo-terminal in raw mode. The slave is held open too: without it the master's reads fail as soon as the last user closes.
struct PseudoTerminal {
  Descriptor master;
  Descriptor slave;
  std::string slavePath;
};

PseudoTerminal openPseudoTerminal();

}  // namespace kymograph
