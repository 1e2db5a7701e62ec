#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "comedi_transfer.h"
#include "ring.h"
#include "scan_table.h"

namespace kymograph {

// A command of inputs. Its samples are read from the file descriptor (never from the mapped buffer too) into a buffer of fixed size; when nobody takes them the
// thread waits, the board's buffer overflows, and that is the end, with an error. Every sample comes once, in order: those that were read before an error come
// before it, and what was read before the end may be taken after it.
class ComediAcquisition final : public ComediTransfer {
 public:
  // Throws std::invalid_argument when the board cannot do what is asked. `bufferScans` are kept here for whoever takes them.
  ComediAcquisition(std::shared_ptr<ComediDevice> device, const ComediAcquisitionRequest& request, uint64_t bufferScans);

  // Whole scans, at least one and at most `maximumScans`, as the board's bytes; waits for them. Nothing: it has ended as it should. Throws if it has not.
  std::vector<uint8_t> take(uint64_t maximumScans);
  // The newest whole scan; empty before the first.
  std::vector<uint8_t> latest();
  // A ring whose slots are the columns of one record batch each.
  std::shared_ptr<Ring> makeRing(const std::string& path, const ScanTable& table, uint64_t slots) const;
  // Takes everything until the end into batches of that ring, never past its recorder, and closes it; the last scans, which are less than a batch, are its
  // last one. Scans are timed by the board's clock, from the host's at the start of the command (a command that waits for a trigger: at its first scans).
  // Throws as take() does; what came before is in the ring.
  void pour(Ring& ring, const ScanTable& table);
  // Nobody records any more what is poured.
  void abandon() { abandoned_ = true; }
  // Of pour()'s last batch, once it has ended.
  uint64_t lastScans() const { return lastScans_; }

 private:
  void started() override;
  void move() override;
  bool waitForRoom();
  void append(const uint8_t* bytes, size_t count);
  void keepLatest(size_t end);
  void pourBatches(Ring& ring, const ScanColumns& columns, size_t rows, std::vector<uint8_t>& scans, uint64_t& poured);
  bool waitForRoom(Ring& ring) const;

  const std::vector<comedi::Range> ranges_;  // of its channels
  const unsigned maximumCount_;
  const size_t scanBytes_;
  const std::optional<uint64_t> expectedBytes_;
  const bool triggered_;
  std::atomic<int64_t> startNs_ = 0;  // since 1970
  std::atomic<bool> abandoned_ = false;
  std::atomic<uint64_t> lastScans_ = 0;

  // Guarded by mutex_.
  std::vector<uint8_t> buffer_;
  size_t first_ = 0;
  size_t filled_ = 0;
  uint64_t received_ = 0;
  std::vector<uint8_t> latest_;
};

}  // namespace kymograph
