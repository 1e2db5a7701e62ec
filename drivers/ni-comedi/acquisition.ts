import type { AcquisitionRequest, PreparedAcquisition, SampledInput, ScanLayout, ScanRecording } from '../../core/acquisition.ts'
import { checkAcquisition } from '../../core/acquisition.ts'
import { DeviceBusy, InvalidValue } from '../../core/errors.ts'
import { COMEDI_REFERENCES, type ComediAcquisition, type ComediBoard, type ComediCommandOptions } from '../../native/types.ts'
import type { AcquisitionFacet } from '../driver.ts'
import type { InputSettings, InputTable } from './inputs.ts'
import { FASTEST_HZ, type Layout, SLOWEST_HZ } from './parameters.ts'
import { inputNumber, triggerOf } from './protocol.ts'

const NANOSECONDS = 1e9
const BUFFER_SECONDS = 2 // of scans, before the ring: what a busy machine may hold the pouring up
const LEAST_BUFFER_SCANS = 1000
const RING_BYTES = 16 * 1024 * 1024 // ten seconds of the board at its fastest, with a disk that is held up
const RING_SLOTS_MINIMUM = 4
const RING_SLOTS_MAXIMUM = 256

/** Analog inputs, scan by scan, timed by the board. One at a time: the board has one converter. */
export class BoardAcquisition implements AcquisitionFacet {
  readonly inputs: readonly string[]
  readonly minimumRateHz = SLOWEST_HZ
  readonly maximumRateHz = FASTEST_HZ
  readonly #board: ComediBoard
  readonly #layout: Layout
  readonly #table: InputTable
  readonly #ringPath: string
  #running: { readonly acquisition: ComediAcquisition; readonly channels: readonly number[] } | undefined

  /** `ringPath` is this board's alone. */
  constructor(board: ComediBoard, layout: Layout, table: InputTable, ringPath: string) {
    this.#board = board
    this.#layout = layout
    this.#table = table
    this.#ringPath = ringPath
    this.inputs = Array.from({ length: layout.inputs.channels }, (_, channel) => `ach${channel}`)
  }

  /** The raw value that an input had in the newest scan, while a recording is under way; undefined for one that is not in it. */
  latest(channel: number): number | undefined {
    const { acquisition, channels } = this.#running ?? {}
    const at = channels?.indexOf(channel) ?? -1
    return at < 0 ? undefined : acquisition?.latest()?.[at]
  }

  get running(): boolean {
    return this.#running !== undefined
  }

  async prepare(request: AcquisitionRequest): Promise<PreparedAcquisition> {
    checkAcquisition(this, request, 'the board')
    const { parameters, rateHz, scans } = request
    const channels = parameters.map(inputNumber)
    const settings = channels.map((channel) => this.#table.settings(channel))
    const start = this.#table.start
    const timing = await this.#board.check(this.#command(channels, settings, Math.round(NANOSECONDS / rateHz), start, scans))
    return {
      ...timing,
      inputs: channels.map((channel, at): SampledInput => {
        const { minimum, maximum, unit } = this.#table.range(channel)
        if (unit !== 'V') throw new InvalidValue(`ach${channel}: its range has no unit`, ['parameters'])
        const { maxdata: maximumCount } = this.#layout.inputs
        const reference = COMEDI_REFERENCES[settings[at]?.reference ?? 0] ?? 'GROUND'
        return { parameter: `ach${channel}`, unit, minimum, maximum, maximumCount, reference }
      }),
      ...(scans !== undefined && { scans }),
      start,
    }
  }

  async record(
    prepared: PreparedAcquisition,
    layout: ScanLayout,
    options: { readonly path: string; readonly keepFreeBytes: number },
    signal: AbortSignal,
  ): Promise<ScanRecording> {
    if (this.#running !== undefined) throw new DeviceBusy('the board records already', {})
    signal.throwIfAborted()
    const channels = prepared.inputs.map(({ parameter }) => inputNumber(parameter))
    const settings = prepared.inputs.map((input) => this.#settingsOf(input))
    const bufferScans = Math.max(LEAST_BUFFER_SCANS, Math.ceil((BUFFER_SECONDS * NANOSECONDS) / prepared.scanIntervalNs))
    const acquisition = await this.#board.acquire({
      ...this.#command(channels, settings, prepared.scanIntervalNs, prepared.start, prepared.scans),
      bufferScans,
    })
    try {
      const ringSlots = Math.min(RING_SLOTS_MAXIMUM, Math.max(RING_SLOTS_MINIMUM, Math.floor(RING_BYTES / layout.columnsBytes)))
      const recording = acquisition.record({ ...layout, ...options, ringPath: this.#ringPath, ringSlots })
      const running = { acquisition, channels }
      this.#running = running
      const over = (): void => {
        if (this.#running === running) this.#running = undefined
      }
      recording.ended.then(over, over)
      return recording
    } catch (error) {
      await acquisition[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Whatever is under way; what it has recorded stays. */
  async stop(): Promise<void> {
    await this.#running?.acquisition.stop()
  }

  #command(
    channels: readonly number[],
    settings: readonly InputSettings[],
    scanIntervalNs: number,
    start: string,
    scans: number | undefined,
  ): ComediCommandOptions {
    const trigger = triggerOf(start)
    return {
      subdevice: this.#layout.inputs.index,
      channels: channels.map((channel, at) => ({ channel, ...(settings[at] ?? { range: 0, reference: 0 }) })),
      scanIntervalNs,
      ...(scans !== undefined && { scans }),
      ...(trigger !== undefined && { start: trigger }),
    }
  }

  /** As it was prepared, whatever has been set since. */
  #settingsOf({ parameter, minimum, maximum, reference }: SampledInput): InputSettings {
    const range = this.#layout.inputs.ranges.findIndex((each) => each.minimum === minimum && each.maximum === maximum)
    const index = (COMEDI_REFERENCES as readonly string[]).indexOf(reference)
    if (range < 0 || index < 0) throw new InvalidValue(`${parameter}: the board has no range of ${minimum} to ${maximum} against ${reference}`, [parameter])
    return { range, reference: index }
  }
}
