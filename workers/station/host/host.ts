import type { Actor } from '../../../core/cause.ts'
import type { CommandAnswer, CommandProgress, CommandRequest, DeviceStopResult } from '../../../core/command.ts'
import type { Manifest } from '../../../core/dataset.ts'
import type { DeviceRecord, DeviceState, EmergencyStopState } from '../../../core/device.ts'
import { asProblem, DeviceBusy, HardwareFault, NotFound } from '../../../core/errors.ts'
import type { DriverCatalog } from '../../../drivers/catalog/driver-catalog.ts'
import type { DeviceHandle, DriverContext } from '../../../drivers/driver.ts'
import type { HostPorts } from '../../../drivers/transport/host-ports.ts'
import type { FoundPort } from '../../../link/protocol.ts'
import type { Journal } from '../journal/journal.ts'
import { ChangeFeed } from './change-feed.ts'
import { Claims } from './claims.ts'
import { Commands } from './commands.ts'
import { type Darkened, lookAtLight } from './darkened.ts'
import { deadline, orAbort } from './deadline.ts'
import { discoverPorts } from './discovery.ts'
import { EmergencyStop } from './emergency-stop.ts'
import type { HostedDevice, Writer } from './hosted-device.ts'
import { carryOutLostRule } from './lost-station.ts'
import { takeManifest } from './manifest.ts'
import { type Note, noteIn } from './note.ts'
import { PortPool } from './port-pool.ts'
import { ReadingsHub } from './readings-hub.ts'
import { Sampler } from './sampler.ts'
import { StationDevice, type StationDeviceContext } from './station-device.ts'
import { StationEnds } from './station-ends.ts'
import { sendStop } from './stop-bytes.ts'

/** Devices exclusively held by one run. Aborted, with the Problem that says why, when the run must stop writing (an emergency stop, a newer claim). */
export interface Claim extends AsyncDisposable {
  readonly runId: string
  readonly fence: number
  readonly signal: AbortSignal
}

export type HostChange =
  | { readonly kind: 'device'; readonly device: DeviceState }
  | { readonly kind: 'removed'; readonly deviceId: string }
  | { readonly kind: 'emergencyStop'; readonly state: EmergencyStopState }

export type StopReport = { readonly state: EmergencyStopState; readonly devices: readonly DeviceStopResult[]; readonly elapsedMs: number }

/** Everything that this host's instruments can be asked. */
export interface DeviceHost extends AsyncDisposable {
  readonly devices: ReadonlyMap<string, HostedDevice>
  readonly readings: ReadingsHub
  readonly stopState: EmergencyStopState
  /** Throws NotFound. */
  device(deviceId: string): HostedDevice
  states(): readonly DeviceState[]
  manifest(): Manifest
  command(request: CommandRequest, signal: AbortSignal): Promise<CommandAnswer>
  /** The present first, then what changes, until done. Throws NotFound. */
  progress(requestId: string, signal: AbortSignal): AsyncIterable<CommandProgress>
  /** Nothing refuses it. `elapsedMs`: how long ago the request reached us. */
  emergencyStop(actor: Actor, reason: string | undefined, elapsedMs: number): Promise<StopReport>
  releaseEmergencyStop(actor: Actor, reason: string | undefined): Promise<EmergencyStopState>
  /** Called at once, before the stop bytes are confirmed. */
  onEmergencyStop(listener: (state: EmergencyStopState) => void): () => void
  /** From now on only writes that carry this run's fence reach these devices. Throws NotFound, DeviceBusy, EmergencyStopped. */
  claim(runId: string, fence: number, deviceIds: readonly string[]): Claim
  /** Each device's newest state after it changed (coalesced, so that a slow reader holds no memory). Values travel over `readings`. */
  changes(signal: AbortSignal): AsyncIterable<HostChange>
  /** Reads the registry again and carries out what is new, changed or removed. Says which devices are busy; they follow as soon as they are free. */
  syncDevices(): Promise<{ readonly postponed: readonly string[] }>
  /** Which ports there are, who of the registered devices is on them, and what else answers. Touches no port that is open. */
  discover(signal: AbortSignal): Promise<readonly FoundPort[]>
  /** Ends what is under way, lets nothing be set in motion from now on, and stops whatever moves, on every device at once; for the end of the process. */
  stopMotion(): Promise<void>
}

export type HostOptions = {
  readonly epoch: number
  readonly catalog: Pick<DriverCatalog, 'drivers' | 'find' | 'onChange'>
  readonly driverContext: DriverContext
  readonly journal: HostJournal
  /** The devices that this station is to have, read again at each sync. */
  readonly registry: () => Promise<readonly DeviceRecord[]>
  readonly commit: string
  readonly log: (line: string) => void
  readonly hostPorts: HostPorts
}

type HostJournal = Pick<Journal, 'append' | 'flush' | 'answerFor' | 'callsFor' | 'memory'>

const CAMERA_STATE_EVERY_MS = 1_000 // frame counts of a streaming camera, for eyes
const STOP_MOTION_WITHIN_MS = 2_000 // at the end of the process; with the next one less than the supervisor's patience
const CLOSE_WITHIN_MS = 2_000 // a driver that hangs must not keep the journal from being closed

/** Reads the registry and starts to connect; devices come as they answer. */
export async function openDeviceHost(options: HostOptions): Promise<DeviceHost> {
  const { journal, driverContext } = options
  const afterLoss = journal.memory.life?.state === 'BEGAN'
  journal.append({ type: 'life', time: driverContext.clock.wallNs(), state: 'BEGAN', ...(afterLoss && { afterLoss }) })
  await journal.flush() // before any device is touched
  const host = new Host(options, afterLoss)
  await host.syncDevices()
  return host
}

class Host implements DeviceHost {
  readonly devices = new Map<string, StationDevice>()
  readonly readings: ReadingsHub
  readonly #options: HostOptions
  readonly #stop: EmergencyStop
  readonly #claims: Claims
  readonly #commands: Commands
  readonly #feed: ChangeFeed
  readonly #deviceContext: StationDeviceContext
  readonly #cameraTimer: NodeJS.Timeout
  readonly #forgetCatalog: () => void
  readonly #note: Note
  readonly #afterLoss: boolean
  /** What the station had when it was lost, and has not met again since. */
  #lost: Set<string> | undefined
  #records: readonly DeviceRecord[] = []
  /** What could not be let go of yet. */
  #postponed: readonly string[] = []
  #sync: Promise<unknown> = Promise.resolve()
  #ending: StationEnds | undefined

  constructor(options: HostOptions, afterLoss: boolean) {
    this.#options = options
    this.#afterLoss = afterLoss
    const { journal, log, driverContext } = options
    const { clock } = driverContext
    const note = noteIn(journal, log)
    this.#note = note
    const sampler = new Sampler(note)
    this.readings = new ReadingsHub({ epoch: options.epoch, onBatch: (batch) => sampler.take(batch) })
    this.#feed = new ChangeFeed(this.devices, () => this.#stop.state)
    this.#claims = new Claims((deviceId) => {
      this.devices.get(deviceId)?.touch()
      this.#followChanges() // its removal, or a new version of its driver, may have waited for the end of the run
    })
    this.#forgetCatalog = options.catalog.onChange(() => this.#followChanges())
    this.#commands = new Commands({
      journal,
      note,
      clock,
      device: (deviceId) => this.device(deviceId),
      permit: (device, writer) => this.#permit(device, writer),
      permitRelease: ({ record }, writer) => this.#claims.permit(record, writer),
    })
    this.#stop = new EmergencyStop({
      journal,
      clock,
      log,
      devices: () => this.devices.values(),
      interrupt: (reason) => {
        this.#commands.interrupt(reason)
        this.#claims.interrupt(reason)
      },
      onChange: () => this.#feed.stopChanged(),
    })
    let lastHandle = 0
    this.#deviceContext = {
      clock,
      note,
      log,
      driverContext,
      sampler,
      hub: this.readings,
      ports: new PortPool(),
      nextHandle: () => ++lastHandle,
      permit: (device, writer) => this.#permit(device, writer),
      runOf: (deviceId) => this.#claims.runOf(deviceId),
      greet: (device, handle, connection) => this.#greet(device, handle, connection),
      portOf: (address) => options.hostPorts.describe(address),
      onChange: ({ record }) => this.#feed.deviceChanged(record.id),
    }
    this.#cameraTimer = setInterval(() => {
      for (const device of this.devices.values()) if (device.handle?.frames?.streaming === true) device.touch()
    }, CAMERA_STATE_EVERY_MS)
  }

  get stopState(): EmergencyStopState {
    return this.#stop.state
  }

  device(deviceId: string): StationDevice {
    const device = this.devices.get(deviceId)
    if (device === undefined) throw new NotFound(`device ${deviceId} on this station`)
    return device
  }

  states(): readonly DeviceState[] {
    return [...this.devices.values()].map(({ state }) => state)
  }

  manifest(): Manifest {
    return takeManifest(this.devices.values(), this.#options.driverContext.clock.wallNs(), this.#options.commit)
  }

  async command(request: CommandRequest, signal: AbortSignal): Promise<CommandAnswer> {
    return await this.#commands.carryOut(request, signal)
  }

  progress(requestId: string, signal: AbortSignal): AsyncIterable<CommandProgress> {
    return this.#commands.progress.follow(requestId, signal)
  }

  async emergencyStop(actor: Actor, reason: string | undefined, elapsedMs: number): Promise<StopReport> {
    return await this.#stop.stop(actor, reason, elapsedMs)
  }

  async releaseEmergencyStop(actor: Actor, reason: string | undefined): Promise<EmergencyStopState> {
    return await this.#stop.release(actor, reason)
  }

  onEmergencyStop(listener: (state: EmergencyStopState) => void): () => void {
    return this.#stop.onStop(listener)
  }

  claim(runId: string, fence: number, deviceIds: readonly string[]): Claim {
    this.#stop.permit()
    const devices = deviceIds.map((deviceId) => this.device(deviceId))
    for (const { record, moving } of devices)
      if (moving || this.#commands.isBusy(record.id)) throw new DeviceBusy(`${record.name} is busy with a command`, { deviceId: record.id })
    return this.#claims.claim(
      runId,
      fence,
      devices.map(({ record }) => record),
    )
  }

  changes(signal: AbortSignal): AsyncIterable<HostChange> {
    return this.#feed.read(signal)
  }

  /** One at a time: each carries out what is in the registry when its turn comes. */
  async syncDevices(): Promise<{ readonly postponed: readonly string[] }> {
    return await this.#inTurn(async () => {
      this.#records = await this.#options.registry()
      await this.#carryOutRegistry()
      return { postponed: this.#postponed }
    })
  }

  async discover(signal: AbortSignal): Promise<readonly FoundPort[]> {
    const { catalog, hostPorts, driverContext, log } = this.#options
    const devices = [...this.devices.values()]
    return await discoverPorts({ drivers: catalog.drivers, devices, hostPorts, pool: this.#deviceContext.ports, context: driverContext, log }, signal)
  }

  async stopMotion(): Promise<void> {
    const ending = this.#ending ?? new StationEnds()
    this.#ending = ending
    this.#commands.interrupt(ending)
    using limit = deadline(new AbortController().signal, STOP_MOTION_WITHIN_MS, () => ending)
    const moving = [...this.devices.values()].filter((device) => device.moving)
    await Promise.all(
      moving.map(async (device) => {
        try {
          await device.stop(limit.signal)
          await device.settled(limit.signal)
        } catch (error) {
          this.#options.log(`${device.record.name} could not be stopped: ${asProblem(error).message}`)
        }
      }),
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#cameraTimer)
    this.#forgetCatalog()
    await this.stopMotion()
    using limit = deadline(new AbortController().signal, CLOSE_WITHIN_MS, () => new HardwareFault(`not let go of within ${CLOSE_WITHIN_MS} ms`, 'NONE'))
    const closing = [...this.devices.values()].map(async (device) => {
      try {
        await orAbort(device.disconnect(), limit.signal)
      } catch (error) {
        this.#options.log(`${device.record.name}: ${asProblem(error).message}`)
      }
    })
    await Promise.all(closing)
    this.readings.flush()
    this.#note({ type: 'life', time: this.#options.driverContext.clock.wallNs(), state: 'ENDED' })
  }

  #permit({ record }: StationDevice, writer: Writer): void {
    if (this.#ending !== undefined) throw this.#ending
    this.#stop.permit()
    this.#claims.permit(record, writer)
  }

  /** A device that was away when the stop was pressed, or whose station was lost, may still move. */
  async #greet(device: StationDevice, handle: DeviceHandle, connection: AbortSignal): Promise<Darkened | undefined> {
    const { clock } = this.#options.driverContext
    const { active } = this.#stop.state
    const stopped: Darkened | undefined = active ? { before: device.light.known(handle), cause: this.#stop.cause } : undefined
    if (active) {
      const { confirmed } = await sendStop(handle, connection)
      confirmed.catch(() => undefined) // whether it stands is asked next, by the first look at the axis
    }
    const { id, name } = device.record
    if (this.#lost?.has(id) !== true) return stopped
    const rule = device.driver?.afterLostStation
    const before = rule === 'MAKE_SAFE' ? await lookAtLight(handle, clock, connection) : undefined
    const done = await carryOutLostRule(rule, handle, connection)
    this.#lost.delete(id)
    if (done === undefined) return stopped
    const summary = `${name} ${done}, because its station had been lost`
    this.#options.log(summary)
    const time = clock.wallNs()
    this.#note({ type: 'event', event: { time, kind: 'DEVICE', subject: { type: 'Device', id }, deviceId: id, summary, cause: { kind: 'DEVICE' } } })
    return before === undefined ? stopped : { before, cause: { kind: 'INTERLOCK', reason: 'its station had been lost' } }
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const previous = this.#sync
    const turn = (async () => {
      await previous.catch(() => undefined) // whoever asked for it has heard
      return await work()
    })()
    this.#sync = turn
    return await turn
  }

  /** What is busy stays as it is; everything else is carried out. */
  async #carryOutRegistry(): Promise<void> {
    this.#lost ??= new Set(this.#afterLoss ? this.#records.map(({ id }) => id) : [])
    const wanted = new Map(this.#records.map((record) => [record.id, record]))
    const leaving = [...this.devices.values()].filter(({ record }) => wanted.get(record.id)?.version !== record.version)
    const removed = await Promise.all(leaving.map((device) => this.#tryToRemove(device)))
    this.#postponed = leaving.flatMap(({ record }, at) => (removed[at] === true ? [] : [record.id]))
    await this.#letGoOfChangedDrivers()
    for (const record of this.#records) {
      if (this.devices.has(record.id)) continue
      const device = new StationDevice(record, this.#options.catalog.find(record.driverId), this.#deviceContext)
      this.devices.set(record.id, device)
      device.connect()
      this.#feed.deviceChanged(record.id)
    }
  }

  /**
   * Devices whose driver came, changed or went are made anew, and those that were busy when they were to go are let go of; without a look at the registry:
   * the database may be away.
   */
  #followChanges(): void {
    const free = this.#postponed.some((id) => this.#claims.runOf(id) === undefined)
    if (this.#ending !== undefined || (!free && this.#withChangedDriver().length === 0)) return
    this.#inTurn(() => this.#carryOutRegistry()).catch((error: unknown) => this.#options.log(`devices have changed: ${asProblem(error).message}`))
  }

  /** A run keeps the version of a driver that it began with, and with it every device of that driver: they may share a port. */
  #withChangedDriver(): readonly StationDevice[] {
    const devices = [...this.devices.values()]
    const inRuns = new Set(devices.filter(({ record }) => this.#claims.runOf(record.id) !== undefined).map(({ record }) => record.driverId))
    return devices.filter(({ record, driver }) => driver !== this.#options.catalog.find(record.driverId) && !inRuns.has(record.driverId))
  }

  /** All of them before any connects again. The old version is let go whatever it says: it may be the broken one. */
  async #letGoOfChangedDrivers(): Promise<void> {
    using limit = deadline(new AbortController().signal, CLOSE_WITHIN_MS, () => new HardwareFault(`not let go of within ${CLOSE_WITHIN_MS} ms`, 'POSSIBLE'))
    const leaving = this.#withChangedDriver().map(async (device) => {
      const { record } = device
      this.#options.log(`${record.name}: its driver ${record.driverId} has changed`)
      try {
        if (device.moving) await device.stop(limit.signal)
        await orAbort(device.disconnect(), limit.signal)
      } catch (error) {
        this.#options.log(`${record.name}: ${asProblem(error).message}`)
        void device.disconnect() // goes on behind; its port stays taken until then
      }
      this.#forget(device)
    })
    await Promise.all(leaving)
  }

  /** false: a run has it, or it moves and cannot be stopped. */
  async #tryToRemove(device: StationDevice): Promise<boolean> {
    const { id, name } = device.record
    const runId = this.#claims.runOf(id)
    try {
      if (runId !== undefined) throw new DeviceBusy(`in use by run ${runId}`, { deviceId: id })
      if (device.moving) await device.stop(AbortSignal.timeout(STOP_MOTION_WITHIN_MS))
      await device.disconnect()
    } catch (error) {
      this.#options.log(`${name} is not let go of yet: ${asProblem(error).message}`)
      return false
    }
    this.#forget(device)
    return true
  }

  #forget(device: StationDevice): void {
    const { id } = device.record
    this.devices.delete(id)
    this.readings.forget(device.table.handles)
    this.#deviceContext.sampler.forget(device.table.handles)
    this.#feed.deviceChanged(id)
  }
}
