#include "pvcam_callbacks.h"

#include <map>
#include <mutex>

namespace kymograph {

namespace {

struct Registration {
  int16_t camera;
  std::weak_ptr<EndOfFrame> receiver;
};

struct Registry {
  std::mutex mutex;
  std::map<uint64_t, Registration> entries;
  uint64_t lastToken = 0;
};

// Never destroyed: a vendor's thread may call back while the process ends.
Registry& registry() {
  static Registry& instance = *new Registry();
  return instance;
}

std::shared_ptr<EndOfFrame> receiverOf(int16_t camera, uint64_t token) {
  const std::lock_guard guard(registry().mutex);
  const auto exact = registry().entries.find(token);
  if (exact != registry().entries.end() && exact->second.camera == camera) return exact->second.receiver.lock();
  const Registration* only = nullptr;
  for (const auto& [other, registration] : registry().entries) {
    if (registration.camera != camera) continue;
    if (only != nullptr) return nullptr;  // two libraries with the same handle and a lost context: the waiting threads poll anyway
    only = &registration;
  }
  return only == nullptr ? nullptr : only->receiver.lock();
}

}  // namespace

uint64_t registerEndOfFrame(int16_t camera, std::weak_ptr<EndOfFrame> receiver) {
  const std::lock_guard guard(registry().mutex);
  Registry& known = registry();
  known.entries[++known.lastToken] = {camera, std::move(receiver)};
  return known.lastToken;
}

void forgetEndOfFrame(uint64_t token) {
  const std::lock_guard guard(registry().mutex);
  registry().entries.erase(token);
}

void onEndOfFrame(FRAME_INFO* info, void* context) {
  if (info == nullptr) return;
  if (const auto receiver = receiverOf(info->hCam, reinterpret_cast<uintptr_t>(context))) receiver->notify(*info);
}

}  // namespace kymograph
