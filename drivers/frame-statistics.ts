import type { FrameStatistics, MeasuredFrame } from '../core/frame.ts'
import type { ParameterSpec } from '../core/parameter.ts'
import type { Measured } from '../core/reading.ts'
import type { FrameRing } from '../native/types.ts'
import { REGIONS_PARAMETER } from './frame-regions.ts'

/** What was measured of the frames that came since it was taken last, oldest first. */
export type TakenStatistics = {
  readonly frames: readonly MeasuredFrame[]
  /** Frames whose statistics nobody took in time, since the device was opened. */
  readonly missed: number
  /** Whether the newest frame can still be looked at: the camera streams, or was triggered and has not been stopped since. */
  readonly standing: boolean
}

/** As many as the ring keeps for one stream. Who takes them comes some ten times a second. */
const MAX_WAITING_FRAMES = 4096

const WHOLE = { kind: 'INTEGER', access: 'READ_ONLY', streamed: true } as const
const MEAN = { kind: 'FLOAT', access: 'READ_ONLY', unit: '{count}', streamed: true } as const

/** What a camera says of every frame, for the list of its parameters; with the means of so many regions. */
export function frameStatisticsParameters(regions: number): readonly ParameterSpec[] {
  return [
    {
      name: REGIONS_PARAMETER,
      description: 'Regions whose means are taken of every frame: x,y,width,height of each in pixels of the sensor, with semicolons between them',
      kind: 'TEXT',
      access: 'READ_WRITE',
    },
    { name: 'frame_minimum', description: 'The lowest pixel of each frame', unit: '{count}', ...WHOLE },
    { name: 'frame_maximum', description: 'The highest pixel of each frame', unit: '{count}', ...WHOLE },
    { name: 'frame_mean', description: 'The mean of all pixels of each frame', ...MEAN },
    { name: 'frame_saturated', description: 'How many pixels of each frame have the highest value that the camera gives', unit: '{pixel}', ...WHOLE },
    ...Array.from({ length: regions }, (_, at) => ({ name: `roi_${at + 1}_mean`, description: `The mean of region ${at + 1} of each frame`, ...MEAN })),
  ]
}

/** The value of a parameter of frameStatisticsParameters; undefined where the frame has no such region. */
export function statisticOf(name: string, { minimum, maximum, mean, saturated, regionMeans }: FrameStatistics): number | undefined {
  switch (name) {
    case 'frame_minimum':
      return minimum
    case 'frame_maximum':
      return maximum
    case 'frame_mean':
      return mean
    case 'frame_saturated':
      return saturated
    default:
      return regionMeans[Number(/^roi_(\d+)_mean$/.exec(name)?.[1] ?? 0) - 1]
  }
}

/** Follows a camera from ring to ring and gathers what was measured of every frame. No pixel is touched. */
export class FrameStatisticsCollector {
  #ring: FrameRing | undefined
  #next = 0n
  #waiting: MeasuredFrame[] = []
  #missed = 0
  #newest: FrameStatistics | undefined

  /** A stream begins: its frames go into this ring. */
  follow(ring: FrameRing): void {
    this.#ring = ring
    this.#next = 0n
    this.#newest = undefined
  }

  /** The stream has ended, and its ring is about to go. */
  release(): void {
    this.#collect()
    this.#ring = undefined
    this.#newest = undefined
  }

  take(): TakenStatistics {
    this.#collect()
    const frames = this.#waiting
    this.#waiting = []
    return { frames, missed: this.#missed, standing: this.#ring !== undefined && this.#newest !== undefined }
  }

  /** Of the newest frame, while it stands. */
  measured(name: string): Measured {
    this.#collect()
    if (this.#newest === undefined) return { bad: 'no frame stands: the camera neither streams nor was it triggered' }
    const value = statisticOf(name, this.#newest)
    return value === undefined ? { bad: 'the frames have no such region' } : { value }
  }

  #collect(): void {
    for (;;) {
      const stamps = this.#ring?.stamps(this.#next) ?? []
      const [first] = stamps
      if (first === undefined) break
      this.#missed += Number(first.index - this.#next)
      this.#next = first.index + BigInt(stamps.length)
      this.#waiting.push(...stamps.map(({ sequence, timeNs, statistics }) => ({ sequence: Number(sequence), time: timeNs, statistics })))
      this.#newest = stamps.at(-1)?.statistics
    }
    const tooMany = this.#waiting.length - MAX_WAITING_FRAMES
    if (tooMany <= 0) return
    this.#waiting.splice(0, tooMany)
    this.#missed += tooMany
  }
}
