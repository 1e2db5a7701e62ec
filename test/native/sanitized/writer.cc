// Recordings of every form while the source goes on: kept up with, lapped, stopped from several sides, ended by their source, by a full disk, by an error.
#include "writer.h"

#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <thread>
#include <vector>

#include "batch_index.h"
#include "check.h"
#include "crc32c.h"
#include "statistics.h"
#include "test_pattern.h"

using namespace kymograph;
using namespace std::chrono_literals;

namespace {

constexpr uint32_t kSide = 64;
constexpr uint64_t kFrames = 60;
constexpr uint32_t kSlots = 8;
constexpr size_t kIndexHeader = 64;

struct Form {
  BodyCodec codec = BodyCodec::none;
  bool buffered = false;
  std::optional<uint64_t> segmentBytes;
};

std::shared_ptr<Ring> ringAt(const std::string& path) { return Ring::create(path, {kSide, kSide, kSlots}, {kFullScale, {{1, 1, 8, 8}}}); }

RecordingPlan planOf(const Ring& ring, const std::string& path, const Form& form = {}) {
  RecordingPlan plan{};
  plan.schemaMessage.assign(kPageBytes, 1);
  plan.head.assign(512, 2);
  plan.headWithoutClock.assign(512, 3);
  plan.constants.assign(64, 4);
  plan.endOfStream.assign(8, 5);
  plan.constantsOffset = 512;
  plan.sequenceOffset = 576;
  plan.timeOffset = 584;
  plan.hardwareTimeOffset = 592;
  plan.exposureOffset = 600;
  plan.statistics = StatisticsPlan{608, 616, 624, 632, 640, 8, 1};
  plan.pixelOffset = kPageBytes;
  plan.batchBytes = kPageBytes + ring.paddedFrameBytes();
  plan.codec = form.codec;
  plan.bodyLengthOffset = 8;
  plan.pixelLengthOffset = 16;
  plan.path = path;
  plan.keepFreeBytes = 0;
  plan.segmentBytes = form.segmentBytes;
  plan.writeBytes = 4 * plan.batchBytes;
  plan.buffered = form.buffered;
  return plan;
}

// The index names every batch, and its checksum is that of the bytes in the file.
void checkFile(const std::string& path, uint64_t batches) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), {});
  std::ifstream index(path + ".index", std::ios::binary);
  index.seekg(kIndexHeader);
  uint64_t seen = 0;
  for (BatchEntry entry{}; index.read(reinterpret_cast<char*>(&entry), sizeof entry); ++seen) {
    CHECK(entry.offset + entry.bytes <= bytes.size());
    CHECK(crc32c(0, bytes.data() + entry.offset, entry.bytes) == entry.crc32c);
  }
  CHECK(seen == batches);
}

void whole(const std::string& folder, const std::string& name, const Form& form) {
  const auto ring = ringAt(fileIn(folder, name + ".ring"));
  const std::string path = fileIn(folder, name);
  std::atomic<int> ends = 0;
  Recording recording(ring, planOf(*ring, path, form), [&](const RecordingProgress& end) {
    CHECK(end.state == RecordingState::finished);
    ++ends;
  });
  TestPattern source(ring, {std::nullopt, kFrames}, [](const auto&) {});
  while (ends == 0) CHECK(recording.progress().written <= kFrames);
  source.join();
  recording.join();
  CHECK(ends == 1 && recording.progress().written == kFrames && recording.progress().dropped == 0);
  if (!form.segmentBytes) checkFile(path, kFrames);
}

// The disk is slower than a source that waits for nobody: what is not in the file is counted.
void lapped(const std::string& folder, const std::string& name, const Form& form) {
  const auto ring = ringAt(fileIn(folder, name + ".ring"));
  const std::string path = fileIn(folder, name);
  Recording recording(ring, planOf(*ring, path, form), [](const RecordingProgress&) {});
  std::vector<uint16_t> frame(kSide * kSide);
  for (uint64_t sequence = 0; sequence < 4'000; ++sequence) {
    const FrameStatistics statistics = copyAndMeasure(ring->measures(), frame.data(), ring->beginWrite());
    ring->publish({sequence, 1, 1, kNoHardwareTime, statistics});
  }
  ring->close(LastBatch{std::vector<uint8_t>(2 * kPageBytes, 6), {4'000, 1, 1, kNoHardwareTime, {}}});
  recording.join();
  const RecordingProgress end = recording.progress();
  CHECK(end.state == RecordingState::finished && end.written > 1 && end.written < 4'001 && end.written + end.dropped <= 4'001);
  checkFile(path, end.written);
}

// From two sides, at any moment, and by its own end.
void stopped(const std::string& folder) {
  for (int round = 0; round < 8; ++round) {
    const auto ring = ringAt(fileIn(folder, "stopped.ring"));
    TestPattern source(ring, {2'000.0, 100'000}, [](const auto&) {});
    Recording recording(ring, planOf(*ring, fileIn(folder, "stopped" + std::to_string(round)), {round % 2 == 0 ? BodyCodec::none : BodyCodec::lz4, false, {}}),
                        [](const RecordingProgress&) {});
    std::thread one([&] { recording.requestStop(); });
    std::thread two([&] { recording.requestStop(); });
    if (round < 4) std::this_thread::sleep_for(std::chrono::milliseconds(round));
    one.join();
    two.join();
    if (round < 6) recording.join();
  }
}

void full(const std::string& folder) {
  const auto ring = ringAt(fileIn(folder, "full.ring"));
  RecordingPlan plan = planOf(*ring, fileIn(folder, "full"));
  plan.keepFreeBytes = 1ull << 60;
  Recording recording(ring, plan, [](const RecordingProgress&) {});
  TestPattern source(ring, {std::nullopt, 4}, [](const auto&) {});
  recording.join();
  CHECK(recording.progress().reason == "disk-full" && recording.progress().state == RecordingState::finished);
  source.requestStop();
}

// The system refuses to write on in the middle of a batch.
void refused(const std::string& folder, const std::string& name, BodyCodec codec) {
  const auto ring = ringAt(fileIn(folder, name + ".ring"));
  const RecordingPlan plan = planOf(*ring, fileIn(folder, name), {codec, false, {}});
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit little{5 * plan.batchBytes + kPageBytes, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &little);
  {
    Recording recording(ring, plan, [](const RecordingProgress&) {});
    TestPattern source(ring, {2'000.0, kFrames}, [](const auto&) {});
    recording.join();
    CHECK(recording.progress().state == RecordingState::failed && recording.progress().written > 0);
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
}

}  // namespace

int main(int count, char** values) {
  const std::string folder = argument(count, values, 1);
  whole(folder, "plain", {});
  whole(folder, "buffered", {BodyCodec::none, true, {}});
  whole(folder, "lz4", {BodyCodec::lz4, false, {}});
  whole(folder, "zstd", {BodyCodec::zstd, false, {}});
  whole(folder, "segments", {BodyCodec::none, false, 100'000});
  whole(folder, "compressed-segments", {BodyCodec::lz4, false, 100'000});
  lapped(folder, "lapped", {});
  lapped(folder, "compressed-lapped", {BodyCodec::zstd, false, {}});
  stopped(folder);
  full(folder);
  refused(folder, "refused", BodyCodec::none);
}
