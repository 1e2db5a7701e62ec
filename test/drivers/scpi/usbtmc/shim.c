/*
 * Stands in for the kernel's usbtmc driver: preloaded, it answers that driver's ioctls for a pseudo-terminal whose other end is the instrument. A message is
 * there when bytes can be read; a device clear throws them away and is told to the other end by one byte that no command has.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/usb/tmc.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void* argument = va_arg(rest, void*);
  va_end(rest);
  if (_IOC_TYPE(request) == USBTMC_IOC_NR && isatty(fd)) {
    int waiting = 0;
    switch (request) {
      case USBTMC488_IOCTL_READ_STB:
        if (ioctl(fd, FIONREAD, &waiting) < 0) return -1;
        *(unsigned char*)argument = waiting > 0 ? 16 : 0;
        return 0;
      case USBTMC_IOCTL_SET_TIMEOUT:
        if (*(unsigned*)argument >= 100) return 0;
        errno = EINVAL;
        return -1;
      case USBTMC_IOCTL_CLEAR:
        if (tcflush(fd, TCIFLUSH) < 0) return -1;
        return write(fd, "\x18", 1) == 1 ? 0 : -1;
      default:
        errno = ENOTTY;
        return -1;
    }
  }
  int (*next)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
  return next(fd, request, argument);
}
