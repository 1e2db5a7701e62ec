#include "test_pattern.h"

#include <chrono>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "thread_name.h"

namespace kymograph {

namespace {

using namespace std::chrono;
constexpr milliseconds kWaitForRoom{50};  // how late a stop may be seen
constexpr int64_t kExposureNs = 500'000;
constexpr int64_t kTickNs = 1'000'000;  // of its clock: one a frame

}  // namespace

TestPattern::TestPattern(std::shared_ptr<Ring> ring, Options options, OnEnd onEnd)
    : ring_(std::move(ring)), options_(options), onEnd_(std::move(onEnd)) {
  if (!ring_->writable()) throw std::invalid_argument("a ring that another process writes cannot be written here");
  if (ring_->closed()) throw std::invalid_argument("this ring is closed");
  if (options_.rateHz.value_or(1) <= 0) throw std::invalid_argument("rateHz: must be above 0");
  if (options_.period == 0) throw std::invalid_argument("period: must be above 0");
  thread_ = std::thread([this] { run(); });
}

TestPattern::~TestPattern() {
  requestStop();
  join();
}

void TestPattern::join() {
  if (thread_.joinable()) thread_.join();
}

void TestPattern::run() noexcept {
  nameThread("test pattern");
  prepare();
  const auto start = steady_clock::now();
  const ThreadStopwatch watch;
  for (uint64_t sequence = 0; sequence < options_.frames && !stopping_; ++sequence) {
    if (options_.rateHz) std::this_thread::sleep_until(start + duration_cast<nanoseconds>(duration<double>(static_cast<double>(sequence) / *options_.rateHz)));
    else
      while (!stopping_ && !ring_->waitForRoom(kWaitForRoom)) continue;
    if (!stopping_) publish(sequence);
  }
  ring_->close();
  onEnd_(watch.elapsed());
}

void TestPattern::prepare() {
  if (options_.fill == Fill::row) return;
  const size_t width = ring_->width();
  copied_.assign(kCopiedFrames, std::vector<uint16_t>(width * ring_->height()));
  for (auto& frame : copied_)
    for (size_t at = width; at < frame.size(); ++at) frame[at] = static_cast<uint16_t>(at % options_.period * 31);
}

void TestPattern::publish(uint64_t sequence) {
  uint16_t* pixels = ring_->beginWrite();
  const FrameStatistics statistics = options_.fill == Fill::row ? drawRow(sequence, pixels) : copy(sequence, pixels);
  const int64_t now = duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
  ring_->publish({sequence, now, kExposureNs, static_cast<int64_t>(sequence) * kTickNs, statistics});
}

FrameStatistics TestPattern::drawRow(uint64_t sequence, uint16_t* pixels) {
  const uint32_t width = ring_->width();
  for (uint32_t x = 0; x < width; ++x) pixels[x] = static_cast<uint16_t>(x + 7 * sequence);
  if (sequence < ring_->slots()) {
    const uint32_t count = width * ring_->height();
    for (uint32_t at = width; at < count; ++at) pixels[at] = static_cast<uint16_t>(at % options_.period * 31);
    if (sequence == 0) below_ = measureRows(ring_->measures(), pixels, 1, ring_->height());
  }
  FrameStatistics statistics = measureRows(ring_->measures(), pixels, 0, 1);
  statistics += below_;
  return statistics;
}

FrameStatistics TestPattern::copy(uint64_t sequence, uint16_t* pixels) {
  std::vector<uint16_t>& frame = copied_[sequence % copied_.size()];
  for (uint32_t x = 0; x < ring_->width(); ++x) frame[x] = static_cast<uint16_t>(x + 7 * sequence);
  if (options_.fill == Fill::copied) return copyAndMeasure(ring_->measures(), frame.data(), pixels);
  std::memcpy(pixels, frame.data(), ring_->frameBytes());
  return {};
}

}  // namespace kymograph
