// Stands for the Linux kernel in one process (LD_PRELOAD): a dome with an EMS22A on /dev/spidev9.9, a step motor on lines 18 (STEP) and 17 (DIR) of
// /dev/gpiochip9, and its recalibration switch on line 27. It takes and fills the structures of the kernel's own headers, refuses what the kernel would,
// and writes to KERNEL_SHIM_LOG what it was told.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <linux/spi/spidev.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum { NOTHING, SPI, CHIP, LINES };
enum { STEP = 18, DIRECTION = 17, SWITCH = 27, TAKEN = 5, DEAD = 6, CHIP_LINES = 32, MAX_FD = 4096, MAX_SETS = 200000 };

static const double kStepsPerDegree = 5394.07, kWheelTurns = 2303.0 / 50.0;
static unsigned char kinds[MAX_FD];
static struct gpio_v2_line_request requested[MAX_FD];
static uint64_t levels[MAX_FD];
static unsigned char spiMode;
static long steps;
static uint64_t lastTransferEnd;

static struct { uint64_t ns; long steps; } rises[MAX_SETS];
static int riseCount;

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void note(const char* format, ...) {
  const char* path = getenv("KERNEL_SHIM_LOG");
  FILE* log = path ? fopen(path, "ae") : NULL;
  if (!log) return;
  va_list values;
  va_start(values, format);
  vfprintf(log, format, values);
  va_end(values);
  fputc('\n', log);
  fclose(log);
}

static double azimuth(void) { return atof(getenv("KERNEL_SHIM_AZIMUTH") ? getenv("KERNEL_SHIM_AZIMUTH") : "40") + (double)steps / kStepsPerDegree; }

static int opened(const char* path) {
  const int kind = !path ? NOTHING : !strcmp(path, "/dev/spidev9.9") ? SPI : !strcmp(path, "/dev/gpiochip9") ? CHIP : NOTHING;
  if (kind == NOTHING) return -1;
  const int fd = eventfd(0, EFD_CLOEXEC);
  if (fd < 0 || fd >= MAX_FD) abort();
  kinds[fd] = (unsigned char)kind;
  note("open %s", path);
  return fd;
}

#define OPEN(NAME)                                                             \
  int NAME(const char* path, int flags, ...) {                                 \
    const int fd = opened(path);                                               \
    if (fd >= 0) return fd;                                                    \
    va_list values;                                                            \
    va_start(values, flags);                                                   \
    const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(values, mode_t) : 0; \
    va_end(values);                                                            \
    int (*real)(const char*, int, ...) = (int (*)(const char*, int, ...))dlsym(RTLD_NEXT, #NAME); \
    return real(path, flags, mode);                                            \
  }
OPEN(open)
OPEN(open64)

int close(int fd) {
  int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "close");
  if (fd >= 0 && fd < MAX_FD && kinds[fd] != NOTHING) {
    note("close %s", kinds[fd] == SPI ? "spi" : kinds[fd] == CHIP ? "chip" : "lines");
    if (kinds[fd] == LINES && riseCount > 0) {
      for (int at = 0; at < riseCount; ++at) note("rise %llu %ld", (unsigned long long)rises[at].ns, rises[at].steps);
      riseCount = 0;
    }
    kinds[fd] = NOTHING;
  }
  return real(fd);
}

static int refuse(int code) {
  errno = code;
  return -1;
}

static int onSpi(unsigned long request, void* argument) {
  switch (request) {
    case SPI_IOC_WR_MODE: spiMode = *(const uint8_t*)argument; note("mode %u", spiMode); return 0;
    case SPI_IOC_RD_MODE: *(uint8_t*)argument = spiMode; return 0;
    case SPI_IOC_WR_BITS_PER_WORD: note("bits %u", *(const uint8_t*)argument); return 0;
    case SPI_IOC_WR_MAX_SPEED_HZ: note("speed %u", *(const uint32_t*)argument); return 0;
    case SPI_IOC_MESSAGE(1): break;
    default: return refuse(ENOTTY);
  }
  const struct spi_ioc_transfer* transfer = argument;
  const uint64_t start = now();
  if (lastTransferEnd && start - lastTransferEnd < 500) note("select was high for %llu ns only", (unsigned long long)(start - lastTransferEnd));
  if (getenv("KERNEL_SHIM_SPI_DEAD")) return refuse(EIO);
  if (transfer->len != 2 || !transfer->tx_buf || !transfer->rx_buf || transfer->cs_change || transfer->pad) return refuse(EINVAL);
  const long counts = (long)(-azimuth() / 360 * kWheelTurns * 1024 + 1024 * 1024);
  unsigned word = ((unsigned)(counts & 1023) << 6) | 0x20;
  word |= (unsigned)__builtin_parity(word);
  if (spiMode == 0) word >>= 1;
  uint8_t* in = (uint8_t*)(uintptr_t)transfer->rx_buf;
  in[0] = (uint8_t)(word >> 8);
  in[1] = (uint8_t)word;
  lastTransferEnd = now();
  return (int)transfer->len;
}

static int onChip(unsigned long request, void* argument) {
  if (request == GPIO_GET_CHIPINFO_IOCTL) {
    struct gpiochip_info* info = argument;
    memset(info, 0, sizeof *info);
    strcpy(info->name, "gpiochip9");
    memset(info->label, 'l', sizeof info->label); // a label without its zero
    info->lines = CHIP_LINES;
    return 0;
  }
  if (request != GPIO_V2_GET_LINE_IOCTL) return refuse(ENOTTY);
  struct gpio_v2_line_request* lines = argument;
  const struct gpio_v2_line_config* config = &lines->config;
  if (lines->num_lines == 0 || lines->num_lines > GPIO_V2_LINES_MAX || config->num_attrs > GPIO_V2_LINE_NUM_ATTRS_MAX) return refuse(EINVAL);
  for (unsigned at = 0; at < sizeof lines->padding / sizeof *lines->padding; ++at)
    if (lines->padding[at]) return refuse(EINVAL);
  for (unsigned at = 0; at < sizeof config->padding / sizeof *config->padding; ++at)
    if (config->padding[at]) return refuse(EINVAL);
  for (unsigned at = 0; at < lines->num_lines; ++at) {
    if (lines->offsets[at] >= CHIP_LINES) return refuse(EINVAL);
    if (lines->offsets[at] == TAKEN) return refuse(EBUSY);
    note("line %u flags %llu consumer %.*s", lines->offsets[at], (unsigned long long)config->flags, GPIO_MAX_NAME_SIZE, lines->consumer);
  }
  for (unsigned at = 0; at < config->num_attrs; ++at)
    note("attribute %u mask %llu values %llu", config->attrs[at].attr.id, (unsigned long long)config->attrs[at].mask, (unsigned long long)config->attrs[at].attr.values);
  const int fd = eventfd(0, EFD_CLOEXEC);
  if (fd < 0 || fd >= MAX_FD) abort();
  kinds[fd] = LINES;
  requested[fd] = *lines;
  levels[fd] = 0;
  lines->fd = fd;
  return 0;
}

static int onLines(int fd, unsigned long request, void* argument) {
  struct gpio_v2_line_values* values = argument;
  const struct gpio_v2_line_request* lines = &requested[fd];
  if (request == GPIO_V2_LINE_GET_VALUES_IOCTL) {
    const double from45 = azimuth() - 45;
    values->bits = 0;
    for (unsigned at = 0; at < lines->num_lines; ++at)
      if (lines->offsets[at] != SWITCH || from45 > 0.15 || from45 < -0.15) values->bits |= (uint64_t)1 << at;
    values->bits &= values->mask;
    return 0;
  }
  if (request != GPIO_V2_LINE_SET_VALUES_IOCTL) return refuse(ENOTTY);
  if (!(lines->config.flags & GPIO_V2_LINE_FLAG_OUTPUT)) return refuse(EPERM);
  if (lines->offsets[0] == DEAD) return refuse(EIO);
  const uint64_t before = levels[fd];
  levels[fd] = (before & ~values->mask) | (values->bits & values->mask);
  const int rose = !(before & 1) && (levels[fd] & 1);
  if (rose && lines->num_lines == 2 && lines->offsets[0] == STEP && lines->offsets[1] == DIRECTION) {
    steps += (levels[fd] & 2) ? 1 : -1;
    if (riseCount < MAX_SETS) {
      rises[riseCount].ns = now();
      rises[riseCount++].steps = steps;
    }
  }
  return 0;
}

int ioctl(int fd, unsigned long request, ...) {
  va_list values;
  va_start(values, request);
  void* argument = va_arg(values, void*);
  va_end(values);
  const int kind = fd >= 0 && fd < MAX_FD ? kinds[fd] : NOTHING;
  if (kind == SPI) return onSpi(request, argument);
  if (kind == CHIP) return onChip(request, argument);
  if (kind == LINES) return onLines(fd, request, argument);
  int (*real)(int, unsigned long, ...) = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
  return real(fd, request, argument);
}
