#include "recording_files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "page_buffer.h"

namespace kymograph {

std::string segmentPath(const std::string& recording, unsigned number) {
  if (number == 0) return recording;
  char suffix[16];
  std::snprintf(suffix, sizeof suffix, "-%04u", number);
  const std::filesystem::path path(recording);
  return (path.parent_path() / path.stem()).string() + suffix + path.extension().string();
}

RecordingFiles::RecordingFiles(const RecordingPlan& plan) : plan_(plan), now_(makeSegment()) {}

std::string RecordingFiles::path() const { return segmentPath(plan_.path, number_); }

// Both files or none.
std::unique_ptr<RecordingFiles::Segment> RecordingFiles::makeSegment() const {
  ExclusiveFile file(path(), plan_.buffered);
  try {
    return std::make_unique<Segment>(std::move(file), BatchIndex(path() + ".index"));
  } catch (...) {
    removeEmpty();
    throw;
  }
}

void RecordingFiles::begin() {
  const PageBuffer schema(plan_.schemaMessage.size());
  std::memcpy(schema.data(), plan_.schemaMessage.data(), plan_.schemaMessage.size());
  now_->file.write(schema.data(), schema.size(), 0);
  bytes_ = schema.size();
  batches_ = 0;
  now_->file.syncData();
  now_->file.syncFolder();
}

size_t RecordingFiles::makeRoom(std::span<const BatchEntry> batches) {
  if (!plan_.segmentBytes) return batches.size();
  const auto fitting = [&] {
    uint64_t end = bytes_;
    const auto over = std::ranges::find_if(batches, [&](const BatchEntry& batch) { return (end += batch.bytes) > *plan_.segmentBytes; });
    return static_cast<size_t>(over - batches.begin());
  };
  if (fitting() == 0 && batches_ > 0) {
    finish();
    closedBytes_ += bytes_;
    bytes_ = 0;
    ++number_;
    now_ = makeSegment();
    begin();
  }
  return std::max<size_t>(fitting(), 1);  // one that is larger than a segment has one of its own
}

void RecordingFiles::write(const uint8_t* data, size_t bytes) { now_->file.write(data, bytes, bytes_); }

void RecordingFiles::keep(std::span<const BatchEntry> batches) {
  entries_.assign(batches.begin(), batches.end());
  uint64_t end = bytes_;
  for (BatchEntry& entry : entries_) {
    entry.offset = end;
    end += entry.bytes;
  }
  now_->index.add(entries_);
  bytes_ = end;
  batches_ += batches.size();
}

void RecordingFiles::syncData() { now_->file.syncData(); }

void RecordingFiles::finish() {
  if (bytes_ == 0) return removeEmpty();
  now_->file.leaveDirect();
  now_->file.truncate(bytes_);
  writeEnd();
  now_->file.syncData();
  now_->index.finish();
}

// An Arrow stream ends with its marker or with its file: on a full disk it is the file.
void RecordingFiles::writeEnd() {
  try {
    now_->file.write(plan_.endOfStream.data(), plan_.endOfStream.size(), bytes_);
    bytes_ += plan_.endOfStream.size();
  } catch (const SystemError& error) {
    if (error.code() != ENOSPC) throw;
    now_->file.truncate(bytes_);
  }
}

// The disk was full before its schema was on it, or before it was made at all.
void RecordingFiles::removeEmpty() const {
  for (const std::string& file : {path(), path() + ".index"})
    if (::unlink(file.c_str()) < 0 && errno != ENOENT) throw SystemError("cannot remove " + file, errno);
}

}  // namespace kymograph
