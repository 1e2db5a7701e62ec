#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "comedi_api.h"
#include "ring.h"

namespace kymograph {

// What storage/scan-heads.ts prepares: record batches of `rowsPerBatch` scans, one column for each input. Offsets of columns count from the body's first column,
// which stands at `columnsOffset` of the batch; each holds 8 bytes for each row.
struct ScanTable {
  std::vector<uint8_t> batchHead;
  std::vector<size_t> rowCountOffsets;  // in the head: i64, how many rows the batch has
  size_t columnsOffset;
  size_t columnsBytes;  // whole pages
  size_t rowsPerBatch;
  size_t timeOffset;
  size_t numberOffset;
  std::vector<size_t> valueOffsets;  // in the order of a scan
};

// Throws std::invalid_argument when it does not hold what it says.
void checkScanTable(const ScanTable& table, size_t channels);

// Scans as they come from a board, put into columns: when each was taken, its number from 1 on, and the value of each of its inputs in the unit of its range:
// minimum + raw / maxdata * (maximum - minimum).
class ScanColumns {
 public:
  ScanColumns(const ScanTable& table, std::vector<comedi::Range> ranges, unsigned maxdata, size_t sampleBytes);
  // `rows` scans, the first being number `firstRow` from 0 on, into the columns that begin at `columns`.
  void fill(uint8_t* columns, const uint8_t* samples, size_t rows, uint64_t firstRow, int64_t startNs, unsigned scanIntervalNs) const;
  // A whole batch of fewer rows than the others have.
  std::vector<uint8_t> shortBatch(const uint8_t* samples, size_t rows, uint64_t firstRow, int64_t startNs, unsigned scanIntervalNs) const;

 private:
  double value(const uint8_t* sample, const comedi::Range& range) const;

  const ScanTable table_;
  const std::vector<comedi::Range> ranges_;
  const unsigned maxdata_;
  const size_t sampleBytes_;
};

}  // namespace kymograph
