#pragma once

#include "comedi_api.h"

namespace comedi_sim {

// As the board's own driver does it: what is not right is set right, and the number says in which of its steps. 0: the command can be given.
int testInputCommand(kymograph::comedi::Command& command);
int testOutputCommand(kymograph::comedi::Command& command);

}  // namespace comedi_sim
