#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "batch_index.h"
#include "batch_plan.h"
#include "exclusive_file.h"

namespace kymograph {

// The files of one recording: whole Arrow IPC streams one after the other, each with its index beside it. The first has the name that was given, the second
// has -0001 before the extension, and so on. A batch is in one file, whole.
class RecordingFiles {
 public:
  // Makes the first; throws SystemError. `plan` stays.
  explicit RecordingFiles(const RecordingPlan& plan);

  // A schema, nothing else, on the disk.
  void begin();
  // Of all files so far, without the end marker of the one that is being written.
  uint64_t bytes() const { return closedBytes_ + bytes_; }
  // How many of these batches still go into this file, at least one; ends it and begins the next where none does.
  size_t makeRoom(std::span<const BatchEntry> batches);
  // Behind the last batch that was kept. Without keep() it is void, and the next write takes its place.
  void write(const uint8_t* data, size_t bytes);
  // These batches, which were written, are in the file; all or, when this throws, none. Their offsets are filled in here.
  void keep(std::span<const BatchEntry> batches);
  void syncData();
  uint64_t freeBytes() const { return now_->file.freeBytes(); }
  // Cuts what is void, ends the stream.
  void finish();

 private:
  struct Segment {
    ExclusiveFile file;
    BatchIndex index;
  };

  std::unique_ptr<Segment> makeSegment() const;
  std::string path() const;
  void writeEnd();
  void removeEmpty() const;

  const RecordingPlan& plan_;
  unsigned number_ = 0;
  std::unique_ptr<Segment> now_;
  uint64_t bytes_ = 0;
  uint64_t batches_ = 0;
  uint64_t closedBytes_ = 0;
  std::vector<BatchEntry> entries_;
};

// Of segment `number` of a recording.
std::string segmentPath(const std::string& recording, unsigned number);

}  // namespace kymograph
