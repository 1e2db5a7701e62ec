#include "exclusive_file.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace kymograph {

SystemError::SystemError(const std::string& what, int code) : std::runtime_error(what + ": " + std::strerror(code)), code_(code) {}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

int Descriptor::release() { return std::exchange(fd_, -1); }

namespace {

int openExclusive(const std::string& path, bool buffered) {
  const int flags = O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC;
#ifdef O_DIRECT
  const int direct = buffered ? -1 : ::open(path.c_str(), flags | O_DIRECT, 0644);
  if (!buffered && (direct >= 0 || errno != EINVAL)) return direct;
  if (!buffered) ::unlink(path.c_str());  // some file systems create the file before they refuse the flag
#endif
  return ::open(path.c_str(), flags, 0644);
}

}  // namespace

ExclusiveFile::ExclusiveFile(const std::string& path, bool buffered) : path_(path), fd_(openExclusive(path, buffered)) {
  if (fd_.get() < 0) throw SystemError("cannot create " + path, errno);
}

void ExclusiveFile::write(const void* data, size_t bytes, uint64_t offset) {
  const char* next = static_cast<const char*>(data);
  while (bytes > 0) {
    const ssize_t written = ::pwrite(fd_.get(), next, bytes, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw SystemError("cannot write to " + path_, errno);
    if (written == 0) throw SystemError("cannot write to " + path_, ENOSPC);
    next += written;
    offset += static_cast<uint64_t>(written);
    bytes -= static_cast<size_t>(written);
  }
}

void ExclusiveFile::leaveDirect() {
#ifdef O_DIRECT
  const int flags = ::fcntl(fd_.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd_.get(), F_SETFL, flags & ~O_DIRECT) < 0) throw SystemError("cannot leave O_DIRECT on " + path_, errno);
#endif
}

void ExclusiveFile::truncate(uint64_t bytes) {
  if (::ftruncate(fd_.get(), static_cast<off_t>(bytes)) < 0) throw SystemError("cannot set the length of " + path_, errno);
}

void ExclusiveFile::syncData() {
#ifdef __APPLE__
  const int result = ::fsync(fd_.get());
#else
  const int result = ::fdatasync(fd_.get());
#endif
  if (result < 0) throw SystemError("cannot sync " + path_, errno);
}

void ExclusiveFile::syncFolder() {
  const std::string folder = std::filesystem::path(path_).parent_path();
  const Descriptor fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) < 0) throw SystemError("cannot sync the folder of " + path_, errno);
}

uint64_t ExclusiveFile::freeBytes() const {
  struct statvfs disk;
  if (::fstatvfs(fd_.get(), &disk) < 0) throw SystemError("cannot ask for the free space of " + path_, errno);
  return static_cast<uint64_t>(disk.f_bavail) * disk.f_frsize;
}

}  // namespace kymograph
