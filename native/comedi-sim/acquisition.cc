#include "acquisition.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace comedi_sim {
namespace {

namespace comedi = kymograph::comedi;

constexpr unsigned kTickNs = 50;           // of the 20 MHz time base
constexpr unsigned kConvertNs = 10'000;    // 100 kS/s altogether
constexpr unsigned kPinMask = 0xffff;     // CR_CHAN
constexpr unsigned kLastPin = 9;          // of the programmable function inputs
constexpr unsigned kLongestNs = 50 * 0xffffff;
constexpr auto kStep = std::chrono::milliseconds(1);
constexpr double kLongestStepSeconds = 0.005;  // when the thread was held up, the board's clock was too: it has no other

bool keep(unsigned& source, unsigned offered) {
  const unsigned before = source;
  source &= offered;
  return source != 0 && source == before;
}

bool unique(unsigned source) { return (source & (source - 1)) == 0; }

bool raise(unsigned& argument, unsigned least) {
  if (argument >= least) return true;
  argument = least;
  return false;
}

bool lower(unsigned& argument, unsigned most) {
  if (argument <= most) return true;
  argument = most;
  return false;
}

bool force(unsigned& argument, unsigned value) { return std::exchange(argument, value) == value; }

bool roundToTick(unsigned& argument) { return force(argument, (argument + kTickNs / 2) / kTickNs * kTickNs); }

}  // namespace

int testCommand(comedi::Command& command) {
  bool right = keep(command.startSource, comedi::kNow | comedi::kExternal);
  right &= keep(command.scanBeginSource, comedi::kTimer | comedi::kExternal);
  right &= keep(command.convertSource, comedi::kTimer | comedi::kExternal);
  right &= keep(command.scanEndSource, comedi::kCount);
  right &= keep(command.stopSource, comedi::kCount | comedi::kNone);
  if (!right) return 1;

  for (const unsigned source : {command.startSource, command.scanBeginSource, command.convertSource, command.stopSource})
    if (!unique(source)) return 2;

  if (command.startSource == comedi::kNow) right &= force(command.startArgument, 0);
  if (command.startSource == comedi::kExternal) right &= force(command.startArgument, (command.startArgument & comedi::kInvert) | comedi::kEdge | std::min(command.startArgument & kPinMask, kLastPin));
  if (command.scanBeginSource == comedi::kTimer) right &= raise(command.scanBeginArgument, kConvertNs) && lower(command.scanBeginArgument, kLongestNs);
  if (command.convertSource == comedi::kTimer) right &= raise(command.convertArgument, kConvertNs) && lower(command.convertArgument, kLongestNs);
  right &= force(command.scanEndArgument, command.channelCount);
  right &= command.stopSource == comedi::kCount ? lower(command.stopArgument, readBench().mostScans) : force(command.stopArgument, 0);
  if (!right) return 3;

  if (command.scanBeginSource == comedi::kTimer) right &= roundToTick(command.scanBeginArgument);
  if (command.convertSource == comedi::kTimer) {
    right &= roundToTick(command.convertArgument);
    if (command.scanBeginSource == comedi::kTimer) right &= raise(command.scanBeginArgument, command.convertArgument * command.scanEndArgument);
  }
  return right ? 0 : 4;
}

Acquisition::Acquisition(Convert convert) : convert_(std::move(convert)), ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Acquisition::~Acquisition() {
  endThread();
  ::close(ready_);
}

void Acquisition::endThread() {
  {
    const std::lock_guard guard(mutex_);
    stopping_ = true;
    edges_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  stopping_ = false;
}

bool Acquisition::start(const comedi::Command& command) {
  {
    const std::lock_guard guard(mutex_);
    if (busy_) return false;
  }
  endThread();
  samples_.clear();
  bench_ = readBench();
  awaited_ = command.startSource == comedi::kExternal ? std::optional(command.startArgument) : std::nullopt;
  overflowed_ = false;
  conversions_ = 0;
  busy_ = running_ = true;
  signal();
  const uint64_t scans = command.stopSource == comedi::kCount ? command.stopArgument : UINT64_MAX;
  thread_ = std::thread([this, words = std::vector<unsigned>(command.channels, command.channels + command.channelCount), interval = command.scanBeginArgument, scans] {
    run(words, interval, scans);
  });
  return true;
}

void Acquisition::cancel() {
  endThread();
  const std::lock_guard guard(mutex_);
  samples_.clear();
  busy_ = running_ = overflowed_ = false;
  signal();
}

bool Acquisition::busy() {
  const std::lock_guard guard(mutex_);
  return busy_;
}

void Acquisition::edge(unsigned pin, bool rising) {
  const std::lock_guard guard(mutex_);
  if (!awaited_ || (*awaited_ & kPinMask) != pin || ((*awaited_ & comedi::kInvert) == 0) != rising) return;
  awaited_.reset();
  edges_.notify_all();
}

// False: it was cancelled meanwhile.
bool Acquisition::waitForEdge() {
  std::unique_lock lock(mutex_);
  edges_.wait(lock, [this] { return stopping_ || !awaited_; });
  return !stopping_;
}

void Acquisition::run(std::vector<unsigned> words, unsigned scanIntervalNs, uint64_t scans) {
  double boardSeconds = 0;
  uint64_t made = 0;
  bool going = waitForEdge();
  auto last = std::chrono::steady_clock::now();
  while (going && made < scans && !stopping_) {
    std::this_thread::sleep_for(kStep);
    const auto now = std::chrono::steady_clock::now();
    boardSeconds += std::min(kLongestStepSeconds, std::chrono::duration<double>(now - last).count()) * bench_.pace;
    last = now;
    const uint64_t due = std::min(scans, static_cast<uint64_t>(boardSeconds * 1e9 / scanIntervalNs));
    going = addScans(words, due - made);
    made = due;
  }
  const std::lock_guard guard(mutex_);
  running_ = false;
  signal();
}

// False: overflow. The scan that had no room is lost, and the board stands.
bool Acquisition::addScans(const std::vector<unsigned>& words, uint64_t count) {
  const std::lock_guard guard(mutex_);
  for (uint64_t scan = 0; scan < count && !overflowed_; ++scan) {
    overflowed_ = samples_.size() + words.size() * sizeof(uint16_t) > bench_.bufferBytes;
    if (overflowed_) break;
    for (const unsigned word : words) {
      const uint16_t sample = bench_.ramp ? static_cast<uint16_t>(conversions_) : convert_(word);
      ++conversions_;
      samples_.push_back(static_cast<uint8_t>(sample & 0xff));
      samples_.push_back(static_cast<uint8_t>(sample >> 8));
    }
  }
  signal();
  return !overflowed_;
}

// Under the lock, but for the start.
void Acquisition::signal() {
  const bool ready = !samples_.empty() || !running_;
  if (ready == signalled_) return;
  signalled_ = ready;
  uint64_t value = 1;
  const ssize_t done = ready ? ::write(ready_, &value, sizeof value) : ::eventfd_read(ready_, &value);
  static_cast<void>(done);  // neither can fail: it counts to one
}

ssize_t Acquisition::read(void* bytes, size_t count) {
  const std::lock_guard guard(mutex_);
  if (samples_.empty()) {
    if (running_) {
      errno = EAGAIN;
      return -1;
    }
    busy_ = false;
    if (!std::exchange(overflowed_, false)) return 0;
    errno = EPIPE;
    return -1;
  }
  const size_t given = std::min(count, samples_.size()) / sizeof(uint16_t) * sizeof(uint16_t);
  std::copy_n(samples_.begin(), given, static_cast<uint8_t*>(bytes));
  samples_.erase(samples_.begin(), samples_.begin() + static_cast<std::ptrdiff_t>(given));
  signal();
  return static_cast<ssize_t>(given);
}

}  // namespace comedi_sim
