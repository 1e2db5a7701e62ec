// The simulated cameras: two at once, started and stopped from several sides, losing and spoiling frames, recorded, pulled out while they stream.
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include "check.h"
#include "pvcam_camera.h"
#include "pvcam_library.h"

using namespace kymograph;
using namespace std::chrono_literals;

namespace {

constexpr uint32_t kSide = 64;
constexpr uint32_t kMetadataEnabled = 0x0B0300A8;

std::string library;

PvcamStart startOf(const std::string& ringPath, std::optional<uint64_t> frames, uint32_t binning = 1) {
  PvcamStart start{};
  start.regions = {{0, 0, kSide, kSide}};
  start.binningX = start.binningY = binning;
  start.exposureSeconds = 0.0001;
  start.ringPath = ringPath;
  start.ringSlots = 4;
  start.frames = frames;
  return start;
}

// Each stamp once, in order, whatever the ring has lost meanwhile.
void follow(const Ring& ring, std::atomic<uint64_t>& seen) {
  uint64_t next = 0;
  int64_t before = -1;
  while (!ring.closed() || next < ring.published()) {
    const Ring::Stamps taken = ring.stamps(next, 8);
    next = taken.first + taken.stamps.size();
    for (const FrameStamp& stamp : taken.stamps) {
      CHECK(static_cast<int64_t>(stamp.sequence) > before);
      before = static_cast<int64_t>(stamp.sequence);
      ++seen;
    }
    std::this_thread::yield();
  }
}

uint64_t streamed(PvcamCamera& camera, const std::string& ringPath, uint64_t frames, uint32_t binning) {
  std::atomic<uint64_t> seen = 0;
  const auto ring = camera.start(startOf(ringPath, frames, binning));
  CHECK_THROWS(std::exception, camera.start(startOf(ringPath + "2", frames)));
  std::thread follower([&] { follow(*ring, seen); });
  while (camera.streaming()) CHECK(camera.statistics().produced <= frames);
  follower.join();
  return seen;
}

void bothAtOnce(const std::string& folder) {
  const auto loaded = PvcamLibrary::load(library);
  std::vector<std::thread> threads;
  for (const std::string& name : loaded->cameras())
    threads.emplace_back([&, name] {
      PvcamCamera camera(loaded, name);
      for (uint32_t round = 0; round < 3; ++round) CHECK(streamed(camera, fileIn(folder, name + ".ring"), 100, 1 + round % 2) == 100);
      camera.set(kMetadataEnabled, true);
      CHECK(streamed(camera, fileIn(folder, name + ".ring"), 100, 1) == 100);
    });
  for (auto& thread : threads) thread.join();
}

// Stopped by two at once, at any moment, and by its destructor.
void stopped(const std::string& folder) {
  const auto loaded = PvcamLibrary::load(library);
  for (int round = 0; round < 12; ++round) {
    PvcamCamera camera(loaded, loaded->cameras().front());
    const auto ring = camera.start(startOf(fileIn(folder, "stopped.ring"), std::nullopt));
    if (round % 3 > 0) std::this_thread::sleep_for(std::chrono::milliseconds(round));
    if (round % 3 == 2) continue;
    std::thread other([&] { camera.stop(); });
    camera.stop();
    other.join();
    CHECK(ring->closed() && !camera.streaming());
  }
}

// Frames that never come, and frames whose metadata is garbage, are counted as lost.
void unlucky(const std::string& folder) {
  ::setenv("KYMOGRAPH_PVCAM_SIM_LOSE_EVERY", "7", 1);
  ::setenv("KYMOGRAPH_PVCAM_SIM_SPOIL_EVERY", "11", 1);
  {
    const auto loaded = PvcamLibrary::load(library);
    PvcamCamera camera(loaded, loaded->cameras().front());
    camera.set(kMetadataEnabled, true);
    CHECK(streamed(camera, fileIn(folder, "unlucky.ring"), 100, 1) == 100);
    CHECK(camera.statistics().lost > 0);
  }
  ::unsetenv("KYMOGRAPH_PVCAM_SIM_LOSE_EVERY");
  ::unsetenv("KYMOGRAPH_PVCAM_SIM_SPOIL_EVERY");
}

void pulledOut(const std::string& folder) {
  const auto loaded = PvcamLibrary::load(library);
  PvcamCamera camera(loaded, loaded->cameras().front());
  std::atomic<int> told = 0;
  camera.events()->onRemoved([&] { ++told; });
  const auto ring = camera.start(startOf(fileIn(folder, "removed.ring"), std::nullopt));
  while (ring->published() < 5) std::this_thread::yield();
  std::ofstream(library + ".unplugged") << "";
  while (camera.streaming()) std::this_thread::sleep_for(1ms);
  CHECK(ring->closed() && camera.statistics().ended);
  camera.stop();
  camera.events()->onRemoved(nullptr);
  std::filesystem::remove(library + ".unplugged");
}

// Loaded and unloaded by several at once: one library, initialised once at a time.
void loaded() {
  std::vector<std::thread> loaders;
  for (int each = 0; each < 3; ++each)
    loaders.emplace_back([] {
      for (int round = 0; round < 20; ++round) CHECK(PvcamLibrary::load(library)->cameras().size() == 2);
    });
  for (auto& loader : loaders) loader.join();
}

}  // namespace

int main(int count, char** values) {
  const std::string folder = argument(count, values, 1);
  library = argument(count, values, 2);
  ::setenv("PVCAM_VERSION", "7.1.1.118", 1);
  ::setenv("KYMOGRAPH_PVCAM_SIM_SIZE", "64x64", 1);
  loaded();
  bothAtOnce(folder);
  stopped(folder);
  unlucky(folder);
  pulledOut(folder);
}
