#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "exclusive_file.h"

namespace kymograph {

// The list of a recording's batches, in a file beside it, so that any one is one seek away and can be checked. Little-endian: a header of 64 bytes, then one
// entry for each batch, in their order. storage/batch-index.ts reads it, and makes it anew for a recording that was cut.
struct BatchEntry {
  uint64_t offset;
  uint64_t bytes;
  uint64_t sequence;
  int64_t timeNs;
  uint32_t crc32c;  // of all the batch's bytes
  uint32_t zero;
};
static_assert(sizeof(BatchEntry) == 40);

class BatchIndex {
 public:
  // Replaces what stands at `path`: without its recording, it means nothing.
  explicit BatchIndex(const std::string& path);
  void add(std::span<const BatchEntry> entries);
  // Cuts what a failed write left behind, and syncs.
  void finish();

 private:
  void write(const void* data, size_t bytes);

  std::string path_;
  Descriptor fd_;
  uint64_t bytes_ = 0;
};

}  // namespace kymograph
