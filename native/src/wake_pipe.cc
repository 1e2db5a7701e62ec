#include "wake_pipe.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace kymograph {

WakePipe::WakePipe() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw SystemError("pipe", errno);
  for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
  reader_ = Descriptor(ends[0]);
  writer_ = Descriptor(ends[1]);
}

Waited WakePipe::waitFor(int descriptor, short events, int timeoutMs) const {
  std::array<pollfd, 2> both{pollfd{descriptor, events, 0}, pollfd{reader_.get(), POLLIN, 0}};
  while (::poll(both.data(), both.size(), timeoutMs) < 0)
    if (errno != EINTR) throw SystemError("poll", errno);
  if (both[1].revents != 0) return Waited::kWoken;
  return both[0].revents != 0 ? Waited::kReady : Waited::kTimedOut;
}

}  // namespace kymograph
