#include "library.h"

#include "faults.h"

namespace pvcam_sim {

namespace pvcam = kymograph::pvcam;
using namespace std::chrono_literals;

namespace {

constexpr int kCameras = 2;
constexpr auto kLookEvery = 20ms;  // as fast as a person sees a cable fall out

}  // namespace

thread_local int16_t lastError = 0;

Library::Library(const Options& options) : options_(options) {
  for (int number = 0; number < kCameras; ++number) cameras_.push_back(std::make_unique<Camera>(static_cast<int16_t>(number), options));
  watcher_ = std::thread([this] { watch(); });
}

Library::~Library() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  watcher_.join();
}

// Each camera is told once that it was pulled out, and again after it was there in between.
void Library::watch() {
  std::vector<bool> told(cameras_.size(), false);
  std::unique_lock guard(mutex_);
  while (!changed_.wait_for(guard, kLookEvery, [this] { return ending_; }))
    for (size_t number = 0; number < cameras_.size(); ++number) {
      const bool away = gone(static_cast<int>(number));
      if (away && !told[number]) cameras_[number]->tellRemoved();
      told[number] = away;
    }
}

std::string nameOf(int number) { return "pvcamSIM_" + std::to_string(number); }

bool gone(int number) { return simulated::unplugged() || simulated::removed() == nameOf(number); }

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
    case kReadOnly: return "the parameter can only be read";
    default: return "unknown error";
  }
}

}  // namespace pvcam_sim
