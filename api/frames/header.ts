import type { FrameHeader } from '../../core/frame.ts'

/**
 * A message of /frames: this header, then the pixels, row by row from the top, 16 bit, little-endian. Little-endian throughout:
 *
 *     0 u32 magic 0x4b594d46 ("KYMF")   4 u16 version 1    6 u16 bytes of this header, 64
 *     8 u64 sequence                   16 i64 time, ns since 1970
 *    24 u32 width                      28 u32 height
 *    32 u32 dtype (1: uint16)          36 u32 exposure, µs
 *    40 u32 dropped by the camera      44 u32 skipped for this viewer
 *    48 u16 minimum  50 u16 maximum    52 f32 mean         56..63 zero
 */
export const FRAME_MAGIC = 0x4b594d46
export const FRAME_VERSION = 1
export const FRAME_HEADER_BYTES = 64
const DTYPE_UINT16 = 1
const MAX_U32 = 0xffff_ffff

/** `skipped` counts since the viewer connected. */
export function encodeFrame(
  { sequence, time, width, height, exposureSeconds, minimum, maximum, mean, dropped }: FrameHeader,
  pixels: Uint8Array,
  skipped: number,
): Buffer {
  const message = Buffer.allocUnsafe(FRAME_HEADER_BYTES + pixels.byteLength)
  message.writeUInt32LE(FRAME_MAGIC, 0)
  message.writeUInt16LE(FRAME_VERSION, 4)
  message.writeUInt16LE(FRAME_HEADER_BYTES, 6)
  message.writeBigUInt64LE(BigInt(sequence), 8)
  message.writeBigInt64LE(time, 16)
  message.writeUInt32LE(width, 24)
  message.writeUInt32LE(height, 28)
  message.writeUInt32LE(DTYPE_UINT16, 32)
  message.writeUInt32LE(Math.min(MAX_U32, Math.round(exposureSeconds * 1e6)), 36)
  message.writeUInt32LE(Math.min(MAX_U32, dropped), 40)
  message.writeUInt32LE(Math.min(MAX_U32, skipped), 44)
  message.writeUInt16LE(Math.round(minimum), 48)
  message.writeUInt16LE(Math.round(maximum), 50)
  message.writeFloatLE(mean, 52)
  message.fill(0, 56, FRAME_HEADER_BYTES)
  message.set(pixels, FRAME_HEADER_BYTES)
  return message
}
