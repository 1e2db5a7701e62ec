#include "page_buffer.h"

#include <sys/mman.h>

#include <cstdlib>
#include <new>

#include "ring.h"

namespace kymograph {

namespace {

constexpr size_t kHugePageBytes = size_t{2} << 20;  // of x86-64, and of arm64 with pages of 4 KiB

uint8_t* allocate(size_t bytes, bool huge) {
  void* data = nullptr;
  if (::posix_memalign(&data, huge ? kHugePageBytes : kPageBytes, bytes) != 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  if (huge) ::madvise(data, bytes, MADV_HUGEPAGE);  // a wish: small pages do as well, slower
#endif
  return static_cast<uint8_t*>(data);
}

}  // namespace

PageBuffer::PageBuffer(size_t bytes, Pages pages) : bytes_(bytes), data_(allocate(bytes, pages == Pages::huge && bytes >= kHugePageBytes)) {}

void PageBuffer::Free::operator()(uint8_t* data) const { std::free(data); }

size_t wholePages(size_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes * kPageBytes; }

}  // namespace kymograph
