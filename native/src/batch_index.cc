#include "batch_index.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace kymograph {

namespace {

struct Header {
  char magic[8] = {'K', 'Y', 'M', 'O', 'I', 'N', 'D', 'X'};
  uint32_t version = 1;
  uint32_t entryBytes = sizeof(BatchEntry);
  uint8_t zero[48] = {};
};
static_assert(sizeof(Header) == 64);

}  // namespace

BatchIndex::BatchIndex(const std::string& path) : path_(path), fd_(::open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644)) {
  if (fd_.get() < 0) throw SystemError("cannot create " + path, errno);
  const Header header;
  write(&header, sizeof header);
}

void BatchIndex::add(std::span<const BatchEntry> entries) { write(entries.data(), entries.size_bytes()); }

void BatchIndex::write(const void* data, size_t bytes) {
  size_t done = 0;
  while (done < bytes) {
    const ssize_t written = ::pwrite(fd_.get(), static_cast<const char*>(data) + done, bytes - done, static_cast<off_t>(bytes_ + done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw SystemError("cannot write to " + path_, written < 0 ? errno : ENOSPC);
    done += static_cast<size_t>(written);
  }
  bytes_ += bytes;
}

void BatchIndex::finish() {
  if (::ftruncate(fd_.get(), static_cast<off_t>(bytes_)) < 0) throw SystemError("cannot set the length of " + path_, errno);
  if (::fsync(fd_.get()) < 0) throw SystemError("cannot sync " + path_, errno);
}

}  // namespace kymograph
