// A simulated board: commands to their end, endless, overflowed and cut short, beside single calls from other threads; poured into a ring; and played.
#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "check.h"
#include "comedi_acquisition.h"
#include "comedi_counter.h"
#include "comedi_device.h"
#include "comedi_library.h"
#include "comedi_playback.h"
#include "scan_table.h"

using namespace kymograph;
using namespace std::chrono_literals;

namespace {

constexpr const char* kBoard = "/dev/comedi0";
constexpr unsigned kChannels = 4;
constexpr uint64_t kScanNs = 100'000;
constexpr unsigned kAnalogIn = 0, kAnalogOut = 1, kDigital = 2, kCounter = 11;

std::string library;

// Read by the library when a board is opened.
void setBench(const std::string& text) { std::ofstream(library + ".bench") << text; }

std::shared_ptr<ComediDevice> open() { return std::make_shared<ComediDevice>(ComediLibrary::load(library), kBoard); }

ComediAcquisitionRequest request(std::optional<uint64_t> scans) {
  ComediAcquisitionRequest wanted{};
  wanted.subdevice = kAnalogIn;
  for (unsigned channel = 0; channel < kChannels; ++channel) wanted.channels.push_back({kAnalogIn, channel, 0, 0});
  wanted.scanIntervalNs = kScanNs;
  wanted.scans = scans;
  return wanted;
}

// Each sample of the ramp once and in order, to the end; how many.
uint64_t takeAll(ComediAcquisition& acquisition) {
  uint64_t samples = 0;
  for (;;) {
    const std::vector<uint8_t> taken = acquisition.take(100);
    if (taken.empty()) return samples;
    for (size_t at = 0; at < taken.size(); at += 2) CHECK((taken[at] | taken[at + 1] << 8) == static_cast<uint16_t>(samples++));
  }
}

void finite() {
  setBench("pace 20\nramp 1\n");
  const auto board = open();
  const auto acquisition = beginTransfer<ComediAcquisition>(board, request(2'000), 128);
  std::atomic<bool> over = false;
  std::thread others([&] {
    for (unsigned turn = 0; !over; ++turn) {
      board->configureLine(kDigital, turn % 8, true);
      board->bits(kDigital, 0xff, turn, 0);
      board->write({kAnalogOut, 0, 0, 0}, turn % 65536);
      ComediCounter(*board, kCounter).start();
    }
  });
  CHECK(takeAll(*acquisition) == 2'000 * kChannels);
  over = true;
  others.join();
}

void endless() {
  setBench("pace 20\nramp 1\n");
  const auto board = open();
  for (int round = 0; round < 4; ++round) {
    const auto acquisition = beginTransfer<ComediAcquisition>(board, request(std::nullopt), 64);
    std::thread stops([&] {
      std::this_thread::sleep_for(10ms);
      acquisition->stop();
    });
    takeAll(*acquisition);
    stops.join();
  }
  // cut short while nobody takes anything
  for (int round = 0; round < 4; ++round) beginTransfer<ComediAcquisition>(board, request(std::nullopt), 1)->stop();
}

void overflow() {
  setBench("pace 20\nramp 1\nbuffer 4096\n");
  const auto board = open();
  const auto acquisition = beginTransfer<ComediAcquisition>(board, request(std::nullopt), 16);
  std::this_thread::sleep_for(100ms);  // 20 000 scans for a buffer of 512
  CHECK_THROWS(ComediError, takeAll(*acquisition));
}

ScanTable table(size_t rows) {
  ScanTable made{};
  made.batchHead.assign(256, 0);
  made.rowCountOffsets = {64, 128};
  made.columnsOffset = kPageBytes;
  made.rowsPerBatch = rows;
  made.columnsBytes = ((kChannels + 2) * rows * 8 + kPageBytes - 1) / kPageBytes * kPageBytes;
  made.numberOffset = rows * 8;
  for (unsigned channel = 0; channel < kChannels; ++channel) made.valueOffsets.push_back((channel + 2) * rows * 8);
  return made;
}

// By a recorder that is slower than the board, stopped or left in the middle, and to a last batch that is less than the others.
void poured(const std::string& path, std::optional<uint64_t> scans, bool left) {
  setBench("pace 20\nramp 1\nbuffer 4194304\n");
  const auto board = open();
  const auto acquisition = beginTransfer<ComediAcquisition>(board, request(scans), 1'024);
  const ScanTable columns = table(100);
  const auto ring = acquisition->makeRing(path, columns, 4);
  std::thread recorder([&] {
    for (uint64_t next = 0; ring->waitFor(next, 50ms) || !ring->closed(); ++next) {
      if (left && next == 3) acquisition->abandon();
      if (left && next > 3) break;
      const auto* number = reinterpret_cast<const int64_t*>(reinterpret_cast<const uint8_t*>(ring->pixels(next)) + columns.numberOffset);
      if (ring->published() > next) CHECK(*number == static_cast<int64_t>(next * columns.rowsPerBatch + 1));
      ring->noteRecorded(next + 1);
    }
  });
  std::thread stops([&] {
    if (scans || left) return;
    std::this_thread::sleep_for(20ms);
    acquisition->stop();
  });
  if (left) CHECK_THROWS(std::exception, acquisition->pour(*ring, columns));
  else acquisition->pour(*ring, columns);
  recorder.join();
  stops.join();
  if (!scans) return;
  CHECK(ring->published() == *scans / columns.rowsPerBatch && acquisition->lastScans() == *scans % columns.rowsPerBatch);
  CHECK(ring->takeLast()->bytes.size() == columns.columnsOffset + columns.columnsBytes);
}

ComediWaveform waveform(std::optional<uint64_t> repeats) {
  ComediWaveform wanted{};
  wanted.subdevice = kAnalogOut;
  for (unsigned channel = 0; channel < 2; ++channel) wanted.channels.push_back({kAnalogOut, channel, 0, 0});
  wanted.scanIntervalNs = kScanNs;
  for (uint32_t sample = 0; sample < 500; ++sample) wanted.samples.push_back(sample * 100);
  wanted.repeats = repeats;
  return wanted;
}

// While the inputs are sampled and others call: to its end, stopped by another thread while one waits for it, left, and with an underrun.
void played() {
  setBench("pace 20\nbuffer 4194304\n");
  const auto board = open();
  {
    const auto acquisition = beginTransfer<ComediAcquisition>(board, request(std::nullopt), 65'536);
    const auto playback = beginTransfer<ComediPlayback>(board, waveform(40));
    CHECK_THROWS(ComediError, board->write({kAnalogOut, 0, 0, 0}, 1));
    playback->waitForEnd();
    board->write({kAnalogOut, 0, 0, 0}, 1);
    acquisition->stop();
  }
  for (int round = 0; round < 4; ++round) {
    const auto playback = beginTransfer<ComediPlayback>(board, waveform(std::nullopt));
    std::thread stops([&] {
      std::this_thread::sleep_for(10ms);
      playback->stop();
    });
    playback->waitForEnd();
    stops.join();
  }
  for (int round = 0; round < 4; ++round) beginTransfer<ComediPlayback>(board, waveform(std::nullopt))->stop();
  setBench("pace 20\nbuffer 200\n");
  const auto starved = beginTransfer<ComediPlayback>(board, waveform(std::nullopt));
  CHECK_THROWS(ComediError, starved->waitForEnd());
}

// By everybody who could stop it: its thread ends it, and is the last to hold the board.
void forgotten() {
  setBench("pace 20\n");
  std::weak_ptr<ComediDevice> board;
  {
    const auto opened = open();
    board = opened;
    beginTransfer<ComediAcquisition>(opened, request(std::nullopt), 64);
    beginTransfer<ComediPlayback>(opened, waveform(std::nullopt));
  }
  const auto deadline = std::chrono::steady_clock::now() + 30s;
  while (!board.expired() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(1ms);
  CHECK(board.expired());
}

// Opened and closed by several at once: one library for all of them, unloaded in between.
void opened() {
  setBench("");
  std::vector<std::thread> openers;
  for (int each = 0; each < 3; ++each)
    openers.emplace_back([] {
      for (int round = 0; round < 10; ++round) CHECK(open()->read({kAnalogIn, 0, 0, 0}) <= 65'535);
    });
  for (auto& opener : openers) opener.join();
}

}  // namespace

int main(int count, char** values) {
  const std::string folder = argument(count, values, 1);
  library = argument(count, values, 2);
  opened();
  finite();
  endless();
  overflow();
  played();
  forgotten();
  poured(fileIn(folder, "finite.ring"), 1'250, false);
  poured(fileIn(folder, "endless.ring"), std::nullopt, false);
  poured(fileIn(folder, "left.ring"), std::nullopt, true);
}
