import { InvalidValue } from '../errors.ts'
import { FRAME_COMPRESSIONS, type FrameCompression } from '../frame.ts'
import type { Detector, Plan } from '../plan.ts'

export type RecordArguments = {
  readonly detectors: readonly Detector[]
  readonly frames?: number
  readonly durationSeconds?: number
  /**
   * Of scalar detectors that have no rate of their own; frames come at the camera's. Where each of them can be sampled by its device's own clock at this rate,
   * it is, as with a rate of its own; else all are read one after the other into rows, as far as the slowest keeps up.
   */
  readonly rateHz?: number
  /** Of the pixels of frames. */
  readonly compression?: FrameCompression
}

export const DEFAULT_RECORD_RATE_HZ = 10 // of scalars, where the plan does not say
export const MAX_RECORD_RATE_HZ = 1000 // a serial instrument is far slower; what is faster is a buffered device's own stream

/** Continuous recording of frames, of parameters, of what a device samples by its own clock, or of all together, for a time, a number of frames, or until it is stopped. */
export const record: Plan<RecordArguments> = {
  type: 'record',
  title: 'Record',
  description: 'Records frames, parameters or the inputs of a sampling device continuously, for a time, a number of frames, or until it is aborted.',

  check({ detectors, frames, durationSeconds, rateHz, compression = 'NONE' }) {
    const at = (name: string): string[] => ['plan', 'record', name]
    if (detectors.length === 0) throw new InvalidValue('a recording needs at least one detector', at('detectors'))
    if (frames !== undefined && (!Number.isSafeInteger(frames) || frames < 1))
      throw new InvalidValue(`frames: ${frames} is not a whole number of at least 1`, at('frames'))
    if (durationSeconds !== undefined && !(durationSeconds > 0))
      throw new InvalidValue(`durationSeconds: ${durationSeconds} is not more than 0`, at('durationSeconds'))
    if (rateHz !== undefined && !(rateHz > 0 && rateHz <= MAX_RECORD_RATE_HZ))
      throw new InvalidValue(
        `rateHz: ${rateHz} is not in 0 … ${MAX_RECORD_RATE_HZ}; a device that samples by its own clock takes a rate of its own, in its detector`,
        at('rateHz'),
      )
    if (!FRAME_COMPRESSIONS.includes(compression))
      throw new InvalidValue(`compression: ${compression} is not one of ${FRAME_COMPRESSIONS.join(', ')}`, at('compression'))
  },

  outline({ detectors, frames, durationSeconds, compression = 'NONE' }) {
    const length = frames !== undefined ? `${frames} frames or rows` : durationSeconds !== undefined ? `${durationSeconds} s` : 'until stopped'
    return {
      axes: [],
      detectors,
      ...(frames !== undefined && { totalPoints: frames }),
      shape: frames === undefined ? [] : [frames],
      summary: `record ${detectors.map(({ role }) => role).join(', ')}, ${length}${compression === 'NONE' ? '' : `, ${compression}`}`,
      canPause: false,
    }
  },

  *messages({ frames, durationSeconds }) {
    yield { do: 'checkpoint' }
    yield { do: 'record', ...(frames !== undefined && { frames }), ...(durationSeconds !== undefined && { durationSeconds }) }
  },
}
