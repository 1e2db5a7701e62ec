import { setMaxListeners } from 'node:events'
import type { Logger } from 'pino'
import type { CommandReading } from '../../core/command.ts'
import type { DeviceState, EmergencyStopState, ParameterState } from '../../core/device.ts'
import { StationOffline } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Reading } from '../../core/reading.ts'
import { QUALITIES } from '../../core/reading.ts'
import { formatRfc3339, type WallNs } from '../../core/time.ts'
import type { CallName, DriverDescription, LinkCalls, QueueState, ReadingsItem, ReadingsPosition, StateItem, StationLink } from '../../link/protocol.ts'
import { nowNs } from '../now.ts'
import { isProblem } from '../problem-code.ts'

/** One parameter as the mirror holds it. Its watchers are touched at each new reading: the hot path of live values, so no event objects are made. */
export type Slot = {
  readonly handle: number
  deviceId: string
  spec: ParameterSpec | undefined
  reading: Reading | undefined
  setpoint: Reading | undefined
  /** Position of the batch that brought the newest reading. */
  position: number
  readonly watchers: Set<SlotWatcher>
}
export type SlotWatcher = { touched(slot: Slot): void }

/** How often a station that does not speak to us as agreed is asked again; a lost connection is told by the link itself. */
const RETRY_MS = 1_000

/**
 * What one station is and measures now, as one api knows it: kept by following the station's `state` and `readings` streams, once for all requests.
 * Nothing here is the truth; when the station is away, the last of it stays and is STALE.
 */
export class StationMirror implements AsyncDisposable {
  readonly stationId: string
  readonly name: string
  readonly link: StationLink
  devices: ReadonlyMap<string, DeviceState> = new Map()
  drivers: readonly DriverDescription[] = []
  emergencyStop: EmergencyStopState = { active: false }
  queue: QueueState = { held: false }
  epoch = 0
  position = 0

  readonly #log: Logger
  readonly #slots = new Map<number, Slot>()
  readonly #byParameter = new Map<string, Slot>()
  readonly #listeners = new Set<() => void>()
  readonly #disposed = new AbortController()
  readonly #following: Promise<void>
  #offlineSince: WallNs | undefined
  #synced = false

  constructor(name: string, link: StationLink, log: Logger) {
    this.stationId = link.stationId
    this.name = name
    this.link = link
    this.#log = log
    setMaxListeners(0, this.#disposed.signal) // one for each call under way, which takes it away again
    this.#following = this.#follow()
    link.onChange((online) => {
      if (!online) this.#offlineSince = nowNs()
      this.#tell()
    })
  }

  /** Connected, and what is here is the present. */
  get online(): boolean {
    return this.link.online && this.#synced
  }

  get offlineSince(): WallNs | undefined {
    return this.link.online ? undefined : this.#offlineSince
  }

  /** Called after each change of state (not of readings). */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  slot(deviceId: string, name: string): Slot | undefined {
    return this.#byParameter.get(`${deviceId}/${name}`)
  }

  slots(): Iterable<Slot> {
    return this.#slots.values()
  }

  slotOf(handle: number): Slot | undefined {
    return this.#slots.get(handle)
  }

  /** The newest reading, STALE when nobody can say whether it still holds. */
  reading(deviceId: string, name: string, kind: 'reading' | 'setpoint'): Reading | undefined {
    return this.now(this.slot(deviceId, name)?.[kind])
  }

  /** A reading of this station as it is to be told now. */
  now(reading: Reading | undefined): Reading | undefined {
    return reading === undefined || this.online || reading.quality === 'BAD' ? reading : { ...reading, quality: 'STALE' }
  }

  /** What a command's answer told. The same readings come over the stream a moment later; whoever was answered must not see an older one meanwhile. */
  learn(readings: readonly CommandReading[]): void {
    for (const { deviceId, parameter, reading, setpoint } of readings) {
      const slot = this.slot(deviceId, parameter)
      if (slot === undefined) continue
      if (setpoint === true) slot.setpoint = newer(slot.setpoint, reading)
      else slot.reading = newer(slot.reading, reading)
    }
  }

  /** A station that is away refuses at once; nothing is kept for later. */
  async call<Name extends CallName>(name: Name, params: LinkCalls[Name]['params'], timeoutMs: number): Promise<LinkCalls[Name]['result']> {
    if (!this.link.online) throw this.away()
    return await this.link.call(name, params, { timeoutMs, signal: this.#disposed.signal })
  }

  away(): StationOffline {
    const since = this.offlineSince
    return new StationOffline(`station ${this.name} is away`, { stationId: this.stationId, ...(since !== undefined && { since: formatRfc3339(since) }) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed.abort()
    await this.link[Symbol.asyncDispose]()
    await this.#following
  }

  async #follow(): Promise<void> {
    const { signal } = this.#disposed
    while (!signal.aborted) {
      const lost = new AbortController()
      const both = AbortSignal.any([signal, lost.signal])
      try {
        let following = false
        for await (const item of this.link.stream('state', {}, both)) {
          this.#applyState(item)
          // Only now: the batches speak of handles that the snapshot names.
          if (!following) void this.#followReadings(both).catch((error: unknown) => lost.abort(error))
          following = true
        }
      } catch (error) {
        if (!isProblem(error, 'STATION_OFFLINE') && !signal.aborted)
          this.#log.warn({ station: this.name, error: String(error) }, 'the state of the station is not followed for the moment')
      }
      lost.abort()
      this.#synced = false
      this.#tell()
      await this.#untilOnline(signal)
    }
  }

  async #followReadings(signal: AbortSignal): Promise<void> {
    for await (const item of this.link.stream('readings', {}, signal)) this.#applyReadings(item)
  }

  async #untilOnline(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer)
        stop()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, RETRY_MS)
      const stop = this.link.onChange((online) => {
        if (online) done()
      })
      signal.addEventListener('abort', done, { once: true })
    })
  }

  #applyState(item: StateItem): void {
    switch (item.kind) {
      case 'snapshot':
        if (item.epoch !== this.epoch) this.#forgetHandles()
        this.epoch = item.epoch
        this.drivers = item.drivers
        this.emergencyStop = item.emergencyStop
        this.queue = item.queue
        this.devices = new Map(item.devices.map((device) => [device.id, device]))
        for (const device of item.devices) this.#learn(device)
        this.#synced = true
        break
      case 'drivers':
        this.drivers = item.drivers
        break
      case 'device':
        this.devices = new Map(this.devices).set(item.device.id, item.device)
        this.#learn(item.device)
        break
      case 'removed': {
        const rest = new Map(this.devices)
        rest.delete(item.deviceId)
        this.devices = rest
        break
      }
      case 'emergencyStop':
        this.emergencyStop = item.state
        break
      case 'queue':
        this.queue = item.queue
        break
    }
    this.#tell()
  }

  /** Handles mean something only within one life of the station; the readings stay until the new ones come. */
  #forgetHandles(): void {
    this.#slots.clear()
    this.position = 0
  }

  #learn(device: DeviceState): void {
    for (const parameter of device.parameters) this.#learnParameter(device.id, parameter)
  }

  #learnParameter(deviceId: string, { handle, spec, reading, setpoint }: ParameterState): void {
    const key = `${deviceId}/${spec.name}`
    const before = this.#byParameter.get(key)
    const slot = this.#slot(handle)
    slot.deviceId = deviceId
    slot.spec = spec
    slot.reading = newer(slot.reading ?? before?.reading, reading)
    slot.setpoint = newer(slot.setpoint ?? before?.setpoint, setpoint)
    if (before !== undefined && before !== slot) {
      for (const watcher of before.watchers) slot.watchers.add(watcher)
      before.watchers.clear()
    }
    this.#byParameter.set(key, slot)
  }

  /** A batch may overtake the state that names its handles; its values wait in a slot that is named later. */
  #slot(handle: number): Slot {
    const known = this.#slots.get(handle)
    if (known !== undefined) return known
    const slot: Slot = { handle, deviceId: '', spec: undefined, reading: undefined, setpoint: undefined, position: 0, watchers: new Set() }
    this.#slots.set(handle, slot)
    return slot
  }

  #applyReadings(item: ReadingsItem): void {
    if (item.kind === 'gap') return // a snapshot follows, and the mirror only holds the newest
    this.position = item.at.position
    forEachReading(item, (handle, reading, setpoint) => {
      const slot = this.#slot(handle)
      if (setpoint) slot.setpoint = reading
      else slot.reading = reading
      slot.position = item.at.position
      for (const watcher of slot.watchers) watcher.touched(slot)
    })
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  get at(): ReadingsPosition {
    return { epoch: this.epoch, position: this.position }
  }
}

function newer(one: Reading | undefined, other: Reading | undefined): Reading | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return other.time >= one.time ? other : one
}

/** Walks the columns of a batch. */
export function forEachReading(item: Extract<ReadingsItem, { columns: unknown }>, visit: (handle: number, reading: Reading, setpoint: boolean) => void): void {
  const { start, handles, offsetsMs, qualities, values, reasons, setpoints = [] } = item.columns
  let nextSetpoint = 0
  for (let at = 0; at < handles.length; at += 1) {
    const setpoint = setpoints[nextSetpoint] === at
    if (setpoint) nextSetpoint += 1
    const value = values[at] ?? null
    const time = start + BigInt(Math.round((offsetsMs[at] ?? 0) * 1e6))
    const quality = QUALITIES[qualities[at] ?? 3] ?? 'BAD'
    const reason = reasons?.[at] ?? null
    visit(handles[at] ?? -1, { time, quality, ...(value !== null && { value }), ...(reason !== null && { reason }) }, setpoint)
  }
}
