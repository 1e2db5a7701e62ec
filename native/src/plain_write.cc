#include "plain_write.h"

#include <chrono>
#include <stdexcept>

#include "exclusive_file.h"
#include "page_buffer.h"
#include "ring.h"

namespace kymograph {

double plainWrite(const std::string& path, size_t bytes, uint64_t count) {
  if (bytes == 0 || bytes % kPageBytes != 0) throw std::invalid_argument("bytes: must be a multiple of 4096");
  const PageBuffer buffer(bytes, Pages::huge);
  for (size_t at = 0; at < bytes; ++at) buffer.data()[at] = static_cast<uint8_t>(at * 31);
  const auto start = std::chrono::steady_clock::now();
  ExclusiveFile file(path);
  for (uint64_t done = 0; done < count; ++done) file.write(buffer.data(), bytes, done * bytes);
  file.syncData();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace kymograph
