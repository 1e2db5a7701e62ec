#pragma once

#include <cstddef>
#include <cstdint>

// The part of Teledyne Photometrics' PVCAM C interface that we call, declared by ourselves from its published description so that neither the addon
// nor the simulator needs the vendor's SDK to build. Types keep PVCAM's sizes; names keep PVCAM's names.

extern "C" {

using rs_bool = uint16_t;  // 0 is failure; then pl_error_code says why

struct rgn_type {
  uint16_t s1, s2, sbin;  // first and last column (inclusive), binning
  uint16_t p1, p2, pbin;  // first and last row (inclusive), binning
};

struct PVCAM_FRAME_INFO_GUID {
  uint32_t f1;
  uint16_t f2, f3;
  uint8_t f4[8];
};

struct FRAME_INFO {
  PVCAM_FRAME_INFO_GUID FrameInfoGUID;
  int16_t hCam;
  int32_t FrameNr;       // from 1; wraps
  int64_t TimeStamp;     // end of frame, in ticks of 100 us
  int32_t ReadoutTime;
  int64_t TimeStampBOF;
};

using PL_CALLBACK_EX3 = void (*)(FRAME_INFO* info, void* context);
}

static_assert(sizeof(rgn_type) == 12);
static_assert(sizeof(FRAME_INFO) == 48 && offsetof(FRAME_INFO, hCam) == 16 && offsetof(FRAME_INFO, FrameNr) == 20 && offsetof(FRAME_INFO, TimeStamp) == 24);

namespace kymograph::pvcam {

constexpr size_t kCameraNameLength = 32;
constexpr size_t kErrorMessageLength = 255;
constexpr size_t kParameterTextLength = 256;  // serial numbers and chip names are far shorter; some calls write without asking for the length
constexpr int64_t kTickNs = 100'000;

enum Attribute : int16_t {
  kCurrent = 0, kCount = 1, kType = 2, kMinimum = 3, kMaximum = 4, kDefault = 5, kIncrement = 6, kAccess = 7, kAvailable = 8,
};
// What a parameter's value is in memory; also the second highest byte of its id.
enum Type : uint16_t {
  kInt16 = 1, kInt32 = 2, kFloat64 = 4, kUint8 = 5, kUint16 = 6, kUint32 = 7, kUint64 = 8, kEnum = 9, kBoolean = 11, kInt8 = 12, kText = 13, kInt64 = 16, kFloat32 = 18,
};
enum Access : uint16_t { kReadOnly = 1, kReadWrite = 2, kExistCheckOnly = 3, kWriteOnly = 4 };
enum BufferMode : int16_t { kOverwrite = 1, kNoOverwrite = 2 };
// Extended modes (from 1792) are OR-ed with the expose-out mode; older cameras have only the legacy ones below them.
enum ExposureMode : int16_t { kTimed = 0, kInternalTrigger = 1792, kSoftwareFirst = 2816, kSoftwareEdge = 3072 };
enum ExposureResolution : int32_t { kMilliseconds = 0, kMicroseconds = 1, kSeconds = 2 };
enum CameraState : int16_t { kHalt = 1 };
enum Event : int32_t { kBeginOfFrame = 0, kEndOfFrame = 1, kCameraRemoved = 3 };
enum Status : int16_t { kNotActive = 0, kExposing = 1, kFrameAvailable = 3, kFailed = 4 };
enum OpenMode : int16_t { kExclusive = 0 };
enum SoftwareTrigger : uint32_t { kTriggered = 1, kIgnored = 2 };

// Class << 16 | type << 24 | number.
enum Parameter : uint32_t {
  kColumns = 0x0602003A,
  kRows = 0x06020039,
  kBitDepth = 0x010201FF,
  kSerialNumber = 0x0D020215,
  kChipName = 0x0D020081,
  kFirmwareVersion = 0x06020214,       // major in the high byte, minor in the low one
  kExposureMode = 0x09020217,
  kExposeOutMode = 0x09020230,
  kExposureResolution = 0x09030002,
  kExposureTime = 0x08030008,          // in the unit of the resolution
  kReadoutTimeUs = 0x040200B3,
  kMetadataEnabled = 0x0B0300A8,
  kFrameBufferSize = 0x0803012C,       // its default is the size in bytes that the library recommends
};

enum Error : int16_t { kInstallationCorrupted = 151, kConfigurationInvalid = 185, kDeviceBusy = 195 };

}  // namespace kymograph::pvcam

// Every function that the loader looks up: X(result, name, arguments).
#define KYMOGRAPH_PVCAM_FUNCTIONS(X)                                                                                                                  \
  X(rs_bool, pl_pvcam_init, ())                                                                                                                       \
  X(rs_bool, pl_pvcam_uninit, ())                                                                                                                     \
  X(rs_bool, pl_pvcam_get_ver, (uint16_t * version))                                                                                                  \
  X(rs_bool, pl_cam_get_total, (int16_t * total))                                                                                                     \
  X(rs_bool, pl_cam_get_name, (int16_t number, char* name))                                                                                           \
  X(rs_bool, pl_cam_open, (char* name, int16_t* camera, int16_t mode))                                                                                \
  X(rs_bool, pl_cam_close, (int16_t camera))                                                                                                          \
  X(rs_bool, pl_get_param, (int16_t camera, uint32_t parameter, int16_t attribute, void* value))                                                      \
  X(rs_bool, pl_set_param, (int16_t camera, uint32_t parameter, void* value))                                                                         \
  X(rs_bool, pl_get_enum_param, (int16_t camera, uint32_t parameter, uint32_t index, int32_t* value, char* text, uint32_t length))                    \
  X(rs_bool, pl_enum_str_length, (int16_t camera, uint32_t parameter, uint32_t index, uint32_t* length))                                              \
  X(rs_bool, pl_cam_register_callback_ex3, (int16_t camera, int32_t event, void* callback, void* context))                                            \
  X(rs_bool, pl_cam_deregister_callback, (int16_t camera, int32_t event))                                                                             \
  X(rs_bool, pl_exp_setup_cont,                                                                                                                       \
    (int16_t camera, uint16_t regions, const rgn_type* region, int16_t exposureMode, uint32_t exposure, uint32_t* frameBytes, int16_t bufferMode))    \
  X(rs_bool, pl_exp_start_cont, (int16_t camera, void* buffer, uint32_t bytes))                                                                       \
  X(rs_bool, pl_exp_check_cont_status, (int16_t camera, int16_t* status, uint32_t* bytesArrived, uint32_t* buffersFilled))                            \
  X(rs_bool, pl_exp_get_oldest_frame_ex, (int16_t camera, void** frame, FRAME_INFO* info))                                                            \
  X(rs_bool, pl_exp_unlock_oldest_frame, (int16_t camera))                                                                                            \
  X(rs_bool, pl_exp_stop_cont, (int16_t camera, int16_t state))                                                                                       \
  X(rs_bool, pl_exp_abort, (int16_t camera, int16_t state))                                                                                           \
  X(int16_t, pl_error_code, ())                                                                                                                       \
  X(rs_bool, pl_error_message, (int16_t code, char* message))

// And those that older libraries do not have.
#define KYMOGRAPH_PVCAM_LATER_FUNCTIONS(X)                                                                                                            \
  X(rs_bool, pl_exp_trigger, (int16_t camera, uint32_t* flags, uint32_t value))                                                                       \
  X(rs_bool, pl_pp_reset, (int16_t camera))
