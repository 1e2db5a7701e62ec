/* An instrument in memory behind native/include/kymograph_driver.h, with every fault that a test needs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kymograph_driver.h"

#ifndef COUNTER_API
#define COUNTER_API KYMOGRAPH_DRIVER_API
#endif

struct kymograph_device {
  double count;
  double stopped;
  double enabled;
  char label[64];
  char settings[512];
};

static int32_t say(int32_t code, char *error, size_t size, const char *sentence) {
  snprintf(error, size, "%s", sentence);
  return code;
}

/* Until the file of the address is removed: a call that hangs. The file is no longer empty once it does. */
static void hang(const kymograph_device *device) {
  char path[512];
  const char *start = strstr(device->settings, "/");
  if (start == NULL || sscanf(start, "%511[^\"]", path) != 1) return;
  FILE *file = fopen(path, "r+");
  if (file != NULL) {
    fputs("hangs\n", file);
    fclose(file);
  }
  while (access(path, F_OK) == 0) usleep(2000); /* nothing tells a C library that a file is gone */
}

int32_t kymograph_driver_api(void) { return COUNTER_API; }

int32_t kymograph_open(const char *settings, kymograph_device **device, char *error, size_t error_size) {
  if (strstr(settings, "nobody") != NULL) return say(KYMOGRAPH_LOST, error, error_size, "nobody answers at this address");
  if (strstr(settings, "silent") != NULL) return KYMOGRAPH_FAILED;
  *device = calloc(1, sizeof **device);
  if (*device == NULL) return say(KYMOGRAPH_FAILED, error, error_size, "no memory");
  (*device)->count = 7;
  snprintf((*device)->settings, sizeof (*device)->settings, "%s", settings);
  return KYMOGRAPH_OK;
}

void kymograph_close(kymograph_device *device) {
  FILE *log = getenv("COUNTER_LOG") == NULL ? NULL : fopen(getenv("COUNTER_LOG"), "a");
  if (log != NULL) {
    fputs("closed\n", log);
    fclose(log);
  }
  free(device);
}

int32_t kymograph_describe(kymograph_device *device, char *json, size_t json_size, size_t *needed, char *error, size_t error_size) {
  static const char *const parameters =
      "{\"name\":\"count\",\"description\":\"What was counted\",\"kind\":\"FLOAT\",\"access\":\"READ_WRITE\",\"unit\":\"V\",\"minimum\":0,\"maximum\":100,\"pollMs\":50},"
      "{\"name\":\"label\",\"description\":\"A text\",\"kind\":\"TEXT\",\"access\":\"READ_WRITE\"},"
      "{\"name\":\"enabled\",\"description\":\"A switch\",\"kind\":\"BOOLEAN\",\"access\":\"READ_WRITE\"},"
      "{\"name\":\"stops\",\"description\":\"How often it was stopped\",\"kind\":\"INTEGER\",\"access\":\"READ_ONLY\"},"
      "{\"name\":\"settings\",\"description\":\"What it was opened with\",\"kind\":\"TEXT\",\"access\":\"READ_ONLY\"},"
      "{\"name\":\"trigger\",\"description\":\"Written only\",\"kind\":\"FLOAT\",\"access\":\"WRITE_ONLY\"},"
      "{\"name\":\"forgotten\",\"description\":\"Never filled in\",\"kind\":\"FLOAT\",\"access\":\"READ_ONLY\"},"
      "{\"name\":\"wrong\",\"description\":\"Of another kind\",\"kind\":\"FLOAT\",\"access\":\"READ_ONLY\"},"
      "{\"name\":\"broken\",\"description\":\"Fails\",\"kind\":\"FLOAT\",\"access\":\"READ_ONLY\"},"
      "{\"name\":\"lost\",\"description\":\"Loses the line\",\"kind\":\"FLOAT\",\"access\":\"READ_ONLY\"},"
      "{\"name\":\"hang\",\"description\":\"Does not return\",\"kind\":\"FLOAT\",\"access\":\"READ_ONLY\"}";
  (void)error, (void)error_size;
  if (strstr(device->settings, "mumbles") != NULL) {
    snprintf(json, json_size, "{\"identity\": ");
    return KYMOGRAPH_OK;
  }
  /* Long enough to need a larger buffer where the address says so. */
  const size_t padding = strstr(device->settings, "talkative") != NULL ? 100000 : 0;
  *needed = strlen(parameters) + padding + 128;
  if (json_size < *needed) return KYMOGRAPH_TOO_SMALL;
  const int head = snprintf(json, json_size, "{\"identity\":\"Counter in C\",\"parameters\":[");
  memset(json + head, ' ', padding);
  snprintf(json + head + padding, json_size - head - padding, "%s]}", parameters);
  return KYMOGRAPH_OK;
}

int32_t kymograph_read(kymograph_device *device, const char *name, kymograph_value *value, char *error, size_t error_size) {
  if (strcmp(name, "broken") == 0) return say(KYMOGRAPH_FAILED, error, error_size, "the counter reports error 42");
  if (strcmp(name, "lost") == 0) return say(KYMOGRAPH_LOST, error, error_size, "the cable was pulled");
  if (strcmp(name, "hang") == 0) hang(device);
  if (strcmp(name, "forgotten") == 0) return KYMOGRAPH_OK;
  if (strcmp(name, "label") == 0 || strcmp(name, "settings") == 0 || strcmp(name, "wrong") == 0) {
    value->kind = KYMOGRAPH_TEXT;
    snprintf(value->text, value->text_size, "%s", strcmp(name, "settings") == 0 ? device->settings : device->label);
  } else if (strcmp(name, "enabled") == 0) {
    value->kind = KYMOGRAPH_BOOLEAN;
    value->number = device->enabled;
  } else {
    value->kind = KYMOGRAPH_NUMBER;
    value->number = strcmp(name, "stops") == 0 ? device->stopped : device->count;
  }
  return KYMOGRAPH_OK;
}

int32_t kymograph_write(kymograph_device *device, const char *name, const kymograph_value *value, char *error, size_t error_size) {
  if (value->kind == KYMOGRAPH_TEXT) {
    if (strlen(value->text) >= sizeof device->label) return say(KYMOGRAPH_REFUSED, error, error_size, "a label has at most 63 bytes");
    snprintf(device->label, sizeof device->label, "%s", value->text);
  } else if (strcmp(name, "enabled") == 0) {
    device->enabled = value->number;
  } else if (value->number == 13) {
    return say(KYMOGRAPH_FAILED, error, error_size, "13 is bad luck");
  } else {
    device->count = value->number;
  }
  return KYMOGRAPH_OK;
}

int32_t kymograph_stop(kymograph_device *device, char *error, size_t error_size) {
  (void)error, (void)error_size;
  device->stopped += 1;
  return KYMOGRAPH_OK;
}
