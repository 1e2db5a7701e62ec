#include "pty.h"

#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace kymograph {

PseudoTerminal openPseudoTerminal() {
  Descriptor master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (master.get() < 0 || ::grantpt(master.get()) < 0 || ::unlockpt(master.get()) < 0) throw SystemError("cannot open a pseudo-terminal", errno);
#ifdef __linux__
  char path[128];
  if (::ptsname_r(master.get(), path, sizeof path) != 0) throw SystemError("cannot name a pseudo-terminal", errno);
#else
  const char* path = ::ptsname(master.get());
  if (path == nullptr) throw SystemError("cannot name a pseudo-terminal", errno);
#endif
  Descriptor slave(::open(path, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (slave.get() < 0) throw SystemError(std::string("cannot open ") + path, errno);
  termios mode;
  if (::tcgetattr(slave.get(), &mode) < 0) throw SystemError(std::string("cannot ask for the mode of ") + path, errno);
  ::cfmakeraw(&mode);  // an echoing slave would send the simulator its own replies
  if (::tcsetattr(slave.get(), TCSANOW, &mode) < 0) throw SystemError(std::string("cannot set the mode of ") + path, errno);
  return {std::move(master), std::move(slave), path};
}

}  // namespace kymograph
