import type { FrameHeader } from '../core/frame.ts'

/** Of a frame of `width` x `height` pixels that shows as much of the sensor. */
export function frameHeader(width: number, height: number, change: Partial<FrameHeader> = {}): FrameHeader {
  return {
    sequence: 1,
    time: 1_700_000_000_000_000_000n,
    width,
    height,
    dtype: 'uint16',
    bitDepth: 16,
    encoding: 'RAW',
    exposureSeconds: 0.1,
    roi: { x: 0, y: 0, width, height },
    bin: 1,
    minimum: 0,
    maximum: 1,
    mean: 0.5,
    saturated: 0,
    dropped: 0,
    ...change,
  }
}
