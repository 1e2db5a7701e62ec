#include "device_file.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace comedi_sim {
namespace {

constexpr int kLeastBuffer = 1;  // the kernel makes its own minimum of it, some 4.5 kB, and stops at a quarter
constexpr std::array<char, 2048> kFilling{};

void clear(int end) {
  std::array<char, kFilling.size()> bytes{};
  while (::recv(end, bytes.data(), bytes.size(), MSG_DONTWAIT) > 0) continue;
}

}  // namespace

DeviceFile::DeviceFile() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) return;  // no descriptors are left: what is done with -1 says so
  ours_ = ends[0];
  other_ = ends[1];
  ::setsockopt(ours_, SOL_SOCKET, SO_SNDBUF, &kLeastBuffer, sizeof kLeastBuffer);
}

DeviceFile::~DeviceFile() {
  ::close(ours_);
  ::close(other_);
}

void DeviceFile::showReadable(bool readable) {
  if (readable == readable_) return;
  readable_ = readable;
  if (readable) ::send(other_, "r", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
  else clear(ours_);
}

void DeviceFile::showWritable(bool writable) {
  if (writable == writable_) return;
  writable_ = writable;
  if (writable) clear(other_);
  else ::send(ours_, kFilling.data(), kFilling.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace comedi_sim
