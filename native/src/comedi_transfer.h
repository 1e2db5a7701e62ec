#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "comedi_command.h"
#include "exit_stop.h"
#include "wake_pipe.h"

namespace kymograph {

// A command of the board under way, and the thread that moves its samples through the board's file descriptor. With the command, however it ends, goes all that
// it took: thread, wake pipe, and its hold of the board. What it moved stays with whoever keeps the transfer.
class ComediTransfer : public std::enable_shared_from_this<ComediTransfer> {
 public:
  virtual ~ComediTransfer() = default;
  ComediTransfer(const ComediTransfer&) = delete;
  ComediTransfer& operator=(const ComediTransfer&) = delete;

  // Gives the command; once. Throws ComediError when the board refuses: then it is over.
  void begin();
  // As the board does it, after its own rounding.
  unsigned scanIntervalNs() const { return command_.scanIntervalNs(); }
  unsigned convertIntervalNs() const { return command_.convertIntervalNs(); }
  size_t sampleBytes() const { return sampleBytes_; }
  // Returns when the board stands; endSoon() does not wait for that.
  void stop();
  void endSoon();

 protected:
  // Throws std::invalid_argument when the board cannot do what is asked.
  template <typename Request>
  ComediTransfer(std::shared_ptr<ComediDevice> device, const Request& request)
      : command_(*device, request), subdevice_(request.subdevice), sampleBytes_(sampleBytesOf(*device, request.subdevice)), device_(std::move(device)) {}

  // Under the library's lock, when the board has the command.
  virtual void started() {}
  // On the thread: all there is to move, or until something waited for is Waited::kWoken.
  virtual void move() = 0;

  // For started() and move() only: afterwards there is none.
  const ComediDevice& device() const { return *device_; }
  int descriptor() const { return descriptor_; }
  Waited waitFor(int descriptor, short events, int timeoutMs) const { return wake_->waitFor(descriptor, events, timeoutMs); }

  ComediCommand command_;
  const unsigned subdevice_;
  const size_t sampleBytes_;
  int64_t commandedNs_ = 0;  // since 1970, by the host: the middle of the call

  std::mutex mutex_;  // guards what follows, and what those who derive say
  std::condition_variable changed_;
  bool stopping_ = false;
  bool ended_ = false;
  std::exception_ptr failure_;  // once it has ended

 private:
  static size_t sampleBytesOf(const ComediDevice& device, unsigned subdevice);
  void giveCommand();
  void run();
  void end(std::exception_ptr failure);

  std::shared_ptr<ComediDevice> device_;
  int descriptor_ = -1;  // the library's
  std::optional<WakePipe> wake_{std::in_place};
  std::optional<ExitStop> exitStop_;
};

// Under way for as long as anybody keeps it: without them it ends soon, and its thread lets go of it.
template <typename Transfer, typename... Arguments>
std::shared_ptr<Transfer> beginTransfer(Arguments&&... arguments) {
  const auto transfer = std::make_shared<Transfer>(std::forward<Arguments>(arguments)...);
  transfer->begin();
  return {transfer.get(), [transfer](Transfer*) { transfer->endSoon(); }};
}

}  // namespace kymograph
