#include "plain_copy.h"

#include <cstring>
#include <stdexcept>
#include <vector>

#include "test_pattern.h"
#include "writer.h"

namespace kymograph {

ThreadTimes plainCopy(size_t bytes, size_t places, uint64_t count) {
  if (bytes == 0 || bytes % kPageBytes != 0 || places == 0) throw std::invalid_argument("bytes: must be a multiple of 4096, and there must be places");
  std::vector<PageBuffer> sources;
  std::vector<PageBuffer> targets;
  for (size_t at = 0; at < kCopiedFrames; ++at) std::memset(sources.emplace_back(bytes).data(), static_cast<int>(at), bytes);
  for (size_t at = 0; at < places; ++at) std::memset(targets.emplace_back(bytes).data(), 1, bytes);  // as a ring, it is there before the clock starts
  const ThreadStopwatch watch;
  for (uint64_t done = 0; done < count; ++done) std::memcpy(targets[done % places].data(), sources[done % kCopiedFrames].data(), bytes);
  return watch.elapsed();
}

}  // namespace kymograph
