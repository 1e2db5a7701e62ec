#include "comedi_transfer.h"

#include <chrono>
#include <thread>

#include "thread_name.h"

namespace kymograph {

namespace {

int64_t wallNs() { return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count(); }

}  // namespace

size_t ComediTransfer::sampleBytesOf(const ComediDevice& device, unsigned subdevice) {
  return (device.subdevice(subdevice).flags & comedi::kLargeSamples) != 0 ? sizeof(uint32_t) : sizeof(uint16_t);
}

// Known to the end of the process before the board is: a stop in between waits, and then ends it.
void ComediTransfer::begin() {
  exitStop_.emplace([this] { stop(); });
  try {
    giveCommand();
  } catch (...) {
    end(std::current_exception());
    throw;
  }
}

void ComediTransfer::giveCommand() {
  const ComediLibrary& call = device_->library();
  const auto guard = call.lock();
  descriptor_ = call.check(call.comedi_fileno(device_->handle()), "comedi_fileno");
  const int64_t beforeNs = wallNs();
  call.check(call.comedi_command(device_->handle(), &command_.raw()), "comedi_command");
  commandedNs_ = beforeNs + (wallNs() - beforeNs) / 2;
  try {
    started();
    std::thread([self = shared_from_this()] { self->run(); }).detach();
  } catch (...) {
    call.comedi_cancel(device_->handle(), subdevice_);
    throw;
  }
}

void ComediTransfer::run() {
  nameThread("board samples");
  std::exception_ptr failure;
  try {
    move();
  } catch (...) {
    failure = std::current_exception();
  }
  {
    const ComediLibrary& call = device_->library();
    const auto guard = call.lock();
    call.comedi_cancel(device_->handle(), subdevice_);  // also after its end: until then the board counts as busy. It may be gone; the failure says so
  }
  end(failure);
}

// Nobody hears of the end before everything is gone, but for the exit's stop, which waits for it.
void ComediTransfer::end(std::exception_ptr failure) {
  device_.reset();
  {
    const std::lock_guard guard(mutex_);
    wake_.reset();
    failure_ = std::move(failure);
    ended_ = true;
    changed_.notify_all();
  }
  exitStop_.reset();
}

void ComediTransfer::stop() {
  endSoon();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return ended_; });
}

void ComediTransfer::endSoon() {
  const std::lock_guard guard(mutex_);
  stopping_ = true;
  if (wake_) wake_->wake();
  changed_.notify_all();
}

}  // namespace kymograph
