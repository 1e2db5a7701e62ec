#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

struct ZSTD_CCtx_s;

namespace kymograph {

// How the pixels of a recording are compressed: the two codecs of Arrow's BodyCompression (Message.fbs), LZ4 as frames (LZ4_FRAME).
enum class BodyCodec { none, lz4, zstd };

// The most bytes that `bytes` can become.
size_t compressBound(BodyCodec codec, size_t bytes);

// Compresses one buffer at a time, each to a whole frame of its codec that tells its content's size. One for each thread.
class BodyCompressor {
 public:
  explicit BodyCompressor(BodyCodec codec);
  // The bytes that it took; `room` is at least compressBound. Throws std::runtime_error.
  size_t compress(const void* from, size_t bytes, void* into, size_t room);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  BodyCodec codec_;
  std::unique_ptr<ZSTD_CCtx_s, Free> zstd_;
};

// Throws std::invalid_argument unless `from` is exactly one whole frame of that codec with `room` bytes of content.
void decompress(BodyCodec codec, const void* from, size_t bytes, void* into, size_t room);

}  // namespace kymograph
