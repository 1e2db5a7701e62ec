#include "clock.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace comedi_sim {
namespace {

constexpr auto kStep = std::chrono::milliseconds(1);
constexpr double kLongestStepSeconds = 0.005;  // when the thread was held up, the board's clock was too: it has no other

}  // namespace

Clock::Clock(std::mutex& mutex, Advance advance) : mutex_(mutex), advance_(std::move(advance)), thread_([this] { run(); }) {}

Clock::~Clock() {
  {
    const std::lock_guard guard(mutex_);
    ending_ = true;
    woken_.notify_all();
  }
  thread_.join();
}

void Clock::wake(double pace) {
  pace_ = pace;
  going_ = true;
  woken_.notify_all();
}

void Clock::run() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    woken_.wait(lock, [this] { return ending_ || going_; });
    auto last = std::chrono::steady_clock::now();
    while (!ending_ && going_) {
      lock.unlock();
      std::this_thread::sleep_for(kStep);
      lock.lock();
      const auto now = std::chrono::steady_clock::now();
      const double seconds = std::min(kLongestStepSeconds, std::chrono::duration<double>(now - last).count()) * pace_;
      last = now;
      nowNs_ += static_cast<uint64_t>(seconds * 1e9);
      going_ = advance_(nowNs_);
    }
  }
}

}  // namespace comedi_sim
