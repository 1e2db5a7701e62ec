#include "pvcam_callbacks.h"

#include <map>
#include <mutex>

namespace kymograph {

namespace {

struct Registration {
  int16_t camera;
  std::weak_ptr<EndOfFrame> receiver;
};

std::mutex mutex;
std::map<uint64_t, Registration> registrations;
uint64_t lastToken = 0;

std::shared_ptr<EndOfFrame> receiverOf(int16_t camera, uint64_t token) {
  const std::lock_guard guard(mutex);
  const auto exact = registrations.find(token);
  if (exact != registrations.end() && exact->second.camera == camera) return exact->second.receiver.lock();
  const Registration* only = nullptr;
  for (const auto& [other, registration] : registrations) {
    if (registration.camera != camera) continue;
    if (only != nullptr) return nullptr;  // two libraries with the same handle and a lost context: the waiting threads poll anyway
    only = &registration;
  }
  return only == nullptr ? nullptr : only->receiver.lock();
}

}  // namespace

uint64_t registerEndOfFrame(int16_t camera, std::weak_ptr<EndOfFrame> receiver) {
  const std::lock_guard guard(mutex);
  registrations[++lastToken] = {camera, std::move(receiver)};
  return lastToken;
}

void forgetEndOfFrame(uint64_t token) {
  const std::lock_guard guard(mutex);
  registrations.erase(token);
}

void onEndOfFrame(FRAME_INFO* info, void* context) {
  if (info == nullptr) return;
  if (const auto receiver = receiverOf(info->hCam, reinterpret_cast<uintptr_t>(context))) receiver->notify(*info);
}

}  // namespace kymograph
