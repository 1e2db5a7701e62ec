// The C functions of libcomedi that we use, by their published interface (comedilib 0.11, comedilib.h; linux/comedi.h). Nothing of it is linked: the library
// is found at run time.
#pragma once

#include <sys/types.h>

#include <cstddef>

namespace kymograph::comedi {

using Device = struct comedi_t_struct;

struct Range {
  double minimum;
  double maximum;
  unsigned unit;
};

struct Command {
  unsigned subdevice;
  unsigned flags;
  unsigned startSource, startArgument;
  unsigned scanBeginSource, scanBeginArgument;
  unsigned convertSource, convertArgument;
  unsigned scanEndSource, scanEndArgument;
  unsigned stopSource, stopArgument;
  unsigned* channels;
  unsigned channelCount;
  unsigned short* data;
  unsigned dataLength;
};

enum SubdeviceType : int { kUnused = 0, kAnalogIn = 1, kAnalogOut = 2, kDigitalIo = 5, kCounter = 6, kMemory = 8, kCalibration = 9, kSerial = 11 };

enum SubdeviceFlag : unsigned {
  kBusy = 0x0001,
  kCommandWrite = 0x4000,
  kCommandRead = 0x8000,
  kReadable = 0x10000,
  kWritable = 0x20000,
  kGround = 0x100000,
  kCommon = 0x200000,
  kDifferential = 0x400000,
  kOther = 0x800000,
  kRunning = 0x08000000,       // a command is under way and has not come to its end
  kLargeSamples = 0x10000000,  // of four bytes, not two
};

constexpr unsigned kWriteCommand = 0x40;  // CMDF_WRITE, a flag of commands: its samples are written

enum Source : unsigned { kNone = 0x01, kNow = 0x02, kTimer = 0x10, kCount = 0x20, kExternal = 0x40, kInternal = 0x80 };
constexpr unsigned kEdge = 1U << 30;    // CR_EDGE: of an external source, its edge and not its level
constexpr unsigned kInvert = 1U << 31;  // CR_INVERT: the falling one
enum Direction : unsigned { kInput = 0, kOutput = 1 };
enum Unit : unsigned { kVolt = 0, kMilliampere = 1, kNoUnit = 2 };

// Of general-purpose counters; the names behind are those of linux/comedi.h.
enum CounterMode : unsigned {
  kCountNormally = 0,          // NI_GPCT_COUNTING_MODE_NORMAL_BITS
  kLoadBFirst = 0x80,          // NI_GPCT_LOAD_B_SELECT_BIT
  kPulseAtEnd = 0x100,         // NI_GPCT_OUTPUT_TC_PULSE_BITS
  kToggleAtEnd = 0x200,        // NI_GPCT_OUTPUT_TC_TOGGLE_BITS
  kLoadAtEnd = 0x1000,         // NI_GPCT_LOADING_ON_TC_BIT
  kCountUp = 0x1000000,        // NI_GPCT_COUNTING_DIRECTION_UP_BITS
  kLoadInTurns = 0x4000000,    // NI_GPCT_RELOAD_SOURCE_SWITCHING_BITS
};
enum CounterClock : unsigned { kTimebase1 = 0, kTimebase2 = 1 };                 // NI_GPCT_TIMEBASE_1_CLOCK_SRC_BITS: 20 MHz, _2_: 100 kHz
enum OutputClock : unsigned { kOutputTimebase1Half = 0, kOutputTimebase2 = 1 };  // NI_FREQ_OUT_TIMEBASE_1_DIV_2_CLOCK_SRC: 10 MHz, _2_: 100 kHz
constexpr unsigned kArmImmediately = 0;     // NI_GPCT_ARM_IMMEDIATE
constexpr unsigned kGateDisabled = 0x8000;  // NI_GPCT_DISABLED_GATE_SELECT
constexpr unsigned kPins = 10;              // programmable function inputs of the E series
constexpr unsigned pinClock(unsigned pin) { return 0x20 + pin; }  // NI_GPCT_PFI_CLOCK_SRC_BITS
constexpr unsigned pinGate(unsigned pin) { return 1 + pin; }      // NI_GPCT_PFI_GATE_SELECT, of the first ten

// A comedi_insn.
struct Instruction {
  unsigned what;
  unsigned count;
  unsigned* data;
  unsigned subdevice;
  unsigned channel;
  unsigned unused[3];
};
constexpr unsigned kConfigure = 0x0c000003;  // INSN_CONFIG
enum Configuration : unsigned { kDisarm = 32, kCounterStatus = 33 };
constexpr unsigned kCounterArmed = 1;  // COMEDI_COUNTER_ARMED

// As the CR_PACK macro does it.
constexpr unsigned channelWord(unsigned channel, unsigned range, unsigned reference) { return reference << 24 | range << 16 | channel; }

}  // namespace kymograph::comedi

// Every function that the loader looks up: X(result, name, arguments). `read` and `write` are those that the library itself uses: of the C library, on a device
// file of the kernel; the simulated library brings its own, because it has no kernel behind it.
#define KYMOGRAPH_COMEDI_FUNCTIONS(X)                                                                                                             \
  X(kymograph::comedi::Device*, comedi_open, (const char* path))                                                                                  \
  X(int, comedi_close, (kymograph::comedi::Device * device))                                                                                      \
  X(int, comedi_fileno, (kymograph::comedi::Device * device))                                                                                     \
  X(int, comedi_errno, ())                                                                                                                        \
  X(const char*, comedi_strerror, (int code))                                                                                                     \
  X(const char*, comedi_get_driver_name, (kymograph::comedi::Device * device))                                                                    \
  X(const char*, comedi_get_board_name, (kymograph::comedi::Device * device))                                                                     \
  X(int, comedi_get_version_code, (kymograph::comedi::Device * device))                                                                           \
  X(int, comedi_get_n_subdevices, (kymograph::comedi::Device * device))                                                                           \
  X(int, comedi_get_subdevice_type, (kymograph::comedi::Device * device, unsigned subdevice))                                                     \
  X(int, comedi_get_subdevice_flags, (kymograph::comedi::Device * device, unsigned subdevice))                                                    \
  X(int, comedi_get_n_channels, (kymograph::comedi::Device * device, unsigned subdevice))                                                         \
  X(unsigned, comedi_get_maxdata, (kymograph::comedi::Device * device, unsigned subdevice, unsigned channel))                                     \
  X(int, comedi_get_n_ranges, (kymograph::comedi::Device * device, unsigned subdevice, unsigned channel))                                         \
  X(kymograph::comedi::Range*, comedi_get_range, (kymograph::comedi::Device * device, unsigned subdevice, unsigned channel, unsigned range))      \
  X(int, comedi_data_read,                                                                                                                        \
    (kymograph::comedi::Device * device, unsigned subdevice, unsigned channel, unsigned range, unsigned reference, unsigned* value))              \
  X(int, comedi_data_write,                                                                                                                       \
    (kymograph::comedi::Device * device, unsigned subdevice, unsigned channel, unsigned range, unsigned reference, unsigned value))               \
  X(int, comedi_dio_config, (kymograph::comedi::Device * device, unsigned subdevice, unsigned channel, unsigned direction))                       \
  X(int, comedi_dio_get_config, (kymograph::comedi::Device * device, unsigned subdevice, unsigned channel, unsigned* direction))                  \
  X(int, comedi_dio_read, (kymograph::comedi::Device * device, unsigned subdevice, unsigned channel, unsigned* bit))                              \
  X(int, comedi_dio_write, (kymograph::comedi::Device * device, unsigned subdevice, unsigned channel, unsigned bit))                              \
  X(int, comedi_dio_bitfield2, (kymograph::comedi::Device * device, unsigned subdevice, unsigned mask, unsigned* bits, unsigned base))            \
  X(int, comedi_reset, (kymograph::comedi::Device * device, unsigned subdevice))                                                                  \
  X(int, comedi_set_counter_mode, (kymograph::comedi::Device * device, unsigned subdevice, unsigned channel, unsigned mode))                      \
  X(int, comedi_arm, (kymograph::comedi::Device * device, unsigned subdevice, unsigned source))                                                   \
  X(int, comedi_set_clock_source,                                                                                                                 \
    (kymograph::comedi::Device * device, unsigned subdevice, unsigned channel, unsigned clock, unsigned periodNs))                                \
  X(int, comedi_set_gate_source,                                                                                                                  \
    (kymograph::comedi::Device * device, unsigned subdevice, unsigned channel, unsigned gate, unsigned source))                                   \
  X(int, comedi_do_insn, (kymograph::comedi::Device * device, kymograph::comedi::Instruction * instruction))                                      \
  X(int, comedi_command_test, (kymograph::comedi::Device * device, kymograph::comedi::Command * command))                                         \
  X(int, comedi_command, (kymograph::comedi::Device * device, kymograph::comedi::Command * command))                                              \
  X(int, comedi_cancel, (kymograph::comedi::Device * device, unsigned subdevice))                                                                 \
  X(int, comedi_internal_trigger, (kymograph::comedi::Device * device, unsigned subdevice, unsigned number))                                      \
  X(int, comedi_get_write_subdevice, (kymograph::comedi::Device * device))                                                                        \
  X(ssize_t, read, (int descriptor, void* bytes, size_t count))                                                                                   \
  X(ssize_t, write, (int descriptor, const void* bytes, size_t count))
