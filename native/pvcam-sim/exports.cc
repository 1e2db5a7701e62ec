// A PVCAM library without a camera: the same C functions, looked up the same way, so that the loader and the driver are the ones for the real library.
// It has two cameras. Read by pl_pvcam_init from the environment:
//   KYMOGRAPH_PVCAM_SIM_SIZE        "2048x2048": the size of their sensors (default 512x512)
//   KYMOGRAPH_PVCAM_SIM_FAIL_AFTER  "100": every acquisition fails after so many frames, as when the cable is pulled (default: never)
// A copy of it can be told faults by files beside it: ../simulated/faults.h.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "camera.h"
#include "faults.h"
#include "pvcam_api.h"

namespace {

namespace pvcam = kymograph::pvcam;
using pvcam_sim::Camera;
using simulated::Suffered;

constexpr int kCameras = 2;
constexpr uint32_t kDefaultSide = 512;
constexpr uint32_t kMaxSide = 8192;
constexpr uint16_t kVersion = 0x0711;          // 7.1.1
constexpr uint16_t kFirmware = 0x0100;         // 1.0
constexpr int16_t kBitDepth = 16;
constexpr int16_t kColdest = -2500;
constexpr int16_t kWarmest = 2500;
constexpr uint32_t kRecommendedFrames = 32;

// Codes of the simulator's own, where the real library's are not documented to us.
enum OwnError : int16_t { kNotInitialised = 9001, kNoSuchCamera = 9002, kNotAvailable = 9003, kNoFrame = 9004, kBadValue = 9005, kNoAnswer = 9006 };

std::mutex mutex;  // guards what follows; a camera's own state is guarded by itself
auto& cameras = *new std::vector<std::unique_ptr<Camera>>();  // never destroyed: callers may go on while the process ends
thread_local int16_t lastError = 0;

rs_bool fail(int16_t code) {
  lastError = code;
  return 0;
}
rs_bool result(int16_t code) { return code == 0 ? 1 : fail(code); }

const char* textOf(int16_t code) {
  switch (code) {
    case 0: return "No error";
    case pvcam::kInstallationCorrupted: return "PL_ERR_INSTALLATION_CORRUPTED: the PVCAM installation is corrupted (is PVCAM_VERSION set?)";
    case pvcam::kConfigurationInvalid: return "PL_ERR_CONFIGURATION_INVALID: the configuration is not valid for this camera";
    case pvcam::kDeviceBusy: return "PL_ERR_DEVICE_BUSY: the camera is in use";
    case kNotInitialised: return "the library is not initialised";
    case kNoSuchCamera: return "there is no such camera";
    case kNotAvailable: return "the parameter is not available";
    case kNoFrame: return "there is no frame to take";
    case kBadValue: return "the value is not allowed";
    case kNoAnswer: return "the camera does not answer";
    default: return "unknown error";
  }
}

std::string nameOf(int number) { return "pvcamSIM_" + std::to_string(number); }

Camera* opened(int16_t handle) {
  const std::lock_guard guard(mutex);
  if (handle < 0 || static_cast<size_t>(handle) >= cameras.size() || !cameras[handle]->open) return nullptr;
  return cameras[handle].get();
}

void sensorSize(uint32_t* width, uint32_t* height) {
  *width = *height = kDefaultSide;
  const char* text = std::getenv("KYMOGRAPH_PVCAM_SIM_SIZE");
  unsigned w = 0, h = 0;
  if (text != nullptr && std::sscanf(text, "%ux%u", &w, &h) == 2 && w > 0 && h > 0 && w <= kMaxSide && h <= kMaxSide) {
    *width = w;
    *height = h;
  }
}

uint32_t failAfter() {
  const char* text = std::getenv("KYMOGRAPH_PVCAM_SIM_FAIL_AFTER");
  unsigned frames = 0;
  return text != nullptr && std::sscanf(text, "%u", &frames) == 1 && frames > 0 ? frames : UINT32_MAX;
}

struct Choice {
  int32_t value;
  const char* text;
};

const std::vector<Choice>* choicesOf(uint32_t parameter) {
  static const std::vector<Choice> exposureModes = {{pvcam::kInternalTrigger, "Internal Trigger"}, {2304, "Edge Trigger"}};
  static const std::vector<Choice> exposeOutModes = {{0, "First Row"}, {1, "All Rows"}, {3, "Rolling Shutter"}};
  static const std::vector<Choice> resolutions = {{pvcam::kMilliseconds, "ms"}, {pvcam::kMicroseconds, "us"}};
  switch (parameter) {
    case pvcam::kExposureMode: return &exposureModes;
    case pvcam::kExposeOutMode: return &exposeOutModes;
    case pvcam::kExposureResolution: return &resolutions;
    default: return nullptr;
  }
}

template <typename Value>
rs_bool give(void* to, Value value) {
  std::memcpy(to, &value, sizeof value);
  return 1;
}

rs_bool giveText(void* to, const std::string& text) {
  std::memcpy(to, text.c_str(), text.size() + 1);
  return 1;
}

bool known(uint32_t parameter) {
  static const uint32_t parameters[] = {
      pvcam::kColumns, pvcam::kRows, pvcam::kBitDepth, pvcam::kTemperature, pvcam::kTemperatureSetpoint, pvcam::kSerialNumber, pvcam::kChipName,
      pvcam::kFirmwareVersion, pvcam::kExposureMode, pvcam::kExposeOutMode, pvcam::kExposureResolution, pvcam::kReadoutTimeUs, pvcam::kCircularBuffer,
      pvcam::kFrameBufferSize,
  };
  return std::find(std::begin(parameters), std::end(parameters), parameter) != std::end(parameters);
}

rs_bool giveCurrent(Camera& camera, int16_t handle, uint32_t parameter, int16_t attribute, void* value) {
  switch (parameter) {
    case pvcam::kColumns: return give<uint16_t>(value, static_cast<uint16_t>(camera.width()));
    case pvcam::kRows: return give<uint16_t>(value, static_cast<uint16_t>(camera.height()));
    case pvcam::kBitDepth: return give<int16_t>(value, kBitDepth);
    case pvcam::kTemperature: return give<int16_t>(value, camera.temperature());
    case pvcam::kTemperatureSetpoint:
      return give<int16_t>(value, attribute == pvcam::kMinimum ? kColdest : attribute == pvcam::kMaximum ? kWarmest : camera.temperatureSetpoint);
    case pvcam::kSerialNumber: return giveText(value, "SIM00000" + std::to_string(handle));
    case pvcam::kChipName: return giveText(value, "KYMOGRAPH-SIM");
    case pvcam::kFirmwareVersion: return give<uint16_t>(value, kFirmware);
    case pvcam::kExposureMode: return give<int32_t>(value, pvcam::kInternalTrigger);
    case pvcam::kExposeOutMode: return give<int32_t>(value, 0);
    case pvcam::kExposureResolution: return give<int32_t>(value, camera.exposureResolution);
    case pvcam::kReadoutTimeUs: return give<double>(value, camera.readoutSeconds() * 1e6);
    case pvcam::kCircularBuffer: return give<rs_bool>(value, 1);
    case pvcam::kFrameBufferSize: return give<uint64_t>(value, uint64_t{kRecommendedFrames} * camera.width() * camera.height() * sizeof(uint16_t));
    default: return fail(kNotAvailable);
  }
}

// What the camera is asked for each time; the rest the library knows.
bool isAsked(uint32_t parameter) { return parameter == pvcam::kTemperature || parameter == pvcam::kTemperatureSetpoint; }

// The fault that this call suffers, if one waits; an unplugged camera answers nothing.
Suffered answered() {
  Suffered suffered = simulated::unplugged() ? Suffered{.unanswered = true} : simulated::suffer();
  if (suffered.unanswered) suffered.code = kNoAnswer;
  return suffered;
}

void spoil(int16_t* value) { *value ^= 0x5555; }

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT rs_bool pl_pvcam_init() {
  const std::lock_guard guard(mutex);
  if (std::getenv("PVCAM_VERSION") == nullptr) return fail(pvcam::kInstallationCorrupted);
  if (!cameras.empty()) return fail(pvcam::kDeviceBusy);
  uint32_t width, height;
  sensorSize(&width, &height);
  for (int number = 0; number < kCameras; ++number) cameras.push_back(std::make_unique<Camera>(static_cast<int16_t>(number), width, height, failAfter()));
  return 1;
}

EXPORT rs_bool pl_pvcam_uninit() {
  const std::lock_guard guard(mutex);
  if (cameras.empty()) return fail(kNotInitialised);
  cameras.clear();
  return 1;
}

EXPORT rs_bool pl_pvcam_get_ver(uint16_t* version) {
  *version = kVersion;
  return 1;
}

EXPORT rs_bool pl_cam_get_total(int16_t* total) {
  const std::lock_guard guard(mutex);
  if (cameras.empty()) return fail(kNotInitialised);
  *total = static_cast<int16_t>(simulated::unplugged() ? 0 : cameras.size());
  return 1;
}

EXPORT rs_bool pl_cam_get_name(int16_t number, char* name) {
  const std::lock_guard guard(mutex);
  if (number < 0 || static_cast<size_t>(number) >= cameras.size()) return fail(kNoSuchCamera);
  return giveText(name, nameOf(number));
}

EXPORT rs_bool pl_cam_open(char* name, int16_t* handle, int16_t) {
  const std::lock_guard guard(mutex);
  if (simulated::unplugged()) return fail(kNoSuchCamera);
  for (size_t number = 0; number < cameras.size(); ++number) {
    if (nameOf(static_cast<int>(number)) != name) continue;
    if (cameras[number]->open) return fail(pvcam::kDeviceBusy);
    cameras[number]->open = true;
    *handle = static_cast<int16_t>(number);
    return 1;
  }
  return fail(kNoSuchCamera);
}

EXPORT rs_bool pl_cam_close(int16_t handle) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  camera->stop();
  camera->setCallback(nullptr, nullptr);
  camera->open = false;
  return 1;
}

EXPORT rs_bool pl_get_param(int16_t handle, uint32_t parameter, int16_t attribute, void* value) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  if (camera->streaming()) camera->stall();
  if (attribute == pvcam::kAvailable) return give<rs_bool>(value, known(parameter));
  if (attribute == pvcam::kCount) {
    const auto* choices = choicesOf(parameter);
    return choices == nullptr ? fail(kNotAvailable) : give<uint32_t>(value, static_cast<uint32_t>(choices->size()));
  }
  if (attribute != pvcam::kCurrent || !isAsked(parameter)) return giveCurrent(*camera, handle, parameter, attribute, value);
  const Suffered suffered = answered();
  if (suffered.code != 0) return fail(static_cast<int16_t>(suffered.code));
  const rs_bool given = giveCurrent(*camera, handle, parameter, attribute, value);
  if (suffered.garbage) spoil(static_cast<int16_t*>(value));
  return given;
}

EXPORT rs_bool pl_set_param(int16_t handle, uint32_t parameter, void* value) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  if (camera->streaming()) return fail(pvcam::kDeviceBusy);
  if (const Suffered suffered = answered(); suffered.code != 0) return fail(static_cast<int16_t>(suffered.code));
  if (parameter == pvcam::kTemperatureSetpoint) {
    int16_t wanted;
    std::memcpy(&wanted, value, sizeof wanted);
    if (wanted < kColdest || wanted > kWarmest) return fail(kBadValue);
    camera->temperatureSetpoint = wanted;
    return 1;
  }
  if (parameter == pvcam::kExposureResolution) {
    int32_t wanted;
    std::memcpy(&wanted, value, sizeof wanted);
    if (wanted != pvcam::kMilliseconds && wanted != pvcam::kMicroseconds) return fail(kBadValue);
    camera->exposureResolution = wanted;
    return 1;
  }
  return fail(kNotAvailable);
}

EXPORT rs_bool pl_enum_str_length(int16_t handle, uint32_t parameter, uint32_t index, uint32_t* length) {
  const auto* choices = choicesOf(parameter);
  if (opened(handle) == nullptr || choices == nullptr || index >= choices->size()) return fail(kNotAvailable);
  *length = static_cast<uint32_t>(std::strlen((*choices)[index].text) + 1);
  return 1;
}

EXPORT rs_bool pl_get_enum_param(int16_t handle, uint32_t parameter, uint32_t index, int32_t* value, char* text, uint32_t length) {
  const auto* choices = choicesOf(parameter);
  if (opened(handle) == nullptr || choices == nullptr || index >= choices->size()) return fail(kNotAvailable);
  *value = (*choices)[index].value;
  std::snprintf(text, length, "%s", (*choices)[index].text);
  return 1;
}

EXPORT rs_bool pl_cam_register_callback_ex3(int16_t handle, int32_t event, void* callback, void* context) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  if (event == pvcam::kEndOfFrame) camera->setCallback(reinterpret_cast<PL_CALLBACK_EX3>(callback), context);
  return 1;
}

EXPORT rs_bool pl_cam_deregister_callback(int16_t handle, int32_t event) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  if (event == pvcam::kEndOfFrame) camera->setCallback(nullptr, nullptr);
  return 1;
}

// CIRC_OVERWRITE is refused, as the Prime BSI does.
EXPORT rs_bool pl_exp_setup_cont(
    int16_t handle, uint16_t regions, const rgn_type* region, int16_t, uint32_t exposure, uint32_t* frameBytes, int16_t bufferMode) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  if (const Suffered suffered = answered(); suffered.code != 0) return fail(static_cast<int16_t>(suffered.code));
  if (regions != 1 || bufferMode != pvcam::kNoOverwrite) return fail(pvcam::kConfigurationInvalid);
  return result(camera->setUp(*region, exposure, frameBytes));
}

EXPORT rs_bool pl_exp_start_cont(int16_t handle, void* buffer, uint32_t bytes) {
  Camera* camera = opened(handle);
  return camera == nullptr ? fail(kNoSuchCamera) : result(camera->start(buffer, bytes));
}

EXPORT rs_bool pl_exp_check_cont_status(int16_t handle, int16_t* status, uint32_t* bytesArrived, uint32_t* buffersFilled) {
  Camera* camera = opened(handle);
  if (camera == nullptr) return fail(kNoSuchCamera);
  const uint32_t frames = camera->framesDone();
  *status = !camera->streaming() ? pvcam::kNotActive : camera->failed() || simulated::unplugged() ? pvcam::kFailed : frames > 0 ? pvcam::kFrameAvailable : pvcam::kExposing;
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
