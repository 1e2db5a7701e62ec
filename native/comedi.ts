import type { ScanRecording, ScanRecordingProgress } from '../core/acquisition.ts'
import { asProblem, type Effect, type Problem } from '../core/errors.ts'
import type { FrameRecording, FrameRecordingProgress } from '../core/frame.ts'
import type { AddonAcquisition, AddonComedi, AddonPlayback, AddonSubdevice } from './addon.ts'
import { withProblems, withProblemsLater } from './faults.ts'
import { NativeRing } from './rings.ts'
import {
  COMEDI_REFERENCES,
  type ComediAcquisition,
  type ComediAcquisitionOptions,
  type ComediBoard,
  type ComediChannel,
  type ComediCommandOptions,
  type ComediCounting,
  type ComediKind,
  type ComediPlayback,
  type ComediPlaybackOptions,
  type ComediSamples,
  type ComediSubdevice,
  type ComediTiming,
  type ScanRecordingOptions,
} from './types.ts'

/** Numbers of linux/comedi.h. */
const KINDS: Readonly<Record<number, ComediKind>> = { 0: 'UNUSED', 1: 'ANALOG_IN', 2: 'ANALOG_OUT', 5: 'DIGITAL_IO', 6: 'COUNTER' }
const UNITS: Readonly<Record<number, 'V' | 'mA'>> = { 0: 'V', 1: 'mA' }
const FLAG_COMMAND_WRITE = 0x4000
const FLAG_COMMAND_READ = 0x8000
const FLAG_GROUND = 0x100000 // and one bit on for each reference that follows

export class OpenedComedi implements ComediBoard {
  readonly driver: string
  readonly board: string
  readonly version: string
  readonly subdevices: readonly ComediSubdevice[]
  readonly #board: AddonComedi
  readonly #running = new Set<RunningAcquisition | RunningPlayback>()

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

  startCounter(subdevice: number, { slow = false, edges, gatePin }: ComediCounting = {}): Promise<void> {
    const counting = { slow, falling: edges?.falling ?? false, ...(edges !== undefined && { pin: edges.pin }), ...(gatePin !== undefined && { gatePin }) }
    return call('POSSIBLE', () => this.#board.startCounter({ subdevice, ...counting }))
  }

  startPulses(subdevice: number, { low, high }: { readonly low: number; readonly high: number }): Promise<void> {
    return call('POSSIBLE', () => this.#board.startPulses({ subdevice, lowTicks: low, highTicks: high }))
  }

  stopCounter(subdevice: number): Promise<void> {
    return call('POSSIBLE', () => this.#board.stopCounter({ subdevice }))
  }

  counterRuns(subdevice: number): Promise<boolean> {
    return call('NONE', () => this.#board.counterRuns({ subdevice }))
  }

  outputFrequency(subdevice: number, options: { readonly slow: boolean; readonly divider: number }): Promise<void> {
    return call('POSSIBLE', () => this.#board.outputFrequency({ subdevice, ...options }))
  }

  resetCounter(subdevice: number): Promise<void> {
    return call('POSSIBLE', () => this.#board.resetCounter({ subdevice }))
  }

  check(options: ComediCommandOptions): Promise<ComediTiming> {
    return call('NONE', () => this.#board.check(options))
  }

  async acquire(options: ComediAcquisitionOptions): Promise<ComediAcquisition> {
    const acquisition = new RunningAcquisition(await call('POSSIBLE', () => this.#board.acquire(options)), () => this.#running.delete(acquisition))
    this.#running.add(acquisition)
    return acquisition
  }

  async play(options: ComediPlaybackOptions): Promise<ComediPlayback> {
    const playback = new RunningPlayback(await call('POSSIBLE', () => this.#board.play(options)), () => this.#running.delete(playback))
    this.#running.add(playback)
    return playback
  }

  /** Stops what is under way first. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of [...this.#running]) await each.stop()
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

  latest(): ComediSamples | undefined {
    return this.#acquisition.latest()
  }

  record(options: ScanRecordingOptions): ScanRecording {
    const ring = new NativeRing(withProblems('NONE', () => this.#acquisition.makeRing(options)))
    try {
      return new AcquisitionRecording(this, this.#acquisition, ring, options)
    } catch (error) {
      void ring[Symbol.asyncDispose]()
      throw error
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

class RunningPlayback implements ComediPlayback {
  readonly scanIntervalNs: number
  readonly ended: Promise<void>
  readonly #playback: AddonPlayback

  constructor(playback: AddonPlayback, ended: () => void) {
    this.#playback = playback
    this.scanIntervalNs = playback.scanIntervalNs
    this.ended = call('POSSIBLE', () => playback.waitForEnd()).finally(ended)
    this.ended.catch(() => undefined) // whoever waits for it hears of it
  }

  async stop(): Promise<void> {
    await call('POSSIBLE', () => this.#playback.stop())
    await this.ended.catch(() => undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** What is poured into the ring, and what of it is on the disk. */
class AcquisitionRecording implements ScanRecording {
  readonly ended: Promise<ScanRecordingProgress>
  readonly #source: RunningAcquisition
  readonly #acquisition: AddonAcquisition
  readonly #recording: FrameRecording
  readonly #rowsPerBatch: number
  #failure: Problem | undefined

  constructor(source: RunningAcquisition, acquisition: AddonAcquisition, ring: NativeRing, options: ScanRecordingOptions) {
    this.#source = source
    this.#acquisition = acquisition
    this.#rowsPerBatch = options.rowsPerBatch
    this.#recording = ring.record(options)
    this.ended = this.#run(ring)
    this.ended.catch(() => undefined) // whoever waits for it hears of it
  }

  progress(): ScanRecordingProgress {
    return this.#told(this.#recording.progress())
  }

  async stop(): Promise<ScanRecordingProgress> {
    await this.#source.stop()
    return await this.ended
  }

  async #run(ring: NativeRing): Promise<ScanRecordingProgress> {
    const poured = call('NONE', () => this.#acquisition.pour()).catch((error: unknown) => {
      this.#failure = asProblem(error)
    })
    try {
      await this.#recording.ended
      this.#acquisition.abandon() // a disk that is full takes no more
      await this.#source.stop()
      await poured
      return this.progress()
    } finally {
      await ring[Symbol.asyncDispose]()
    }
  }

  /** Batches as scans; the last one may be shorter than the others. */
  #told({ written, bytes, state, reason }: FrameRecordingProgress): ScanRecordingProgress {
    const last = state === 'finished' && reason === undefined ? this.#acquisition.lastScans : 0
    const scans = written * this.#rowsPerBatch - (last === 0 ? 0 : this.#rowsPerBatch - last)
    // That nobody took what was poured is the disk's failure, not the board's.
    const failure = reason === undefined ? this.#failure : undefined
    return { written: scans, bytes, state, ...(reason !== undefined && { reason }), ...(failure !== undefined && { failure }) }
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
    plays: (flags & FLAG_COMMAND_WRITE) !== 0,
  }
}
