#include "page_buffer.h"

#include <cstdlib>
#include <new>

#include "ring.h"

namespace kymograph {

PageBuffer::PageBuffer(size_t bytes) : bytes_(bytes), data_(static_cast<uint8_t*>(std::aligned_alloc(kPageBytes, bytes))) {
  if (!data_) throw std::bad_alloc();
}

void PageBuffer::Free::operator()(uint8_t* data) const { std::free(data); }

size_t wholePages(size_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

}  // namespace kymograph
