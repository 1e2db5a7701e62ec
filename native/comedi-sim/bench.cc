#include "bench.h"

#include <fstream>
#include <string>

#include "faults.h"

namespace comedi_sim {

Bench readBench() {
  Bench bench;
  std::ifstream file(simulated::libraryPath() + ".bench");
  std::string word;
  double number = 0;
  while (file >> word >> number) {
    if (word == "pace" && number > 0) bench.pace = number;
    if (word == "buffer" && number >= sizeof(unsigned short)) bench.bufferBytes = static_cast<size_t>(number);
    if (word == "most" && number >= 1) bench.mostScans = static_cast<unsigned>(number);
    if (word == "ramp") bench.ramp = number != 0;
  }
  return bench;
}

}  // namespace comedi_sim
