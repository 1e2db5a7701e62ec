#include "body_codec.h"

#include <lz4frame.h>
#include <zstd.h>

#include <new>
#include <stdexcept>
#include <string>

namespace kymograph {

namespace {

// The noise in the low bits of a camera's pixels cannot be compressed: higher levels cost several times the time and gain a few percent.
constexpr int kZstdLevel = 1;

LZ4F_preferences_t preferences(size_t bytes) {
  LZ4F_preferences_t chosen = LZ4F_INIT_PREFERENCES;
  chosen.frameInfo.blockSizeID = LZ4F_max4MB;
  chosen.frameInfo.blockMode = LZ4F_blockIndependent;
  chosen.frameInfo.contentSize = bytes;
  chosen.autoFlush = 1;
  return chosen;
}

[[noreturn]] void damaged(const char* codec, const std::string& why) { throw std::invalid_argument(std::string("bytes: no whole ") + codec + " frame of the expected size: " + why); }

void decompressLz4(const void* from, size_t bytes, void* into, size_t room) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION))) throw std::bad_alloc();
  const std::unique_ptr<LZ4F_dctx, LZ4F_errorCode_t (*)(LZ4F_dctx*)> context(raw, LZ4F_freeDecompressionContext);
  LZ4F_decompressOptions_t options{};
  options.stableDst = 1;
  size_t taken = 0;
  size_t made = 0;
  for (;;) {
    size_t out = room - made;
    size_t in = bytes - taken;
    const size_t hint = LZ4F_decompress(raw, static_cast<char*>(into) + made, &out, static_cast<const char*>(from) + taken, &in, &options);
    if (LZ4F_isError(hint)) damaged("LZ4", LZ4F_getErrorName(hint));
    taken += in;
    made += out;
    if (hint == 0) break;
    if (in == 0 && out == 0) damaged("LZ4", "it ends too early or is too long");
  }
  if (made != room || taken != bytes) damaged("LZ4", "its size is another");
}

void decompressZstd(const void* from, size_t bytes, void* into, size_t room) {
  const size_t made = ZSTD_decompress(into, room, from, bytes);
  if (ZSTD_isError(made)) damaged("ZSTD", ZSTD_getErrorName(made));
  if (made != room) damaged("ZSTD", "its size is another");
}

}  // namespace

size_t compressBound(BodyCodec codec, size_t bytes) {
  if (codec == BodyCodec::none) return bytes;
  if (codec == BodyCodec::zstd) return ZSTD_compressBound(bytes);
  const LZ4F_preferences_t chosen = preferences(bytes);
  return LZ4F_compressFrameBound(bytes, &chosen);
}

void BodyCompressor::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

BodyCompressor::BodyCompressor(BodyCodec codec) : codec_(codec), zstd_(codec == BodyCodec::zstd ? ZSTD_createCCtx() : nullptr) {
  if (codec == BodyCodec::none) throw std::invalid_argument("compression: none is no codec");
  if (codec == BodyCodec::zstd && !zstd_) throw std::bad_alloc();
}

size_t BodyCompressor::compress(const void* from, size_t bytes, void* into, size_t room) {
  if (codec_ == BodyCodec::zstd) {
    const size_t made = ZSTD_compressCCtx(zstd_.get(), into, room, from, bytes, kZstdLevel);
    if (ZSTD_isError(made)) throw std::runtime_error(std::string("ZSTD: ") + ZSTD_getErrorName(made));
    return made;
  }
  const LZ4F_preferences_t chosen = preferences(bytes);
  const size_t made = LZ4F_compressFrame(into, room, from, bytes, &chosen);
  if (LZ4F_isError(made)) throw std::runtime_error(std::string("LZ4: ") + LZ4F_getErrorName(made));
  return made;
}

void decompress(BodyCodec codec, const void* from, size_t bytes, void* into, size_t room) {
  if (codec == BodyCodec::lz4) return decompressLz4(from, bytes, into, room);
  if (codec == BodyCodec::zstd) return decompressZstd(from, bytes, into, room);
  throw std::invalid_argument("codec: none");
}

}  // namespace kymograph
