/*
 * The functions that a shared library exports to drive an instrument for Kymograph: the interface for vendors' libraries and code that is there in C, C++,
 * Rust, Go, Fortran ... already. Loaded at run time; nothing of Kymograph is linked.
 *
 * Version 1. A number that changes means that a library must be changed; what is only added is asked for by name and may be absent.
 *
 * Threads. Calls of one device come one after the other, on a thread that serves this device alone; a call may take its time and blocks nobody else. Two
 * exceptions: kymograph_stop comes on a thread of its own, also while another call of the same device runs; and calls of different devices run at once.
 * kymograph_close is the last call of a device, when no other runs. A call that does not return in time is given up: the device is shown as away, its thread
 * stays with the call, and the library is not asked to open that device again before the call has returned.
 *
 * Memory. Every buffer is the caller's and is valid during the call. Texts are UTF-8 and end with a NUL within their buffer.
 */
#ifndef KYMOGRAPH_DRIVER_H
#define KYMOGRAPH_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KYMOGRAPH_DRIVER_API 1

#define KYMOGRAPH_EXPORT __attribute__((visibility("default")))

/* What a call returns. Anything but KYMOGRAPH_OK comes with a sentence in `error`: what happened, and what a person can do. */
enum {
  KYMOGRAPH_OK = 0,
  KYMOGRAPH_REFUSED = 1,  /* nothing reached the instrument: a value or a name is not allowed */
  KYMOGRAPH_FAILED = 2,   /* the instrument did not do it, or may have done it: it did not answer, it reported an error */
  KYMOGRAPH_LOST = 3,     /* the connection is gone: kymograph_close follows, then kymograph_open until it succeeds */
  KYMOGRAPH_TOO_SMALL = 4 /* of kymograph_describe: `*needed` bytes are needed */
};

enum { KYMOGRAPH_NUMBER = 0, KYMOGRAPH_BOOLEAN = 1, KYMOGRAPH_TEXT = 2 };

/* A number (also for whole ones), a boolean (0 or 1 in `number`) or a text. */
typedef struct kymograph_value {
  int32_t kind;
  double number;    /* in the parameter's unit */
  char *text;       /* never NULL; of kymograph_read: write here */
  size_t text_size; /* of the buffer, its NUL included */
} kymograph_value;

/* One open instrument: the library's own. */
typedef struct kymograph_device kymograph_device;

/* Returns KYMOGRAPH_DRIVER_API of the header that the library was compiled with. The first call. */
KYMOGRAPH_EXPORT int32_t kymograph_driver_api(void);

/*
 * Opens an instrument and makes sure that it is the right one. `settings` is a JSON object of the device's settings: its address as "address", and what else
 * the driver declares; numbers, booleans and texts.
 */
KYMOGRAPH_EXPORT int32_t kymograph_open(const char *settings, kymograph_device **device, char *error, size_t error_size);

/* Leaves the instrument in a state in which it may be left alone. The device is not used again. */
KYMOGRAPH_EXPORT void kymograph_close(kymograph_device *device);

/*
 * Writes a JSON object { "identity": "what the instrument says it is", "parameters": [ ... ] }. A parameter is { "name", "description", "kind": "FLOAT" |
 * "INTEGER" | "BOOLEAN" | "TEXT" | "ENUM", "access": "READ_ONLY" | "READ_WRITE" | "WRITE_ONLY" } and where it has them "unit" (UCUM), "minimum", "maximum",
 * "step", "choices" (of ENUM), "deadband", and "pollMs", how often it is read.
 */
KYMOGRAPH_EXPORT int32_t kymograph_describe(kymograph_device *device, char *json, size_t json_size, size_t *needed, char *error, size_t error_size);

/* Asks the instrument. A value that could not be read is a failure, never the last one. */
KYMOGRAPH_EXPORT int32_t kymograph_read(kymograph_device *device, const char *name, kymograph_value *value, char *error, size_t error_size);

/* The value has been checked against the parameter's kind, unit, limits and choices. What may be read too is read back after it. */
KYMOGRAPH_EXPORT int32_t kymograph_write(kymograph_device *device, const char *name, const kymograph_value *value, char *error, size_t error_size);

/* Stops whatever moves, heats or shines, at once. Returns when the command is on its way. */
KYMOGRAPH_EXPORT int32_t kymograph_stop(kymograph_device *device, char *error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
