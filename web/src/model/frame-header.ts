import { unpackLz4 } from './lz4-block.ts'

/** What stands before the pixels in every message of /frames: docs/live-view.md, version 2. Little-endian, as every machine that runs a browser is. */
export const FRAME_MAGIC = 0x4b594d46
export const FRAME_VERSION = 2
export const FRAME_HEADER_BYTES = 104
const DTYPE_UINT16 = 1
const ENCODINGS = ['RAW', 'LZ4'] as const
const NO_HARDWARE_TIME = -(2n ** 63n)
const NS_PER_MS = 1e6
const NS_PER_SECOND = 1e9

export type FrameRoi = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

export type FrameHeader = {
  /** Which of this socket's views it belongs to. */
  readonly view: number
  readonly sequence: number
  readonly timeMs: number
  /** The camera's own clock, from a start of its own. */
  readonly hardwareTimeMs: number | undefined
  readonly exposureSeconds: number
  readonly width: number
  readonly height: number
  /** Of the camera: 2^bitDepth - 1 is the largest value. */
  readonly bitDepth: number
  readonly encoding: (typeof ENCODINGS)[number]
  /** Of the pixels once decoded. */
  readonly rawBytes: number
  /** What of the sensor the picture shows; one pixel of it is roi.width / width sensor pixels across. */
  readonly roi: FrameRoi
  /** Pixels of the camera's frame, across and down, whose mean is one pixel. */
  readonly bin: number
  /** Of what the picture shows, before the mean is taken. */
  readonly minimum: number
  readonly maximum: number
  readonly mean: number
  readonly saturated: number
  /** Lost by the camera or the ring since the stream began. */
  readonly dropped: number
  /** Not sent to this viewer, who is slower than the camera; since the view began. */
  readonly skipped: number
}

export type Frame = FrameHeader & { readonly pixels: Uint16Array }

/** The pixels are a view of the message unless they were packed. Throws with the reason when the message is not a frame that this page can show. */
export function decodeFrame(message: ArrayBuffer): Frame {
  const header = decodeHeader(message)
  const headerBytes = new DataView(message).getUint16(6, true)
  const { width, height, rawBytes } = header
  const payloadBytes = message.byteLength - headerBytes
  if (header.encoding === 'LZ4') {
    const pixels = new Uint16Array(width * height)
    unpackLz4(new Uint8Array(message, headerBytes), new Uint8Array(pixels.buffer))
    return { ...header, pixels }
  }
  if (payloadBytes < rawBytes) throw new Error(`A ${width} x ${height} frame needs ${rawBytes} bytes; ${payloadBytes} came`)
  return { ...header, pixels: new Uint16Array(message, headerBytes, width * height) }
}

function decodeHeader(message: ArrayBuffer): FrameHeader {
  if (message.byteLength < FRAME_HEADER_BYTES)
    throw new Error(`A frame message of ${message.byteLength} bytes is shorter than its header of ${FRAME_HEADER_BYTES}`)
  const bytes = new DataView(message)
  const magic = bytes.getUint32(0, true)
  if (magic !== FRAME_MAGIC) throw new Error(`A frame message begins with 0x${magic.toString(16)}, not 0x${FRAME_MAGIC.toString(16)}`)
  const version = bytes.getUint16(4, true)
  if (version !== FRAME_VERSION) throw new Error(`Frame header version ${version} is not the one of this page (${FRAME_VERSION}): reload it`)
  const width = bytes.getUint32(40, true)
  const height = bytes.getUint32(44, true)
  const dtype = bytes.getUint16(48, true)
  if (dtype !== DTYPE_UINT16) throw new Error(`Frame pixel type ${dtype} is unknown; only 1 (uint16) is shown`)
  const encoding = ENCODINGS[bytes.getUint16(50, true)]
  if (encoding === undefined) throw new Error(`Frame encoding ${bytes.getUint16(50, true)} is unknown; 0 (raw) and 1 (LZ4 block) are shown`)
  const rawBytes = bytes.getUint32(52, true)
  if (rawBytes !== width * height * Uint16Array.BYTES_PER_ELEMENT) throw new Error(`A ${width} x ${height} frame cannot have ${rawBytes} bytes`)
  const hardwareNs = bytes.getBigInt64(24, true)
  return {
    view: bytes.getUint16(74, true),
    sequence: Number(bytes.getBigUint64(8, true)),
    timeMs: Number(bytes.getBigInt64(16, true)) / NS_PER_MS,
    hardwareTimeMs: hardwareNs === NO_HARDWARE_TIME ? undefined : Number(hardwareNs) / NS_PER_MS,
    exposureSeconds: Number(bytes.getBigUint64(32, true)) / NS_PER_SECOND,
    width,
    height,
    bitDepth: bytes.getUint16(100, true),
    encoding,
    rawBytes,
    roi: { x: bytes.getUint32(56, true), y: bytes.getUint32(60, true), width: bytes.getUint32(64, true), height: bytes.getUint32(68, true) },
    bin: bytes.getUint16(72, true),
    minimum: bytes.getUint16(76, true),
    maximum: bytes.getUint16(78, true),
    mean: bytes.getFloat64(80, true),
    saturated: bytes.getUint32(88, true),
    dropped: bytes.getUint32(92, true),
    skipped: bytes.getUint32(96, true),
  }
}
