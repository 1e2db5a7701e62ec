#include "pvcam_events.h"

#include <map>
#include <utility>

namespace kymograph {

namespace {

using namespace std::chrono;

int64_t wallNs() { return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count(); }

struct Registered {
  int16_t camera;
  std::weak_ptr<CameraEvents> events;
};

struct Registry {
  std::mutex mutex;
  std::map<uint64_t, Registered> entries;
  uint64_t lastToken = 0;
};

// Never destroyed: a vendor's thread may call back while the process ends.
Registry& registry() {
  static Registry& instance = *new Registry();
  return instance;
}

uint64_t add(int16_t camera, std::weak_ptr<CameraEvents> events) {
  Registry& known = registry();
  const std::lock_guard guard(known.mutex);
  known.entries[++known.lastToken] = {camera, std::move(events)};
  return known.lastToken;
}

std::shared_ptr<CameraEvents> eventsOf(const FRAME_INFO* info, void* context) {
  const std::lock_guard guard(registry().mutex);
  const auto& entries = registry().entries;
  const auto exact = entries.find(reinterpret_cast<uintptr_t>(context));
  if (exact != entries.end() && (info == nullptr || exact->second.camera == info->hCam)) return exact->second.events.lock();
  const Registered* only = nullptr;
  for (const auto& [token, registered] : entries) {
    if (info != nullptr && registered.camera != info->hCam) continue;
    if (only != nullptr) return nullptr;  // two libraries with the same handle and a lost context: the waiting threads poll anyway
    only = &registered;
  }
  return only == nullptr ? nullptr : only->events.lock();
}

}  // namespace

void CameraEvents::frameEnded(const FRAME_INFO& info) {
  {
    const std::lock_guard guard(mutex_);
    clock_.observe(wallNs(), info.TimeStamp * pvcam::kTickNs);
    pending_ = true;
  }
  changed_.notify_one();
}

void CameraEvents::cameraRemoved() {
  {
    const std::lock_guard guard(mutex_);
    removed_ = true;
  }
  wake();
  const std::lock_guard telling(telling_);
  if (told_) std::exchange(told_, nullptr)();
}

bool CameraEvents::removed() const {
  const std::lock_guard guard(mutex_);
  return removed_;
}

bool CameraEvents::onRemoved(std::function<void()> told) {
  const std::lock_guard telling(telling_);
  const bool waited = static_cast<bool>(told_);
  told_ = nullptr;
  if (told && removed()) told();
  else told_ = std::move(told);
  return waited;
}

void CameraEvents::reset() {
  const std::lock_guard guard(mutex_);
  pending_ = false;
  clock_ = {};
}

void CameraEvents::wake() {
  {
    const std::lock_guard guard(mutex_);
    pending_ = true;
  }
  changed_.notify_one();
}

bool CameraEvents::wait(milliseconds timeout) {
  std::unique_lock guard(mutex_);
  changed_.wait_for(guard, timeout, [this] { return pending_; });
  return std::exchange(pending_, false);
}

// A camera without time stamps gives zeros.
int64_t CameraEvents::timeOf(const FRAME_INFO& info) {
  const std::lock_guard guard(mutex_);
  if (info.TimeStamp == 0) return wallNs();
  return clock_.hostTime(info.TimeStamp * pvcam::kTickNs).value_or(wallNs());
}

CameraRegistration::CameraRegistration(int16_t camera, std::weak_ptr<CameraEvents> events) : token_(add(camera, std::move(events))) {}

CameraRegistration::~CameraRegistration() {
  const std::lock_guard guard(registry().mutex);
  registry().entries.erase(token_);
}

void* CameraRegistration::context() const { return reinterpret_cast<void*>(token_); }

void onEndOfFrame(FRAME_INFO* info, void* context) {
  if (info == nullptr) return;
  if (const auto events = eventsOf(info, context)) events->frameEnded(*info);
}

// The frame info of this event may be empty.
void onCameraRemoved(FRAME_INFO* info, void* context) {
  if (const auto events = eventsOf(info, context)) events->cameraRemoved();
}

}  // namespace kymograph
