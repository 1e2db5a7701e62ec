import { messageOf } from '../../../core/errors.ts'
import type { Reading } from '../../../core/reading.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import { statisticOf, type TakenStatistics } from '../../../drivers/frame-statistics.ts'
import { pause } from './deadline.ts'
import type { LiveHandle } from './device-connection.ts'
import type { ParameterTable } from './parameter-table.ts'

const TAKE_EVERY_MS = 20 // while frames come: nobody sees a value later than the next frame of a full sensor, and fast cameras' frames come in batches
const LOOK_EVERY_MS = 100 // while none come: the first ones of a stream may be that late

/** Makes readings of what was measured of every frame: one of each parameter that is `streamed`, with the frame's own time. */
export class FrameStatisticsFeed {
  readonly #table: ParameterTable
  readonly #log: (line: string) => void
  #missed = 0

  constructor(table: ParameterTable, log: (line: string) => void) {
    this.#table = table
    this.#log = log
  }

  /** As long as the device is connected. */
  async run({ handle, signal }: LiveHandle): Promise<void> {
    if (handle.frames === undefined) return
    this.#missed = 0
    while (!signal.aborted) {
      const came = this.take(handle)
      await pause(came ? TAKE_EVERY_MS : LOOK_EVERY_MS, signal)
    }
  }

  /** What has come until now. Whether anything has. */
  take(handle: DeviceHandle): boolean {
    const taken = handle.frames?.takeStatistics()
    if (taken === undefined) return false
    this.#tell(taken)
    if (!taken.standing) for (const name of this.#names) this.#end(name)
    return taken.frames.length > 0
  }

  /** What came since, of a device that has been closed: a recording has these frames, so they are told before anybody hears that it is away. */
  takeLast(handle: DeviceHandle): void {
    try {
      const taken = handle.frames?.takeStatistics()
      if (taken !== undefined) this.#tell(taken)
    } catch (error) {
      this.#log(`the statistics of its last frames are not known: ${messageOf(error)}`)
    }
  }

  /** The newest there is, taken first. */
  readNow(handle: DeviceHandle, names: readonly string[]): readonly (readonly [string, Reading])[] {
    if (names.length > 0) this.take(handle)
    return names.map((name) => [name, this.#table.reading(name) ?? this.#bad(name, 'the device gives no frames')])
  }

  get #names(): readonly string[] {
    return this.#table.specs.filter(({ streamed }) => streamed).map(({ name }) => name)
  }

  /** No frame stands any more: what is known is of a frame that is gone. */
  #end(name: string): void {
    const last = this.#table.reading(name)
    if (last === undefined) this.#bad(name, 'no frame has been taken yet')
    else if (last.quality === 'GOOD') this.#table.stale('the camera does not stream', [name])
  }

  #bad(name: string, reason: string): Reading {
    const last = this.#table.reading(name)
    return last?.quality === 'BAD' ? last : this.#table.measured(name, { bad: reason })
  }

  #tell({ frames, missed }: TakenStatistics): void {
    const names = this.#names
    for (const { time, statistics } of frames)
      for (const name of names) {
        const value = statisticOf(name, statistics)
        if (value !== undefined) this.#table.observed(name, { time, quality: 'GOOD', value })
        else this.#bad(name, 'the frames have no such region')
      }
    if (missed > this.#missed) this.#log(`the statistics of ${missed - this.#missed} frames were not taken in time, ${missed} since it was connected`)
    this.#missed = missed
  }
}
