#include "bench.h"

#include <dlfcn.h>

#include <fstream>
#include <string>

namespace comedi_sim {

Bench readBench() {
  Bench bench;
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&readBench), &info) == 0 || info.dli_fname == nullptr) return bench;
  std::ifstream file(std::string(info.dli_fname) + ".bench");
  std::string word;
  double number = 0;
  while (file >> word >> number) {
    if (word == "pace" && number > 0) bench.pace = number;
    if (word == "buffer" && number >= sizeof(unsigned short)) bench.bufferBytes = static_cast<size_t>(number);
    if (word == "ramp") bench.ramp = number != 0;
  }
  return bench;
}

}  // namespace comedi_sim
