import type { FrameEncoding, FrameHeader } from '../../core/frame.ts'

/** What stands before the pixels in a message of /frames, version 2. docs/live-view.md tells it byte by byte; little-endian. */
export const FRAME_MAGIC = 0x4b594d46 // "KYMF"
export const FRAME_VERSION = 2
export const FRAME_HEADER_BYTES = 104
const DTYPE_UINT16 = 1
const ENCODINGS: Readonly<Record<FrameEncoding, number>> = { RAW: 0, LZ4: 1 }
const NO_HARDWARE_TIME = -(2n ** 63n)
const MAX_U32 = 0xffff_ffff
const BYTES_PER_PIXEL = 2

/** `view`: which of the viewer's. `skipped`: since the view began, frames of it that this viewer was too slow for. Counts that are too large stop at the largest. */
export function encodeHeader(header: FrameHeader, view: number, skipped: number): Buffer {
  const { width, height, roi } = header
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES)
  bytes.writeUInt32LE(FRAME_MAGIC, 0)
  bytes.writeUInt16LE(FRAME_VERSION, 4)
  bytes.writeUInt16LE(FRAME_HEADER_BYTES, 6)
  bytes.writeBigUInt64LE(BigInt(header.sequence), 8)
  bytes.writeBigInt64LE(header.time, 16)
  bytes.writeBigInt64LE(header.hardwareTime ?? NO_HARDWARE_TIME, 24)
  bytes.writeBigUInt64LE(BigInt(Math.round(header.exposureSeconds * 1e9)), 32)
  bytes.writeUInt32LE(width, 40)
  bytes.writeUInt32LE(height, 44)
  bytes.writeUInt16LE(DTYPE_UINT16, 48)
  bytes.writeUInt16LE(ENCODINGS[header.encoding], 50)
  bytes.writeUInt32LE(width * height * BYTES_PER_PIXEL, 52)
  bytes.writeUInt32LE(roi.x, 56)
  bytes.writeUInt32LE(roi.y, 60)
  bytes.writeUInt32LE(roi.width, 64)
  bytes.writeUInt32LE(roi.height, 68)
  bytes.writeUInt16LE(header.bin, 72)
  bytes.writeUInt16LE(view, 74)
  bytes.writeUInt16LE(header.minimum, 76)
  bytes.writeUInt16LE(header.maximum, 78)
  bytes.writeDoubleLE(header.mean, 80)
  bytes.writeUInt32LE(Math.min(MAX_U32, header.saturated), 88)
  bytes.writeUInt32LE(Math.min(MAX_U32, header.dropped), 92)
  bytes.writeUInt32LE(Math.min(MAX_U32, skipped), 96)
  bytes.writeUInt16LE(header.bitDepth, 100)
  return bytes
}
