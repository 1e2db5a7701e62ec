// The ring with a source that laps everybody, readers in its own map and in one of their own, and everything that waits at it.
#include "ring.h"

#include <thread>
#include <vector>

#include "check.h"
#include "statistics.h"
#include "test_pattern.h"

using namespace kymograph;
using namespace std::chrono_literals;

namespace {

constexpr uint64_t kFrames = 1'500;
constexpr uint32_t kSide = 64;
constexpr uint32_t kSlots = 3;  // few: readers are lapped all the time
constexpr Region kRegions[] = {{0, 0, kSide, kSide}, {60, 63, 4, 1}};

void write(Ring& ring) {
  std::vector<uint16_t> frame(kSide * kSide);
  for (uint64_t sequence = 0; sequence < kFrames; ++sequence) {
    frame.assign(frame.size(), static_cast<uint16_t>(sequence));
    const FrameStatistics statistics = copyAndMeasure(ring.measures(), frame.data(), ring.beginWrite());
    ring.publish({sequence, static_cast<int64_t>(sequence) * 10, 5, kNoHardwareTime, statistics});
  }
  ring.close();
}

void checkStamp(const FrameStamp& stamp, uint64_t sequence) {
  const auto pixel = static_cast<uint16_t>(sequence);
  CHECK(stamp.sequence == sequence && stamp.timeNs == static_cast<int64_t>(sequence) * 10);
  CHECK(stamp.statistics.minimum == pixel && stamp.statistics.maximum == pixel && stamp.statistics.sum == uint64_t{pixel} * kSide * kSide);
  CHECK(stamp.statistics.regionSums[1] == uint64_t{pixel} * kRegions[1].width * kRegions[1].height);
}

// Whatever is still whole after it was copied is one frame and no mixture.
uint64_t readNewest(const Ring& ring) {
  std::vector<uint16_t> copy(kSide * kSide);
  uint64_t seen = 0;
  while (!ring.closed()) {
    const uint64_t published = ring.published();
    if (published == 0) continue;
    const FrameStamp stamp = ring.stamp(published - 1);
    const uint16_t* pixels = ring.pixels(published - 1);
    copy.assign(pixels, pixels + copy.size());
    if (!ring.whole(published - 1)) continue;
    checkStamp(stamp, published - 1);
    for (const uint16_t pixel : copy) CHECK(pixel == static_cast<uint16_t>(stamp.sequence));
    ++seen;
  }
  return seen;
}

// Every stamp once and in order, but for those that are told to be gone.
void followStamps(const Ring& ring) {
  uint64_t next = 0;
  for (bool last = false; !last;) {
    last = ring.closed();
    const Ring::Stamps taken = ring.stamps(next, 16);
    CHECK(taken.first >= next);
    next = taken.first;
    for (const FrameStamp& stamp : taken.stamps) checkStamp(stamp, next++);
    last = last && taken.stamps.empty();
  }
}

// Measures what may be overwritten meanwhile.
void measureNewest(const Ring& ring) {
  while (!ring.closed())
    if (const uint64_t published = ring.published(); published > 0) measureRows(ring.measures(), ring.pixels(published - 1), 0, kSide);
}

// Follows in order; what was overwritten meanwhile it passes over.
void follow(Ring& ring) {
  uint64_t next = 0;
  while (ring.waitFor(next, 50ms) || !ring.closed()) {
    ring.noteRecorded(++next);
    if (ring.published() - next >= ring.slots()) next = ring.published() - 1;
  }
}

void lapped(const std::string& path) {
  const auto ring = Ring::create(path, {kSide, kSide, kSlots}, {kFullScale, {std::begin(kRegions), std::end(kRegions)}});
  const auto other = Ring::openReadOnly(path);
  std::vector<std::thread> readers;
  std::atomic<uint64_t> seen = 0;
  for (const Ring* each : {ring.get(), other.get()}) readers.emplace_back([each, &seen] { seen += readNewest(*each); });
  for (const Ring* each : {ring.get(), other.get()}) readers.emplace_back([each] { followStamps(*each); });
  readers.emplace_back([&] { measureNewest(*ring); });
  readers.emplace_back([&] { follow(*ring); });
  std::thread writer([&] { write(*ring); });
  writer.join();
  for (auto& reader : readers) reader.join();
  CHECK(ring->published() == kFrames);
  CHECK(seen > 0);
}

// A source that waits for its recorder, stopped in the middle; and one that goes to its end.
void patterns(const std::string& path) {
  const auto ring = Ring::create(path, {kSide, kSide, 8});
  std::atomic<bool> ended = false;
  TestPattern pattern(ring, {std::nullopt, 100'000}, [&](const auto&) { ended = true; });
  std::thread reader([&] { follow(*ring); });
  while (ring->published() < 100) std::this_thread::yield();
  pattern.requestStop();
  pattern.join();
  reader.join();
  CHECK(ended && ring->closed());
  CHECK_THROWS(std::invalid_argument, TestPattern(ring, (TestPattern::Options{std::nullopt, 1}), [](const auto&) {}));
}

// Whoever waits hears of the end, and a map outlives its file and its maker.
void ends(const std::string& path) {
  auto ring = Ring::create(path, {kSide, kSide, 2});
  const auto other = Ring::openReadOnly(path);
  std::thread waiting([&] { CHECK(!ring->waitFor(0, 10s)); });
  ring->close();
  waiting.join();
  ring.reset();
  CHECK(!std::filesystem::exists(path));
  CHECK(other->closed() && other->published() == 0);
  CHECK_THROWS(std::exception, Ring::openReadOnly(path));
}

}  // namespace

int main(int count, char** values) {
  const std::string folder = argument(count, values, 1);
  lapped(fileIn(folder, "lapped.ring"));
  patterns(fileIn(folder, "pattern.ring"));
  ends(fileIn(folder, "ends.ring"));
}
