import { join } from 'node:path'
import type { DeviceSettings } from '../../core/device.ts'
import { seededRandom } from './random.ts'
import { SimulatedRegisters } from './simulated-registers.ts'
import { SimulatedSocket } from './simulated-socket.ts'
import { SimulatedTerminal } from './simulated-terminal.ts'
import type { Fault, RunningSimulation, SimulationOptions } from './simulation.ts'
import type { ByteInstrument, RegisterInstrument, SimulatorHost } from './simulator.ts'

const HOST = '127.0.0.1'

/** What a simulated instrument is given: its chance, seeded, and whom it tells what it accepted. */
export function hostOf(options: Pick<SimulationOptions, 'seed' | 'accepted'>): SimulatorHost {
  return { random: seededRandom(options.seed), accepted: options.accepted ?? (() => undefined) }
}

/** On a pseudo-terminal, linked as `<name>.tty` in the folder, at the pace of `baudRate`. `beside` is closed with it. */
export async function serveTerminal(
  served: {
    readonly instrument: ByteInstrument
    readonly baudRate: number
    readonly devices: readonly DeviceSettings[]
    readonly beside?: readonly AsyncDisposable[]
  },
  options: SimulationOptions,
): Promise<RunningSimulation> {
  const linkPath = join(options.folder, `${options.name}.tty`)
  const line = new SimulatedTerminal({
    instrument: served.instrument,
    baudRate: served.baudRate * (options.lineFactor ?? 1),
    linkPath,
    seconds: clockOf(options),
  })
  await line.plugIn()
  return new Served({ kind: 'serial', path: linkPath }, served.devices, served.instrument, line, served.beside)
}

/** Lines of text on a raw TCP port of 127.0.0.1. Throws with the system's code when the port is taken. */
export async function serveSocket(
  served: { readonly instrument: ByteInstrument; readonly terminator: string; readonly answerMs?: number; readonly devices: readonly DeviceSettings[] },
  options: SimulationOptions,
): Promise<RunningSimulation> {
  const { instrument, terminator, devices } = served
  const line = new SimulatedSocket({ instrument, terminator, ...listening(served.answerMs, options) })
  await line.plugIn()
  return new Served({ kind: 'tcp', host: HOST, port: line.port }, devices, instrument, line)
}

/** Modbus TCP on a port of 127.0.0.1. Throws with the system's code when the port is taken. */
export async function serveRegisters(
  served: { readonly instrument: RegisterInstrument; readonly answerMs?: number; readonly devices: readonly DeviceSettings[] },
  options: SimulationOptions,
): Promise<RunningSimulation> {
  const line = new SimulatedRegisters({ instrument: served.instrument, ...listening(served.answerMs, options) })
  await line.plugIn()
  return new Served({ kind: 'tcp', host: HOST, port: line.port }, served.devices, line, line)
}

/** The simulation's own time, in seconds. */
export function clockOf({ timeFactor = 1 }: Pick<SimulationOptions, 'timeFactor'>): () => number {
  return () => (performance.now() / 1000) * timeFactor
}

function listening(answerMs: number | undefined, options: SimulationOptions) {
  return { host: HOST, port: options.port ?? 0, seconds: clockOf(options), ...(answerMs !== undefined && { answerMs: answerMs / (options.lineFactor ?? 1) }) }
}

/** Any of the simulated lines. */
interface Line extends AsyncDisposable {
  inject(...faults: readonly Fault[]): void
  readonly faultsLeft: number
  readonly wire?: RunningSimulation['wire']
  unplug(): Promise<void>
  plugIn(): Promise<void>
}

/** A simulated line as the lab sees it. */
export class Served implements RunningSimulation {
  readonly entry
  readonly devices
  readonly errors
  readonly troubles
  readonly #line: Line
  readonly #beside: readonly AsyncDisposable[]

  constructor(
    entry: RunningSimulation['entry'],
    devices: readonly DeviceSettings[],
    knows: Pick<ByteInstrument, 'errors' | 'troubles'>,
    line: Line,
    beside: readonly AsyncDisposable[] = [],
  ) {
    this.entry = entry
    this.devices = devices
    this.errors = knows.errors
    this.troubles = knows.troubles ?? []
    this.#line = line
    this.#beside = beside
  }

  get faultsLeft(): number {
    return this.#line.faultsLeft
  }

  get wire(): RunningSimulation['wire'] {
    return this.#line.wire
  }

  inject(...faults: readonly Fault[]): void {
    this.#line.inject(...faults)
  }

  unplug(): Promise<void> {
    return this.#line.unplug()
  }

  plugIn(): Promise<void> {
    return this.#line.plugIn()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#line[Symbol.asyncDispose]()
    for (const each of this.#beside.toReversed()) await each[Symbol.asyncDispose]()
  }
}
