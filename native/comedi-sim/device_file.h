#pragma once

namespace comedi_sim {

// What a program polls in place of the board's device file: readable and writable when we say so. It cannot be read or written itself. It is one end of a pair
// of sockets: readable while something lies in it, writable while the other end has room.
class DeviceFile {
 public:
  DeviceFile();
  ~DeviceFile();
  DeviceFile(const DeviceFile&) = delete;
  DeviceFile& operator=(const DeviceFile&) = delete;

  int descriptor() const { return ours_; }
  void showReadable(bool readable);
  void showWritable(bool writable);

 private:
  int ours_ = -1;
  int other_ = -1;
  bool readable_ = false;
  bool writable_ = true;
};

}  // namespace comedi_sim
