#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace kymograph {

// Huge: where the system lends them, for memory that is filled and written at speed; a disk's request then has a few pieces and not thousands.
enum class Pages { small, huge };

// Memory that O_DIRECT accepts; not cleared. `bytes` is a multiple of 4096.
class PageBuffer {
 public:
  explicit PageBuffer(size_t bytes, Pages pages = Pages::small);
  uint8_t* data() const { return data_.get(); }
  size_t size() const { return bytes_; }

 private:
  struct Free {
    void operator()(uint8_t* data) const;
  };
  size_t bytes_;
  std::unique_ptr<uint8_t[], Free> data_;
};

// The next multiple of 4096.
size_t wholePages(size_t bytes);

}  // namespace kymograph
