import type { Roi } from './device.ts'
import type { WallNs } from './time.ts'

/** FULL: every pixel. PREVIEW: 2x2 mean. FAST: 4x4 mean. */
export type FrameQuality = 'FULL' | 'PREVIEW' | 'FAST'
export const FRAME_BIN: Readonly<Record<FrameQuality, 1 | 2 | 4>> = { FULL: 1, PREVIEW: 2, FAST: 4 }

/** One image beside its pixels. width and height are those of the pixels that follow it (after binning). */
export type FrameHeader = {
  readonly sequence: number
  /** Host time at the end of the exposure. */
  readonly time: WallNs
  readonly width: number
  readonly height: number
  readonly dtype: 'uint16'
  readonly exposureSeconds: number
  readonly roi: Roi
  readonly minimum: number
  readonly maximum: number
  readonly mean: number
  /** Frames that the camera or the ring lost since the stream began. */
  readonly dropped: number
}
