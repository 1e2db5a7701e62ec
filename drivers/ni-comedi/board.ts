import { constants } from 'node:os'
import { asProblem, HardwareFault, InvalidValue, NotFound, NotSupported } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { ComediBoard, ComediChannel } from '../../native/types.ts'
import type { CommandFacet, DeviceHandle } from '../driver.ts'
import { problemOf } from '../transport/exchange-queue.ts'
import { BoardAcquisition } from './acquisition.ts'
import { BoardCounters } from './counters.ts'
import { type InputSettings, InputTable } from './inputs.ts'
import { boardParameters, inputCommands, type Layout } from './parameters.ts'
import { rawOf, voltsOf } from './protocol.ts'
import { BoardWaveforms } from './waveforms.ts'

const NANOSECONDS = 1e9
const PULLED_OUT: readonly string[] = [constants.errno.ENODEV, constants.errno.ENXIO].map(String)
const START = 'start_trigger'
const SAFE_VOLTS = 0 // within every range of an output
const NAME = /^(ach|dac|dio|counter)(\d+)(?:_(range|reference|running|playing))?$/

/** One board. An input's range and reference are kept here: each reading takes them along. */
export class BoardDevice implements DeviceHandle {
  readonly identity: string
  readonly parameters: readonly ParameterSpec[]
  readonly readout = { parameter: 'ach0' }
  readonly commands: CommandFacet
  readonly acquisition: BoardAcquisition
  readonly #board: ComediBoard
  readonly #layout: Layout
  readonly #inputs: InputTable
  readonly #counters: BoardCounters
  readonly #waveforms: BoardWaveforms
  readonly #port: { readonly lost: AbortSignal; readonly lose: (why: string) => void }

  constructor(
    board: ComediBoard,
    layout: Layout,
    settings: InputSettings & { readonly outputLines: readonly number[]; readonly ringPath: string },
    port: { readonly lost: AbortSignal; readonly lose: (why: string) => void },
  ) {
    this.#board = board
    this.#layout = layout
    this.#port = port
    this.#inputs = new InputTable(layout, settings)
    this.acquisition = new BoardAcquisition(board, layout, this.#inputs, settings.ringPath)
    this.identity = `${board.board}, ${board.driver}, Comedi ${board.version}`
    this.parameters = boardParameters(layout, settings.outputLines)
    this.#counters = new BoardCounters(board, layout)
    this.#waveforms = new BoardWaveforms(board, layout)
    const specs = [...inputCommands(layout), ...this.#counters.specs, ...this.#waveforms.specs]
    this.commands = { specs, invoke: (name, given, signal) => this.#invoke(name, given, signal) }
  }

  async read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>> {
    const values = new Map<string, Measured>()
    for (const name of names) {
      if (this.#port.lost.aborted) throw this.#port.lost.reason
      if (signal.aborted) throw problemOf(signal, 'NONE')
      try {
        values.set(name, await this.#readOne(name))
      } catch (error) {
        const problem = this.#heard(error)
        if (this.#port.lost.aborted) throw this.#port.lost.reason
        values.set(name, { bad: problem.message })
      }
    }
    return values
  }

  async write(name: string, value: ParameterValue): Promise<ParameterValue> {
    const { kind, index, of } = this.#named(name)
    if (name === START) return this.#inputs.setStart(value)
    if (kind === 'ach' && (of === 'range' || of === 'reference')) return this.#inputs.set(index, of, value)
    try {
      if (kind === 'dac' && typeof value === 'number') return await this.#setOutput(index, value)
      if (kind === 'counter' && typeof value === 'number') return await this.#loadCounter(index, value)
      if (kind === 'dio' && typeof value === 'boolean') return await this.#setLine(index, value)
    } catch (error) {
      throw this.#heard(error)
    }
    throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
  }

  /** Of a waveform with a number of periods. */
  async underWay(): Promise<boolean> {
    return this.#waveforms.underWay()
  }

  /**
   * No waveform, no pulses, every analog output at 0 V. Digital outputs stay: nobody but the user knows which level is the safe one. The frequency output goes
   * on: Comedi has no call that switches it off. Counters that count, and recordings, go on too: they drive nothing.
   */
  async makeSafe(): Promise<void> {
    const waveform = this.#waveforms.stop(SAFE_VOLTS)
    const done = await Promise.allSettled([waveform, this.#counters.stopPulses(), waveform.catch(() => undefined).then(() => this.#outputsToSafe())])
    for (const each of done) if (each.status === 'rejected') throw this.#heard(each.reason) // only after everything has been tried
  }

  /** The safe state, and the board's own word that it is there. */
  async emergencyStop(): Promise<{ readonly confirmed: Promise<boolean> }> {
    await this.makeSafe()
    return { confirmed: this.#isSafe() }
  }

  /** The board is its port's; outputs and counters stay as they are, but a waveform ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#waveforms.stop()
    await this.acquisition.stop()
  }

  async #outputsToSafe(): Promise<void> {
    for (let channel = 0; channel < (this.#layout.outputs?.channels ?? 0); channel += 1) await this.#setOutput(channel, SAFE_VOLTS)
  }

  /** By what it reads back; false also when it does not answer. */
  async #isSafe(): Promise<boolean> {
    try {
      if (await this.#counters.makesPulses()) return false
      const { outputs } = this.#layout
      if (outputs === undefined) return true
      const safe = voltsOf(rawOf(SAFE_VOLTS, outputs.span, outputs.maxdata), outputs.span, outputs.maxdata)
      for (let channel = 0; channel < outputs.channels; channel += 1) if ((await this.#readOutput(channel)) !== safe) return false
      return true
    } catch (error) {
      this.#heard(error)
      return false
    }
  }

  async #readOne(name: string): Promise<Measured> {
    if (name === START) return { value: this.#inputs.start }
    const { kind, index, of } = this.#named(name)
    switch (kind) {
      case 'ach':
        return of === 'range' || of === 'reference' ? { value: this.#inputs.text(index, of) } : await this.#readInput(index)
      case 'dac':
        return of === 'playing' ? { value: this.#waveforms.playsAt(index) } : (this.#waveforms.heldAt(index) ?? { value: await this.#readOutput(index) })
      case 'dio':
        return { value: await this.#board.readLine({ subdevice: this.#lines().index, line: index }) }
      case 'counter':
        return { value: of === 'running' ? await this.#board.counterRuns(this.#counters.subdevice(index)) : await this.#board.read(this.#counter(index)) }
    }
  }

  /** While the inputs are recorded the board takes no single reading: what is in the recording is shown from its newest scan. */
  async #readInput(channel: number): Promise<Measured> {
    const { index, maxdata } = this.#layout.inputs
    const newest = this.acquisition.latest(channel)
    if (newest === undefined && this.acquisition.running) return { bad: `ach${channel} cannot be read while other inputs are recorded` }
    const raw = newest ?? (await this.#board.read({ subdevice: index, channel, ...this.#inputs.settings(channel) }))
    const value = voltsOf(raw, this.#inputs.range(channel), maxdata)
    return raw === 0 || raw === maxdata ? { value, quality: 'UNCERTAIN' } : { value } // it may be anything beyond
  }

  async #setOutput(channel: number, volts: number): Promise<number> {
    const { span, maxdata } = this.#outputs()
    const raw = rawOf(volts, span, maxdata)
    this.#waveforms.refuseWhilePlaying()
    await this.#board.write(this.#output(channel), raw)
    this.#waveforms.wasSet(channel)
    const confirmed = await readBack(() => this.#readOutput(channel))
    if (confirmed !== voltsOf(raw, span, maxdata)) throw new HardwareFault(`dac${channel} was set to ${volts} V and says ${confirmed} V`, 'POSSIBLE')
    return confirmed
  }

  async #readOutput(channel: number): Promise<number> {
    const { span, maxdata } = this.#outputs()
    return voltsOf(await this.#board.read(this.#output(channel)), span, maxdata)
  }

  async #loadCounter(at: number, value: number): Promise<number> {
    await this.#board.write(this.#counter(at), value)
    return await readBack(() => this.#board.read(this.#counter(at)))
  }

  async #setLine(line: number, high: boolean): Promise<boolean> {
    const place = { subdevice: this.#lines().index, line }
    await this.#board.writeLine(place, high)
    const confirmed = await readBack(() => this.#board.readLine(place))
    if (confirmed !== high) throw new HardwareFault(`dio${line} was set ${high ? 'high' : 'low'} and is not`, 'POSSIBLE')
    return confirmed
  }

  async #invoke(name: string, given: Readonly<Record<string, ParameterValue>>, signal: AbortSignal): Promise<ParameterValue | undefined> {
    try {
      if (name === 'acquire') return await this.#acquire(Number(given.channel), Number(given.rate), Number(given.samples), signal)
      if (this.#counters.has(name)) return await this.#counters.invoke(name, given)
      if (this.#waveforms.has(name)) return await this.#waveforms.invoke(name, given)
      throw new NotSupported(`the board has no command ${name}`)
    } catch (error) {
      throw this.#heard(error)
    }
  }

  /** A finite command of the board. */
  async #acquire(channel: number, rateHz: number, samples: number, signal: AbortSignal): Promise<readonly number[]> {
    const { index, maxdata } = this.#layout.inputs
    const span = this.#inputs.range(channel)
    await using acquisition = await this.#board.acquire({
      subdevice: index,
      channels: [{ channel, ...this.#inputs.settings(channel) }],
      scanIntervalNs: Math.round(NANOSECONDS / rateHz),
      scans: samples,
      bufferScans: samples,
    })
    const stop = (): void => void acquisition.stop().catch(() => undefined) // what it did wrong is told by take()
    signal.addEventListener('abort', stop)
    try {
      const volts: number[] = []
      for (;;) {
        if (signal.aborted) throw problemOf(signal, 'POSSIBLE')
        const taken = await acquisition.take(samples)
        if (taken === undefined) break
        for (const raw of taken) volts.push(voltsOf(raw, span, maxdata))
      }
      if (signal.aborted) throw problemOf(signal, 'POSSIBLE')
      return volts
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  #named(name: string): {
    readonly kind: 'ach' | 'dac' | 'dio' | 'counter'
    readonly index: number
    readonly of: 'range' | 'reference' | 'running' | 'playing' | undefined
  } {
    const [, kind, index, of] = NAME.exec(name) ?? []
    if (!this.parameters.some((spec) => spec.name === name)) throw new NotFound(`parameter ${name}`)
    return { kind: kind as 'ach' | 'dac' | 'dio' | 'counter', index: Number(index), of: of as 'range' | 'reference' | 'running' | 'playing' | undefined }
  }

  #outputs(): NonNullable<Layout['outputs']> {
    if (this.#layout.outputs === undefined) throw new NotFound('analog outputs')
    return this.#layout.outputs
  }

  #output(channel: number): ComediChannel {
    const { index, range } = this.#outputs()
    return { subdevice: index, channel, range, reference: 0 }
  }

  #lines(): NonNullable<Layout['lines']> {
    if (this.#layout.lines === undefined) throw new NotFound('digital lines')
    return this.#layout.lines
  }

  #counter(at: number): ComediChannel {
    return { subdevice: this.#counters.subdevice(at), channel: 0, range: 0, reference: 0 }
  }

  /** A board that was pulled out is lost. */
  #heard(error: unknown): ReturnType<typeof asProblem> {
    const problem = asProblem(error)
    if (PULLED_OUT.includes(String(problem.facts.instrumentCode))) this.#port.lose(problem.message)
    return problem
  }
}

/** What follows a write that was accepted: when it fails, nobody knows what came of the write. */
async function readBack<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const { message, facts } = asProblem(error)
    throw new HardwareFault(message, 'POSSIBLE', facts.instrumentCode === undefined ? {} : { instrumentCode: facts.instrumentCode }, { cause: error })
  }
}
