#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "comedi_library.h"

namespace kymograph {

struct ComediSubdevice {
  int type;
  unsigned flags;
  unsigned channels;
  unsigned maxdata;  // of channel 0, as are the ranges
  std::vector<comedi::Range> ranges;
};

struct ComediDescription {
  std::string driver;
  std::string board;
  std::string version;
  std::vector<ComediSubdevice> subdevices;
};

struct ComediChannel {
  unsigned subdevice;
  unsigned channel;
  unsigned range;
  unsigned reference;
};

// One board, open. Any thread may call it; calls take turns with those of every board of the same library. What is out of the board's own numbers throws
// std::invalid_argument and never reaches the library.
class ComediDevice {
 public:
  ComediDevice(std::shared_ptr<ComediLibrary> library, const std::string& path);
  ~ComediDevice();
  ComediDevice(const ComediDevice&) = delete;
  ComediDevice& operator=(const ComediDevice&) = delete;

  const ComediDescription& description() const { return description_; }
  // Raw counts. Throws ComediError, also for an answer beyond the channel's maxdata.
  unsigned read(const ComediChannel& channel) const;
  void write(const ComediChannel& channel, unsigned value) const;
  void configureLine(unsigned subdevice, unsigned line, bool output) const;
  bool lineIsOutput(unsigned subdevice, unsigned line) const;
  bool readLine(unsigned subdevice, unsigned line) const;
  void writeLine(unsigned subdevice, unsigned line, bool high) const;
  // Writes the bits of `mask`, from line `base` on, and gives all of them as they are then.
  uint32_t bits(unsigned subdevice, uint32_t mask, uint32_t bits, unsigned base) const;

  const ComediLibrary& library() const { return *library_; }
  comedi::Device* handle() const { return handle_; }
  const ComediSubdevice& subdevice(unsigned index) const;
  void checkChannel(const ComediChannel& channel) const;

 private:
  void describe();
  void checkLine(unsigned subdevice, unsigned line) const;

  std::shared_ptr<ComediLibrary> library_;
  comedi::Device* handle_;
  ComediDescription description_;
};

}  // namespace kymograph
