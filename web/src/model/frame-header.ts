/** What stands before the pixels in every message of /frames: 64 bytes, little-endian. */
export const FRAME_MAGIC = 0x4b594d46
export const FRAME_VERSION = 1
export const FRAME_HEADER_BYTES = 64
const DTYPE_UINT16 = 1
const NS_PER_MS = 1e6

export type Frame = {
  readonly sequence: number
  readonly timeMs: number
  readonly width: number
  readonly height: number
  readonly exposureSeconds: number
  /** Lost by the camera or the ring since the stream began. */
  readonly dropped: number
  /** Not sent to this viewer, who is slower than the camera. */
  readonly skipped: number
  readonly minimum: number
  readonly maximum: number
  readonly mean: number
  readonly pixels: Uint16Array
}

/** Throws with the reason when the message is not a frame that this page can show. */
export function decodeFrame(message: ArrayBuffer): Frame {
  if (message.byteLength < FRAME_HEADER_BYTES)
    throw new Error(`A frame message of ${message.byteLength} bytes is shorter than its header of ${FRAME_HEADER_BYTES}`)
  const view = new DataView(message)
  const magic = view.getUint32(0, true)
  if (magic !== FRAME_MAGIC) throw new Error(`A frame message begins with 0x${magic.toString(16)}, not 0x${FRAME_MAGIC.toString(16)}`)
  const version = view.getUint16(4, true)
  if (version !== FRAME_VERSION) throw new Error(`Frame header version ${version} is newer than this page (${FRAME_VERSION}): reload it`)
  const headerBytes = view.getUint16(6, true)
  const width = view.getUint32(24, true)
  const height = view.getUint32(28, true)
  const dtype = view.getUint32(32, true)
  if (dtype !== DTYPE_UINT16) throw new Error(`Frame pixel type ${dtype} is unknown; only 1 (uint16) is shown`)
  const bytes = width * height * Uint16Array.BYTES_PER_ELEMENT
  if (message.byteLength < headerBytes + bytes) throw new Error(`A ${width} x ${height} frame needs ${bytes} bytes; ${message.byteLength - headerBytes} came`)
  return {
    sequence: Number(view.getBigUint64(8, true)),
    timeMs: Number(view.getBigInt64(16, true)) / NS_PER_MS,
    width,
    height,
    exposureSeconds: view.getUint32(36, true) / 1e6,
    dropped: view.getUint32(40, true),
    skipped: view.getUint32(44, true),
    minimum: view.getUint16(48, true),
    maximum: view.getUint16(50, true),
    mean: view.getFloat32(52, true),
    pixels: new Uint16Array(message, headerBytes, width * height),
  }
}
