#include "recording_files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "page_buffer.h"

namespace kymograph {

std::string segmentPath(const std::string& recording, unsigned number) {
  if (number == 0) return recording;
  char suffix[16];
  std::snprintf(suffix, sizeof suffix, "-%04u", number);
  const std::filesystem::path path(recording);
  return (path.parent_path() / path.stem()).string() + suffix + path.extension().string();
}

RecordingFiles::RecordingFiles(const RecordingPlan& plan) : plan_(plan), now_(std::make_unique<Segment>(plan.path, plan.buffered)) {}

void RecordingFiles::begin() {
  const PageBuffer schema(plan_.schemaMessage.size());
  std::memcpy(schema.data(), plan_.schemaMessage.data(), plan_.schemaMessage.size());
  const ExclusiveFile::Piece piece{schema.data(), schema.size()};
  now_->file.write({&piece, 1}, 0);
  bytes_ = schema.size();
  batches_ = 0;
  now_->file.syncData();
  now_->file.syncFolder();
}

size_t RecordingFiles::makeRoom(size_t batchBytes, size_t count) {
  if (!plan_.segmentBytes) return count;
  const auto fitting = [&] { return bytes_ >= *plan_.segmentBytes ? 0 : static_cast<size_t>((*plan_.segmentBytes - bytes_) / batchBytes); };
  if (fitting() == 0 && batches_ > 0) {
    finish();
    closedBytes_ += bytes_;
    bytes_ = 0;
    now_ = std::make_unique<Segment>(segmentPath(plan_.path, ++number_), plan_.buffered);
    begin();
  }
  return std::clamp<size_t>(fitting(), 1, count);  // one that is larger than a segment has one of its own
}

void RecordingFiles::write(std::span<const ExclusiveFile::Piece> pieces) { now_->file.write(pieces, bytes_); }

void RecordingFiles::keep(BatchEntry entry) {
  entry.offset = bytes_;
  now_->index.add(entry);
  bytes_ += entry.bytes;
  ++batches_;
}

void RecordingFiles::syncData() { now_->file.syncData(); }

void RecordingFiles::finish() {
  if (bytes_ == 0) return removeEmpty();
  now_->file.leaveDirect();
  now_->file.truncate(bytes_);
  const ExclusiveFile::Piece end{plan_.endOfStream.data(), plan_.endOfStream.size()};
  now_->file.write({&end, 1}, bytes_);
  bytes_ += plan_.endOfStream.size();
  now_->file.syncData();
  now_->index.finish();
}

// The disk was full before its schema was on it.
void RecordingFiles::removeEmpty() {
  const std::string path = segmentPath(plan_.path, number_);
  for (const std::string& file : {path, path + ".index"})
    if (::unlink(file.c_str()) < 0) throw SystemError("cannot remove " + file, errno);
}

}  // namespace kymograph
