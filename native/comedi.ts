import type { Effect } from '../core/errors.ts'
import type { FrameRecording } from '../core/frame.ts'
import type { AddonAcquisition, AddonComedi, AddonSubdevice } from './addon.ts'
import { withProblems, withProblemsLater } from './faults.ts'
import { NativeRing } from './rings.ts'
import {
  COMEDI_REFERENCES,
  type ComediAcquisition,
  type ComediAcquisitionOptions,
  type ComediBoard,
  type ComediChannel,
  type ComediKind,
  type ComediRecording,
  type ComediSamples,
  type ComediSubdevice,
} from './types.ts'

/** Numbers of linux/comedi.h. */
const KINDS: Readonly<Record<number, ComediKind>> = { 0: 'UNUSED', 1: 'ANALOG_IN', 2: 'ANALOG_OUT', 5: 'DIGITAL_IO', 6: 'COUNTER' }
const UNITS: Readonly<Record<number, 'V' | 'mA'>> = { 0: 'V', 1: 'mA' }
const FLAG_COMMAND_READ = 0x8000
const FLAG_GROUND = 0x100000 // and one bit on for each reference that follows

export class OpenedComedi implements ComediBoard {
  readonly driver: string
  readonly board: string
  readonly version: string
  readonly subdevices: readonly ComediSubdevice[]
  readonly #board: AddonComedi
  readonly #acquisitions = new Set<RunningAcquisition>()

  constructor(board: AddonComedi) {
    const { driver, board: name, version, subdevices } = board.describe()
    this.#board = board
    this.driver = driver
    this.board = name
    this.version = version
    this.subdevices = subdevices.map(subdeviceOf)
  }

  read(channel: ComediChannel): Promise<number> {
    return call('NONE', () => this.#board.read(channel))
  }

  write(channel: ComediChannel, value: number): Promise<void> {
    return call('POSSIBLE', () => this.#board.write({ ...channel, value }))
  }

  configureLine(line: Parameters<ComediBoard['configureLine']>[0], output: boolean): Promise<void> {
    return call('POSSIBLE', () => this.#board.configureLine({ ...line, output }))
  }

  lineIsOutput(line: Parameters<ComediBoard['lineIsOutput']>[0]): Promise<boolean> {
    return call('NONE', () => this.#board.lineIsOutput(line))
  }

  readLine(line: Parameters<ComediBoard['readLine']>[0]): Promise<boolean> {
    return call('NONE', () => this.#board.readLine(line))
  }

  writeLine(line: Parameters<ComediBoard['writeLine']>[0], high: boolean): Promise<void> {
    return call('POSSIBLE', () => this.#board.writeLine({ ...line, high }))
  }

  bits(options: Parameters<ComediBoard['bits']>[0]): Promise<number> {
    return call(options.mask === 0 ? 'NONE' : 'POSSIBLE', () => this.#board.bits(options))
  }

  startCounter(subdevice: number): Promise<void> {
    return call('POSSIBLE', () => this.#board.startCounter({ subdevice }))
  }

  resetCounter(subdevice: number): Promise<void> {
    return call('POSSIBLE', () => this.#board.resetCounter({ subdevice }))
  }

  async acquire(options: ComediAcquisitionOptions): Promise<ComediAcquisition> {
    const acquisition = new RunningAcquisition(await call('POSSIBLE', () => this.#board.acquire(options)), () => this.#acquisitions.delete(acquisition))
    this.#acquisitions.add(acquisition)
    return acquisition
  }

  /** Stops what is under way first. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const acquisition of [...this.#acquisitions]) await acquisition.stop()
    await this.#board.close()
  }
}

class RunningAcquisition implements ComediAcquisition {
  readonly scanIntervalNs: number
  readonly convertIntervalNs: number
  readonly #acquisition: AddonAcquisition
  readonly #stopped: () => void

  constructor(acquisition: AddonAcquisition, stopped: () => void) {
    this.#acquisition = acquisition
    this.#stopped = stopped
    this.scanIntervalNs = acquisition.scanIntervalNs
    this.convertIntervalNs = acquisition.convertIntervalNs
  }

  take(maximumScans: number): Promise<ComediSamples | undefined> {
    return call('NONE', () => this.#acquisition.take({ maximumScans }))
  }

  record({ ringPath, ringSlots, ...options }: Parameters<ComediAcquisition['record']>[0]): ComediRecording {
    const ring = new NativeRing(withProblems('NONE', () => this.#acquisition.makeRing({ path: ringPath, scansPerFrame: options.height, slots: ringSlots })))
    let recording: FrameRecording
    try {
      recording = ring.record(options)
    } catch (error) {
      void ring[Symbol.asyncDispose]()
      throw error
    }
    const rest = call('NONE', () => this.#acquisition.pour())
    rest.catch(() => undefined) // whoever waits for `rest` hears of it
    const ended = recording.ended.finally(async () => {
      await rest.catch(() => undefined)
      await ring[Symbol.asyncDispose]()
    })
    ended.catch(() => undefined) // as is whoever waits for `ended`
    return {
      rest,
      ended,
      progress: () => recording.progress(),
      stop: async () => {
        await this.stop()
        return await ended
      },
    }
  }

  async stop(): Promise<void> {
    await call('POSSIBLE', () => this.#acquisition.stop())
    this.#stopped()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** Also a refusal before the call is a promise that fails. */
function call<T>(effect: Effect, work: () => Promise<T>): Promise<T> {
  return withProblemsLater(effect, async () => await work())
}

function subdeviceOf({ type, flags, channels, maxdata, ranges }: AddonSubdevice): ComediSubdevice {
  return {
    kind: KINDS[type] ?? 'OTHER',
    channels,
    maxdata,
    ranges: ranges.map(({ minimum, maximum, unit }) => ({ minimum, maximum, unit: UNITS[unit] })),
    references: COMEDI_REFERENCES.filter((_, at) => (flags & (FLAG_GROUND << at)) !== 0),
    acquires: (flags & FLAG_COMMAND_READ) !== 0,
  }
}
