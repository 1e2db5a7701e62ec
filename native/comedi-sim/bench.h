// What stands around the simulated board, by a file beside the library, so that it holds for this copy of it and for no other. <library>.bench, read when a
// command is given, has one word and one number on a line:
//   pace 20        its commands run so many times faster than they should (default 1)
//   buffer 4194304 bytes that a command's samples are kept in until they are read, or played (default 65536, the kernel's)
//   most 1000     scans are all that a command can count by itself (default 16777215, the counter's)
//   ramp 1         every analog input gives the number of its conversion, modulo 65536: who loses or repeats one sees it
#pragma once

#include <cstddef>

namespace comedi_sim {

struct Bench {
  double pace = 1;
  size_t bufferBytes = 64 * 1024;
  bool ramp = false;
  unsigned mostScans = 0xffffff;
};

Bench readBench();

}  // namespace comedi_sim
