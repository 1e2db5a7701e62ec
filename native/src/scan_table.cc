#include "scan_table.h"

#include <cstring>
#include <stdexcept>
#include <utility>

namespace kymograph {

namespace {

constexpr size_t kCellBytes = 8;

void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

}  // namespace

void checkScanTable(const ScanTable& table, size_t channels) {
  require(table.rowsPerBatch > 0, "rowsPerBatch: at least 1");
  require(table.valueOffsets.size() == channels, "valueOffsets: one for each channel");
  require(table.columnsBytes > 0 && table.columnsBytes % kPageBytes == 0, "columnsBytes: must be a multiple of 4096");
  require(table.columnsOffset >= table.batchHead.size(), "batchHead: may not reach into the columns");
  require(table.rowsPerBatch <= table.columnsBytes / kCellBytes, "rowsPerBatch: more than the columns hold");
  const size_t last = table.columnsBytes - table.rowsPerBatch * kCellBytes;
  require(table.timeOffset <= last && table.numberOffset <= last, "the columns must lie within their bytes");
  for (const size_t offset : table.valueOffsets) require(offset <= last, "valueOffsets: the columns must lie within their bytes");
  for (const size_t offset : table.rowCountOffsets) require(offset + kCellBytes <= table.batchHead.size(), "rowCountOffsets: must lie in the head");
}

ScanColumns::ScanColumns(const ScanTable& table, std::vector<comedi::Range> ranges, unsigned maxdata, size_t sampleBytes)
    : table_(table), ranges_(std::move(ranges)), maxdata_(maxdata), sampleBytes_(sampleBytes) {}

double ScanColumns::value(const uint8_t* sample, const comedi::Range& range) const {
  uint32_t raw = 0;
  std::memcpy(&raw, sample, sampleBytes_);  // little-endian, as everything here
  return range.minimum + static_cast<double>(raw) / maxdata_ * (range.maximum - range.minimum);
}

void ScanColumns::fill(uint8_t* columns, const uint8_t* samples, size_t rows, uint64_t firstRow, int64_t startNs, unsigned scanIntervalNs) const {
  for (size_t row = 0; row < rows; ++row) {
    const uint64_t before = firstRow + row;
    const int64_t timeNs = startNs + static_cast<int64_t>(before * scanIntervalNs);
    const auto number = static_cast<int64_t>(before + 1);
    std::memcpy(columns + table_.timeOffset + row * kCellBytes, &timeNs, kCellBytes);
    std::memcpy(columns + table_.numberOffset + row * kCellBytes, &number, kCellBytes);
  }
  for (size_t channel = 0; channel < ranges_.size(); ++channel) {
    const uint8_t* sample = samples + channel * sampleBytes_;
    uint8_t* cell = columns + table_.valueOffsets[channel];
    for (size_t row = 0; row < rows; ++row, sample += ranges_.size() * sampleBytes_, cell += kCellBytes) {
      const double converted = value(sample, ranges_[channel]);
      std::memcpy(cell, &converted, kCellBytes);
    }
  }
}

std::vector<uint8_t> ScanColumns::shortBatch(const uint8_t* samples, size_t rows, uint64_t firstRow, int64_t startNs, unsigned scanIntervalNs) const {
  std::vector<uint8_t> batch(table_.columnsOffset + table_.columnsBytes);
  std::memcpy(batch.data(), table_.batchHead.data(), table_.batchHead.size());
  const auto count = static_cast<int64_t>(rows);
  for (const size_t offset : table_.rowCountOffsets) std::memcpy(batch.data() + offset, &count, sizeof count);
  fill(batch.data() + table_.columnsOffset, samples, rows, firstRow, startNs, scanIntervalNs);
  return batch;
}

}  // namespace kymograph
