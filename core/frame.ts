import type { Roi } from './device.ts'
import type { WallNs } from './time.ts'

/** FULL: every pixel. PREVIEW: 2x2 mean. FAST: 4x4 mean. */
export type FrameQuality = 'FULL' | 'PREVIEW' | 'FAST'
export const FRAME_BIN: Readonly<Record<FrameQuality, 1 | 2 | 4>> = { FULL: 1, PREVIEW: 2, FAST: 4 }

export const MAX_FRAME_RATE_HZ = 60 // of a live view: no screen shows more
export const MIN_FRAME_RATE_HZ = 0.001 // one in a quarter of an hour: who wants fewer takes a thumbnail

/** Whether live pictures are packed on their way; a picture that would not become smaller comes as it is. */
export type StreamCompression = 'NONE' | 'LZ4'

/** What a viewer wants of a camera's frames. */
export type FrameView = {
  readonly quality: FrameQuality
  /** Of the sensor, in its pixels, whatever the camera itself is set to; absent: all that the camera reads out. */
  readonly roi?: Roi
  readonly compression: StreamCompression
  /** Without pixels; the header is that of the whole frame. */
  readonly headerOnly?: true
}

/** Which frame of a camera: `stream` counts its starts, because each begins to count frames again. */
export type FrameMark = { readonly stream: number; readonly sequence: number }

/** `pixels` as the header says they are encoded; empty for a view without them. */
export type FramePicture = { readonly header: FrameHeader; readonly pixels: Uint8Array; readonly mark: FrameMark }

/** Of the pixels behind a header: as they are, or one block of LZ4 (without a frame around it). */
export type FrameEncoding = 'RAW' | 'LZ4'

/** One picture beside its pixels, which are `width * height` of them once they are decoded. */
export type FrameHeader = {
  readonly sequence: number
  /** Host time at the end of the exposure. */
  readonly time: WallNs
  /** The camera's own clock at the end of the exposure, in nanoseconds from a start of its own; absent without one. */
  readonly hardwareTime?: bigint
  readonly width: number
  readonly height: number
  readonly dtype: 'uint16'
  /** Of the camera: what reaches 2^bitDepth - 1 is saturated. */
  readonly bitDepth: number
  readonly encoding: FrameEncoding
  readonly exposureSeconds: number
  /** What of the sensor the picture shows, in sensor pixels. One pixel of it is `roi.width / width` across, a whole number. */
  readonly roi: Roi
  /** Pixels of the camera's frame, across and down, whose mean is one pixel of the picture. */
  readonly bin: 1 | 2 | 4
  /** Of the camera's own pixels that the picture shows, before the mean is taken. */
  readonly minimum: number
  readonly maximum: number
  readonly mean: number
  readonly saturated: number
  /** Frames that the camera or the ring lost since the stream began. */
  readonly dropped: number
}

/** Of all pixels of one frame, taken natively when it arrived. */
export type FrameStatistics = {
  readonly minimum: number
  readonly maximum: number
  readonly mean: number
  /** Pixels at or above the saturation level. */
  readonly saturated: number
  /** Of each region that was asked for, in their order. */
  readonly regionMeans: readonly number[]
}

export type MeasuredFrame = {
  /** The camera's own count; a gap is a frame that is missing. */
  readonly sequence: number
  /** Host time at the end of the exposure. */
  readonly time: WallNs
  readonly statistics: FrameStatistics
}

/** Of the pixels in a recording, as Arrow's BodyCompression has it: LZ4 (frames of it) costs little, ZSTD (level 1) takes off more. */
export const FRAME_COMPRESSIONS = ['NONE', 'LZ4', 'ZSTD'] as const
export type FrameCompression = (typeof FRAME_COMPRESSIONS)[number]

/**
 * The Arrow IPC stream of one recording, prepared once by storage/frame-heads.ts: with a fixed frame shape only a few numbers differ from batch to batch. One frame is one batch; offsets are counted from the start of the batch's head.
 */
export type FrameLayout = {
  readonly width: number
  readonly height: number
  /** The schema message, padded to 4096 bytes. */
  readonly schemaMessage: Uint8Array
  readonly batchHead: Uint8Array
  /** As long as batchHead, of a frame without a hardware time. */
  readonly batchHeadWithoutClock: Uint8Array
  /** The columns that are the same in every batch. */
  readonly constants: Uint8Array
  readonly constantsOffset: number
  /** u64 sequence, i64 time, hardware time and exposure in nanoseconds, and the first pixel. */
  readonly sequenceOffset: number
  readonly timeOffset: number
  readonly hardwareTimeOffset: number
  readonly exposureOffset: number
  readonly pixelOffset: number
  /** Of every frame's statistics: u16 minimum and maximum, f64 mean, u64 saturated pixels; absent in layouts from before they were kept. */
  readonly statistics?: FrameStatisticsLayout
  /** Head and body, uncompressed; a multiple of 4096. */
  readonly batchBytes: number
  /** Absent: pixels stand in the file as they are. */
  readonly compressed?: CompressedLayout
  readonly endOfStream: Uint8Array
}

export type CompressedLayout = {
  readonly codec: Exclude<FrameCompression, 'NONE'>
  /** In the head of a batch, i64 each: the length of its body, and of its last buffer, the pixels. */
  readonly bodyLengthOffset: number
  readonly pixelLengthOffset: number
}

export type FrameStatisticsLayout = {
  readonly minimumOffset: number
  readonly maximumOffset: number
  readonly meanOffset: number
  readonly saturatedOffset: number
  /** f64 means of the ring's regions: of the first, and how far it is from each to the next. */
  readonly regionMeansOffset: number
  readonly regionMeansStep: number
  readonly regions: number
}

export type FrameRecordingProgress = {
  readonly written: number
  /** Frames that are missing in the file: the gaps of its sequence column. */
  readonly dropped: number
  readonly bytes: number
  readonly state: 'running' | 'finished' | 'failed'
  readonly reason?: string
}

/** A recording under way; JavaScript only asks how far it is. */
export interface FrameRecording {
  progress(): FrameRecordingProgress
  /** Finishes the batch being written, writes the end marker, syncs. */
  stop(): Promise<FrameRecordingProgress>
  /** Settles when the recording ends, by itself or by stop(). */
  readonly ended: Promise<FrameRecordingProgress>
}
