import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import type { CommandAnswer, CommandRequest } from '../../core/command.ts'
import type { DeviceState, EmergencyStopState } from '../../core/device.ts'
import { EmergencyStopped, Problem } from '../../core/errors.ts'
import { FRAME_BIN } from '../../core/frame.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import { wallNsFromMs } from '../../core/time.ts'
import { unixAddress } from '../../link/address.ts'
import type {
  DriverDescription,
  FoundPort,
  LinkHandler,
  LinkStreams,
  QueueState,
  ReadingColumns,
  ReadingsItem,
  RunRowsItem,
  StateItem,
} from '../../link/protocol.ts'
import { listenForLinks } from '../../link/server.ts'
import { frameHeader } from '../frame-header.ts'

const POSITION: ParameterSpec = { name: 'position', description: 'where it is', kind: 'FLOAT', access: 'READ_ONLY', unit: 'mm' }
const VELOCITY: ParameterSpec = { name: 'velocity', description: 'how fast', kind: 'FLOAT', access: 'READ_WRITE', unit: 'mm/s', minimum: 0, maximum: 10 }
const POWER: ParameterSpec = { name: 'power', description: 'of the beam', kind: 'FLOAT', access: 'READ_ONLY', unit: 'W' }
const RANGE: ParameterSpec = { name: 'range', description: 'of the meter', kind: 'ENUM', access: 'READ_WRITE', choices: ['auto', 'high'] }

const DRIVERS: readonly DriverDescription[] = [
  {
    id: 'fake-stage',
    vendor: 'Fake',
    model: 'Stage',
    version: '1.0.0',
    capabilities: ['MOVABLE', 'PARAMETERIZED'],
    settings: [{ name: 'address', kind: 'TEXT', description: 'where', required: true }],
    simulated: true,
  },
  { id: 'fake-meter', vendor: 'Fake', model: 'Meter', version: '1.0.0', capabilities: ['READABLE', 'PARAMETERIZED'], settings: [], simulated: true },
  { id: 'fake-camera', vendor: 'Fake', model: 'Camera', version: '1.0.0', capabilities: ['FRAME_PRODUCER'], settings: [], simulated: true },
]

export const STAGE = randomUUID()
export const METER = randomUUID()
export const CAMERA = randomUUID()

/** A station that speaks the real link; tests say what it measures and look at what it was told. */
export class FakeStation {
  readonly stationId = randomUUID()
  readonly address: string
  readonly commands: CommandRequest[] = []
  readonly stops: unknown[] = []
  command: (request: CommandRequest) => Promise<CommandAnswer> = async ({ requestId, calls }) => ({
    requestId,
    state: 'DONE',
    results: calls.map(({ deviceId }) => ({ deviceId, readings: [] })),
    elapsedMs: 1,
  })
  checkDevice: LinkHandler['calls']['checkDevice'] = async ({ settings }) => ({
    address: String(settings['address'] ?? 'sim://fake'),
    portKind: 'SERIAL',
    simulated: true,
  })
  postponed: readonly string[] = []
  found: readonly FoundPort[] = []
  diskFreeBytes = 1e12
  epoch = 1
  position = 0
  rows: RunRowsItem[] = []
  /** Streams of frames that were opened. */
  readonly frameRequests: LinkStreams['frames']['params'][] = []
  /** Why it gives no frames. */
  noFrames: Problem | undefined
  readonly #token: string
  readonly #log = new Map<number, ReadingsItem>()
  readonly #newest = new Map<number, number>()
  readonly #moved = new EventTarget()
  #server: AsyncDisposable | undefined
  #devices: DeviceState[]
  #emergencyStop: EmergencyStopState = { active: false }
  #queue: QueueState = { held: false }

  constructor(folder: string, token: string) {
    this.address = unixAddress(join(folder, 'station.sock'))
    this.#token = token
    this.#devices = [stage(), meter(), camera()]
  }

  async start(): Promise<void> {
    this.#server = await listenForLinks({
      address: this.address,
      token: this.#token,
      station: { stationId: this.stationId, name: 'fake', epoch: this.epoch },
      handler: this.#handler(),
      log: () => undefined,
    })
  }

  async stop(): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]()
    this.#server = undefined
  }

  /** Publishes readings: [handle, number]. */
  publish(...readings: readonly (readonly [number, number])[]): void {
    this.position += 1
    for (const [handle, value] of readings) this.#newest.set(handle, value)
    const columns = columnsOf(wallNsFromMs(Date.now()), readings)
    this.#log.set(this.position, { kind: 'batch', at: { epoch: this.epoch, position: this.position }, columns })
    this.#moved.dispatchEvent(new Event('readings'))
  }

  change(device: DeviceState): void {
    this.#devices = this.#devices.map((known) => (known.id === device.id ? device : known))
    this.#say({ kind: 'device', device })
  }

  device(id: string): DeviceState {
    const found = this.#devices.find((device) => device.id === id)
    if (found === undefined) throw new Error(`no device ${id}`)
    return found
  }

  latch(state: EmergencyStopState): void {
    this.#emergencyStop = state
    this.#say({ kind: 'emergencyStop', state })
  }

  addRows(item: RunRowsItem): void {
    this.rows.push(item)
    this.#moved.dispatchEvent(new Event('rows'))
  }

  #said: StateItem[] = []
  #say(item: StateItem): void {
    this.#said.push(item)
    this.#moved.dispatchEvent(new Event('state'))
  }

  #handler(): LinkHandler {
    const queue = async (held: boolean): Promise<QueueState> => {
      this.#queue = { held }
      this.#say({ kind: 'queue', queue: this.#queue })
      return this.#queue
    }
    const station = this
    return {
      calls: {
        command: async (request) => {
          this.commands.push(request)
          return this.command(request)
        },
        emergencyStop: async (params) => {
          this.stops.push(params)
          this.latch({ active: true, by: params.actor.name, at: wallNsFromMs(Date.now()), ...(params.reason !== undefined && { reason: params.reason }) })
          return { state: this.#emergencyStop, devices: [{ deviceId: STAGE, sentMs: 1, confirmed: true, confirmedMs: 2 }], elapsedMs: 2 }
        },
        releaseEmergencyStop: async () => {
          this.latch({ active: false })
          return { state: this.#emergencyStop }
        },
        holdQueue: () => queue(true),
        releaseQueue: () => {
          if (this.#emergencyStop.active) throw new EmergencyStopped('release the emergency stop before the queue goes on')
          return queue(false)
        },
        abortRun: async () => ({ known: true }),
        syncDevices: async () => ({ postponed: this.postponed }),
        discover: async () => ({ found: this.found }),
        checkDevice: (params, signal) => this.checkDevice(params, signal),
        health: async () => ({
          cpuPercent: 1,
          memoryBytes: 2,
          diskFreeBytes: this.diskFreeBytes,
          journalBacklog: 0,
          components: [{ name: 'journal', state: 'OK' }],
        }),
      },
      streams: {
        async *state(_params, signal) {
          station.#said = []
          yield {
            kind: 'snapshot',
            stationId: station.stationId,
            epoch: station.epoch,
            drivers: DRIVERS,
            devices: station.#devices,
            emergencyStop: station.#emergencyStop,
            queue: station.#queue,
          }
          while (!signal.aborted) {
            const next = station.#said.shift()
            if (next !== undefined) yield next
            else await once(station.#moved, 'state', { signal }).catch(() => undefined)
          }
        },
        async *readings({ handles, after }, signal) {
          let at = after?.epoch === station.epoch ? after.position : station.position
          if (after === undefined || after.epoch !== station.epoch) {
            if (after !== undefined) yield { kind: 'gap', from: after, to: { epoch: station.epoch, position: at }, reason: 'the station has started again' }
            yield {
              kind: 'snapshot',
              at: { epoch: station.epoch, position: at },
              columns: columnsOf(
                wallNsFromMs(Date.now()),
                [...station.#newest].filter(([handle]) => handles?.includes(handle) !== false),
              ),
            }
          }
          while (!signal.aborted) {
            const next = station.#log.get(at + 1)
            if (next === undefined) await once(station.#moved, 'readings', { signal }).catch(() => undefined)
            else {
              at += 1
              if (next.kind === 'gap' || handles === undefined || next.columns.handles.some((handle) => handles.includes(handle))) yield next
            }
          }
        },
        async *runRows({ fromRow }, signal) {
          let sent = 0
          while (!signal.aborted) {
            const next = station.rows[sent]
            if (next === undefined) await once(station.#moved, 'rows', { signal }).catch(() => undefined)
            else {
              sent += 1
              if (next.firstRow >= fromRow || next.ended) yield next
              if (next.ended) return
            }
          }
        },
        async *frames(request, signal) {
          const { quality } = request.view
          station.frameRequests.push(request)
          const size = 8 / FRAME_BIN[quality]
          for (let sequence = 1; !signal.aborted; sequence += 1) {
            if (station.noFrames !== undefined) throw station.noFrames
            const bin = FRAME_BIN[quality]
            yield {
              header: frameHeader(size, size, {
                sequence,
                exposureSeconds: 0.01,
                roi: { x: 0, y: 0, width: 8, height: 8 },
                bin,
                minimum: 1,
                maximum: 500,
                mean: 7.5,
              }),
              pixels: new Uint8Array(size * size * 2).fill(sequence % 256),
            }
            await new Promise((resolve) => setTimeout(resolve, 5))
          }
        },
        async *command({ requestId }) {
          if (requestId !== 'known') throw new Problem('NOT_FOUND', 'there is no such command', { what: 'command' })
          yield { requestId, state: 'ACCEPTED', readings: [], done: false }
          yield { requestId, state: 'DONE', readings: [], done: true }
        },
      },
    }
  }
}

function columnsOf(start: bigint, readings: readonly (readonly [number, number])[]): ReadingColumns {
  return {
    start,
    handles: readings.map(([handle]) => handle),
    offsetsMs: readings.map(() => 0),
    qualities: readings.map(() => 0),
    values: readings.map(([, value]) => value),
  }
}

const CONNECTED = { simulated: true, connection: 'CONNECTED', connectionSince: 0n, status: { code: 'IDLE', since: 0n } } as const
const at = (value: number) => ({ time: 1_700_000_000_000_000_000n, quality: 'GOOD', value }) as const

function stage(): DeviceState {
  return {
    ...CONNECTED,
    id: STAGE,
    name: 'stage',
    driverId: 'fake-stage',
    capabilities: ['MOVABLE', 'PARAMETERIZED'],
    parameters: [
      { spec: POSITION, handle: 1, reading: at(2.5) },
      { spec: VELOCITY, handle: 2, reading: at(1) },
    ],
    motion: { moving: false, homed: true, unit: 'mm', minimum: -10, maximum: 10, positionParameter: 'position', velocityParameter: 'velocity' },
  }
}

function meter(): DeviceState {
  return {
    ...CONNECTED,
    id: METER,
    name: 'meter',
    driverId: 'fake-meter',
    capabilities: ['READABLE', 'PARAMETERIZED'],
    readoutParameter: 'power',
    parameters: [
      { spec: POWER, handle: 3, reading: at(0.001) },
      { spec: RANGE, handle: 4, reading: { time: 1n, quality: 'GOOD', value: 'auto' } },
    ],
  }
}

function camera(): DeviceState {
  return {
    ...CONNECTED,
    id: CAMERA,
    name: 'camera',
    driverId: 'fake-camera',
    capabilities: ['FRAME_PRODUCER'],
    parameters: [{ spec: { name: 'exposure', description: 'time', kind: 'FLOAT', access: 'READ_WRITE', unit: 's' }, handle: 5, reading: at(0.01) }],
    camera: {
      width: 8,
      height: 8,
      bitDepth: 16,
      dtype: 'uint16',
      roi: { x: 0, y: 0, width: 8, height: 8 },
      binning: { x: 1, y: 1 },
      exposureParameter: 'exposure',
      streaming: true,
      framesProduced: 1,
      framesDropped: 0,
    },
  }
}
