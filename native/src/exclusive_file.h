#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace kymograph {

// An errno with the call and the path it belongs to.
class SystemError : public std::runtime_error {
 public:
  SystemError(const std::string& what, int code);
  int code() const { return code_; }

 private:
  int code_;
};

// A descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const { return fd_; }
  int release();

 private:
  int fd_;
};

// A new file for large sequential writes, past the page cache where the file system allows it (O_DIRECT), buffered where it says EINVAL, and where that is asked for.
// Addresses, lengths and offsets given to write() must be multiples of 4096 until leaveDirect().
class ExclusiveFile {
 public:
  explicit ExclusiveFile(const std::string& path, bool buffered = false);
  void write(const void* data, size_t bytes, uint64_t offset);
  void leaveDirect();
  void truncate(uint64_t bytes);
  void syncData();
  // Makes the file's name durable.
  void syncFolder();
  uint64_t freeBytes() const;

 private:
  std::string path_;
  Descriptor fd_;
};

}  // namespace kymograph
