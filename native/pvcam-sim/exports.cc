// A PVCAM library without a camera: the same C functions, looked up the same way, so that the loader and the driver are the ones for the real library.
// It has two cameras; options.h tells what the environment sets, ../simulated/faults.h what files beside a copy of it do.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "camera.h"
#include "faults.h"
#include "ids.h"
#include "library.h"
#include "pvcam_api.h"

namespace pvcam_sim {
extern thread_local int16_t lastError;
}

namespace {

namespace pvcam = kymograph::pvcam;
using namespace pvcam_sim;
using simulated::Suffered;

constexpr uint16_t kVersion = 0x0711;  // 7.1.1

std::mutex mutex;  // guards what follows; a camera's own state is guarded by itself
auto& library = *new std::unique_ptr<Library>();  // never destroyed: callers may go on while the process ends

Camera* opened(int16_t handle) {
  const std::lock_guard guard(mutex);
  if (!library || handle < 0 || static_cast<size_t>(handle) >= library->cameras().size() || !library->cameras()[handle]->open) return nullptr;
  return library->cameras()[handle].get();
}

// What the camera is asked for each time; the rest the library knows.
bool isAsked(uint32_t parameter) { return parameter == id::kTemperature || parameter == id::kTemperatureSetpoint; }

// The fault that this call suffers, if one waits; a camera that was pulled out answers nothing.
Suffered answered(int16_t handle) {
  Suffered suffered = gone(handle) ? Suffered{.unanswered = true} : simulated::suffer();
  if (suffered.unanswered) suffered.code = kNoAnswer;
  return suffered;
}

void spoil(int16_t* value) { *value ^= 0x5555; }

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT rs_bool pl_pvcam_init() {
  const std::lock_guard guard(mutex);
  if (std::getenv("PVCAM_VERSION") == nullptr) return fail(pvcam::kInstallationCorrupted);
  if (library) return fail(pvcam::kDeviceBusy);
  library = std::make_unique<Library>(Options::fromEnvironment());
  return 1;
}

EXPORT rs_bool pl_pvcam_uninit() {
  const std::lock_guard guard(mutex);
  if (!library) return fail(kNotInitialised);
  library.reset();
  return 1;
}

EXPORT rs_bool pl_pvcam_get_ver(uint16_t* version) {
  *version = kVersion;
  return 1;
}

EXPORT rs_bool pl_cam_get_total(int16_t* total) {
  const std::lock_guard guard(mutex);
  if (!library) return fail(kNotInitialised);
  *total = 0;
  for (size_t number = 0; number < library->cameras().size(); ++number) *total += gone(static_cast<int>(number)) ? 0 : 1;
  return 1;
}

// Those that are there, in order.
EXPORT rs_bool pl_cam_get_name(int16_t number, char* name) {
  const std::lock_guard guard(mutex);
  int16_t left = number;
  for (size_t each = 0; library && number >= 0 && each < library->cameras().size(); ++each) {
    if (gone(static_cast<int>(each)) || left-- > 0) continue;
    std::strcpy(name, nameOf(static_cast<int>(each)).c_str());
    return 1;
  }
  return fail(kNoSuchCamera);
}

EXPORT rs_bool pl_cam_open(char* name, int16_t* handle, int16_t) {
  const std::lock_guard guard(mutex);
  for (size_t number = 0; library && number < library->cameras().size(); ++number) {
    if (nameOf(static_cast<int>(number)) != name || gone(static_cast<int>(number))) continue;
    Camera& camera = *library->cameras()[number];
    if (camera.open) return fail(pvcam::kDeviceBusy);
    camera.open = true;
    *handle = static_cast<int16_t>(number);
    return 1;
  }
  return fail(kNoSuchCamera);
}

EXPORT rs_bool pl_cam_close(int16_t handle) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  camera->stop();
  for (const int32_t event : {pvcam::kEndOfFrame, pvcam::kCameraRemoved}) camera->setCallback(event, nullptr, nullptr);
  camera->open = false;
  return 1;
}

EXPORT rs_bool pl_get_param(int16_t handle, uint32_t parameter, int16_t attribute, void* value) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  if (camera->streaming()) camera->stall();
  if (attribute != pvcam::kCurrent || !isAsked(parameter)) return result(camera->settings.get(parameter, attribute, value));
  const Suffered suffered = answered(handle);
  if (suffered.code != 0) return fail(static_cast<int16_t>(suffered.code));
  const int16_t code = camera->settings.get(parameter, attribute, value);
  if (suffered.garbage) spoil(static_cast<int16_t*>(value));
  return result(code);
}

EXPORT rs_bool pl_set_param(int16_t handle, uint32_t parameter, void* value) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  if (camera->streaming()) return fail(pvcam::kDeviceBusy);
  if (const Suffered suffered = answered(handle); suffered.code != 0) return fail(static_cast<int16_t>(suffered.code));
  return result(camera->settings.set(parameter, value));
}

EXPORT rs_bool pl_pp_reset(int16_t handle) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  if (camera->streaming()) return fail(pvcam::kDeviceBusy);
  camera->settings.resetPostProcessing();
  return 1;
}

EXPORT rs_bool pl_enum_str_length(int16_t handle, uint32_t parameter, uint32_t index, uint32_t* length) {
  Camera* camera = opened(handle);
  Choice choice;
  if (camera == nullptr || camera->settings.choice(parameter, index, &choice) != 0) return fail(kNotAvailable);
  *length = static_cast<uint32_t>(choice.name.size() + 1);
  return 1;
}

EXPORT rs_bool pl_get_enum_param(int16_t handle, uint32_t parameter, uint32_t index, int32_t* value, char* text, uint32_t length) {
  Camera* camera = opened(handle);
  Choice choice;
  if (camera == nullptr || camera->settings.choice(parameter, index, &choice) != 0) return fail(kNotAvailable);
  *value = choice.value;
  std::snprintf(text, length, "%s", choice.name.c_str());
  return 1;
}

EXPORT rs_bool pl_cam_register_callback_ex3(int16_t handle, int32_t event, void* callback, void* context) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  if (event == pvcam::kEndOfFrame || event == pvcam::kCameraRemoved) camera->setCallback(event, reinterpret_cast<PL_CALLBACK_EX3>(callback), context);
  const std::lock_guard guard(mutex);
  if (library->options().lastContext)
    for (const auto& each : library->cameras()) each->setContext(event, context);
  return 1;
}

EXPORT rs_bool pl_cam_deregister_callback(int16_t handle, int32_t event) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  if (event == pvcam::kEndOfFrame || event == pvcam::kCameraRemoved) camera->setCallback(event, nullptr, nullptr);
  return 1;
}

// CIRC_OVERWRITE is refused, as the Prime BSI does.
EXPORT rs_bool pl_exp_setup_cont(
    int16_t handle, uint16_t regions, const rgn_type* region, int16_t mode, uint32_t exposure, uint32_t* frameBytes, int16_t bufferMode) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  if (const Suffered suffered = answered(handle); suffered.code != 0) return fail(static_cast<int16_t>(suffered.code));
  if (bufferMode != pvcam::kNoOverwrite) return fail(pvcam::kConfigurationInvalid);
  return result(camera->setUp(std::span(region, regions), mode, exposure, frameBytes));
}

EXPORT rs_bool pl_exp_trigger(int16_t handle, uint32_t* flags, uint32_t) {
  Camera* camera = opened(handle);
  return camera == nullptr ? fail(kNoSuchCamera) : result(camera->trigger(flags));
}

EXPORT rs_bool pl_exp_start_cont(int16_t handle, void* buffer, uint32_t bytes) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  camera->settings.began(bytes);
  return result(camera->start(buffer, bytes));
}

EXPORT rs_bool pl_exp_check_cont_status(int16_t handle, int16_t* status, uint32_t* bytesArrived, uint32_t* buffersFilled) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  const bool lost = camera->failed() || gone(handle);
  if (lost) lastError = kNoAnswer;
  const uint32_t frames = camera->framesDone();
  *status = !camera->streaming() ? pvcam::kNotActive : lost ? pvcam::kFailed : frames > 0 ? pvcam::kFrameAvailable : pvcam::kExposing;
  *bytesArrived = 0;
  *buffersFilled = frames;
  return 1;
}

EXPORT rs_bool pl_exp_get_oldest_frame_ex(int16_t handle, void** frame, FRAME_INFO* info) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  return camera->oldest(frame, info) ? 1 : fail(kNoFrame);
}

EXPORT rs_bool pl_exp_unlock_oldest_frame(int16_t handle) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  return camera->unlockOldest() ? 1 : fail(kNoFrame);
}

EXPORT rs_bool pl_exp_get_latest_frame_ex(int16_t handle, void** frame, FRAME_INFO* info) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  return camera->latest(frame, info) ? 1 : fail(kNoFrame);
}

EXPORT rs_bool pl_exp_stop_cont(int16_t handle, int16_t) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  camera->stop();
  return 1;
}

EXPORT rs_bool pl_exp_abort(int16_t handle, int16_t state) { return pl_exp_stop_cont(handle, state); }

EXPORT int16_t pl_error_code() { return lastError; }

EXPORT rs_bool pl_error_message(int16_t code, char* message) {
  std::snprintf(message, kymograph::pvcam::kErrorMessageLength, "%s", textOf(code));
  return 1;
}
