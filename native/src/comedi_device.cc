#include "comedi_device.h"

#include <cerrno>
#include <stdexcept>
#include <utility>

namespace kymograph {

namespace {

constexpr unsigned kReferences = 4;  // ground, common, differential, other
constexpr unsigned kFieldBits = 32;  // of one bit field

void checkBelow(const char* name, unsigned value, unsigned count) {
  if (value >= count) throw std::invalid_argument(std::string(name) + ": " + std::to_string(value) + " is not one of " + std::to_string(count));
}

std::string textOf(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

ComediDevice::ComediDevice(std::shared_ptr<ComediLibrary> library, const std::string& path) : library_(std::move(library)) {
  const auto guard = library_->lock();
  handle_ = library_->comedi_open(path.c_str());
  if (handle_ == nullptr) library_->fail("comedi_open");
  try {
    describe();
  } catch (...) {
    library_->comedi_close(handle_);
    throw;
  }
}

ComediDevice::~ComediDevice() {
  const auto guard = library_->lock();
  library_->comedi_close(handle_);
}

// Under the lock.
void ComediDevice::describe() {
  const ComediLibrary& call = *library_;
  const int version = call.comedi_get_version_code(handle_);
  description_.driver = textOf(call.comedi_get_driver_name(handle_));
  description_.board = textOf(call.comedi_get_board_name(handle_));
  description_.version = std::to_string(version >> 16 & 0xff) + "." + std::to_string(version >> 8 & 0xff) + "." + std::to_string(version & 0xff);
  const int count = call.check(call.comedi_get_n_subdevices(handle_), "comedi_get_n_subdevices");
  for (unsigned index = 0; index < static_cast<unsigned>(count); ++index) {
    ComediSubdevice each{};
    each.type = call.check(call.comedi_get_subdevice_type(handle_, index), "comedi_get_subdevice_type");
    if (each.type != comedi::kUnused) {
      each.flags = static_cast<unsigned>(call.comedi_get_subdevice_flags(handle_, index));  // may use the sign bit: the type's answer is the check
      each.channels = static_cast<unsigned>(call.check(call.comedi_get_n_channels(handle_, index), "comedi_get_n_channels"));
      if (each.channels > 0) each.maxdata = call.comedi_get_maxdata(handle_, index, 0);
      const bool analog = each.type == comedi::kAnalogIn || each.type == comedi::kAnalogOut;
      const int ranges = analog ? call.check(call.comedi_get_n_ranges(handle_, index, 0), "comedi_get_n_ranges") : 0;
      for (unsigned range = 0; range < static_cast<unsigned>(ranges); ++range) {
        const comedi::Range* found = call.comedi_get_range(handle_, index, 0, range);
        if (found == nullptr) call.fail("comedi_get_range");
        each.ranges.push_back(*found);
      }
    }
    description_.subdevices.push_back(std::move(each));
  }
}

const ComediSubdevice& ComediDevice::subdevice(unsigned index) const {
  checkBelow("subdevice", index, static_cast<unsigned>(description_.subdevices.size()));
  return description_.subdevices[index];
}

void ComediDevice::checkChannel(const ComediChannel& channel) const {
  const ComediSubdevice& on = subdevice(channel.subdevice);
  checkBelow("channel", channel.channel, on.channels);
  if (!on.ranges.empty() || channel.range != 0) checkBelow("range", channel.range, static_cast<unsigned>(on.ranges.size()));
  checkBelow("reference", channel.reference, kReferences);
  const unsigned offered = on.flags / comedi::kGround & 0xf;  // one bit for each reference
  if (on.type == comedi::kAnalogIn && (offered >> channel.reference & 1) == 0) throw std::invalid_argument("reference: the board has none of this kind");
}

unsigned ComediDevice::read(const ComediChannel& channel) const {
  checkChannel(channel);
  unsigned value = 0;
  const auto guard = library_->lock();
  library_->check(library_->comedi_data_read(handle_, channel.subdevice, channel.channel, channel.range, channel.reference, &value), "comedi_data_read");
  const unsigned maxdata = subdevice(channel.subdevice).maxdata;
  if (value > maxdata) throw ComediError("comedi_data_read: " + std::to_string(value) + " is beyond the channel's " + std::to_string(maxdata), EPROTO);
  return value;
}

void ComediDevice::write(const ComediChannel& channel, unsigned value) const {
  checkChannel(channel);
  const unsigned maxdata = subdevice(channel.subdevice).maxdata;
  if (value > maxdata) throw std::invalid_argument("value: " + std::to_string(value) + " is beyond the channel's " + std::to_string(maxdata));
  const auto guard = library_->lock();
  library_->check(library_->comedi_data_write(handle_, channel.subdevice, channel.channel, channel.range, channel.reference, value), "comedi_data_write");
}

void ComediDevice::checkLine(unsigned index, unsigned line) const {
  const ComediSubdevice& on = subdevice(index);
  if (on.type != comedi::kDigitalIo) throw std::invalid_argument("subdevice: " + std::to_string(index) + " has no digital lines");
  checkBelow("line", line, on.channels);
}

void ComediDevice::configureLine(unsigned index, unsigned line, bool output) const {
  checkLine(index, line);
  const auto guard = library_->lock();
  library_->check(library_->comedi_dio_config(handle_, index, line, output ? comedi::kOutput : comedi::kInput), "comedi_dio_config");
}

bool ComediDevice::lineIsOutput(unsigned index, unsigned line) const {
  checkLine(index, line);
  unsigned direction = 0;
  const auto guard = library_->lock();
  library_->check(library_->comedi_dio_get_config(handle_, index, line, &direction), "comedi_dio_get_config");
  if (direction > comedi::kOutput) throw ComediError("comedi_dio_get_config: " + std::to_string(direction) + " is no direction", EPROTO);
  return direction == comedi::kOutput;
}

bool ComediDevice::readLine(unsigned index, unsigned line) const {
  checkLine(index, line);
  unsigned bit = 0;
  const auto guard = library_->lock();
  library_->check(library_->comedi_dio_read(handle_, index, line, &bit), "comedi_dio_read");
  if (bit > 1) throw ComediError("comedi_dio_read: " + std::to_string(bit) + " is no bit", EPROTO);
  return bit == 1;
}

void ComediDevice::writeLine(unsigned index, unsigned line, bool high) const {
  checkLine(index, line);
  const auto guard = library_->lock();
  library_->check(library_->comedi_dio_write(handle_, index, line, high ? 1 : 0), "comedi_dio_write");
}

uint32_t ComediDevice::bits(unsigned index, uint32_t mask, uint32_t bits, unsigned base) const {
  checkLine(index, base);
  const unsigned lines = subdevice(index).channels - base;
  if (lines < kFieldBits && mask >> lines != 0) throw std::invalid_argument("mask: it names lines beyond the " + std::to_string(lines) + " from the base on");
  const auto guard = library_->lock();
  library_->check(library_->comedi_dio_bitfield2(handle_, index, mask, &bits, base), "comedi_dio_bitfield2");
  return bits;
}

}  // namespace kymograph
