import type { Cause } from '../../../core/cause.ts'
import type { DeviceRecord, DeviceState, DeviceStatus, PortState } from '../../../core/device.ts'
import { DeviceOffline } from '../../../core/errors.ts'
import type { ParameterSpec } from '../../../core/parameter.ts'
import type { Measured, ParameterValue, Reading } from '../../../core/reading.ts'
import { formatRfc3339 } from '../../../core/time.ts'
import type { DeviceHandle, Driver, DriverContext } from '../../../drivers/driver.ts'
import { Bell } from './bell.ts'
import { type Darkened, Darkening } from './darkened.ts'
import { orAbort } from './deadline.ts'
import { type Connection, DeviceConnection, type LiveHandle } from './device-connection.ts'
import { deviceState, statusOf } from './device-state.ts'
import { FrameStatisticsFeed } from './frame-statistics.ts'
import type { HostedDevice, Writer } from './hosted-device.ts'
import { ParameterTable, readableNames, type TableContext } from './parameter-table.ts'
import { Poller } from './poller.ts'
import type { PortPool } from './port-pool.ts'
import { StationAxis } from './station-axis.ts'
import { StationControls } from './station-controls.ts'
import { sendStop } from './stop-bytes.ts'

export type StationDeviceContext = TableContext & {
  readonly driverContext: DriverContext
  readonly ports: PortPool
  readonly log: (line: string) => void
  /** Throws EmergencyStopped or DeviceBusy when this writer may not write to the device now. */
  readonly permit: (device: StationDevice, writer: Writer) => void
  readonly runOf: (deviceId: string) => string | undefined
  /** Before anybody may command a fresh handle (an emergency stop that is still active is sent to it). Returns what may be dark since. */
  readonly greet: (device: StationDevice, handle: DeviceHandle, connection: AbortSignal) => Promise<Darkened | undefined>
  /** Where its address leads on this host. */
  readonly portOf: (address: string) => Promise<PortState>
  readonly onChange: (device: StationDevice) => void
}

/** One registered device on this station: its connection, its parameters, and the one way in which anything is written to it. */
export class StationDevice implements HostedDevice {
  readonly record: DeviceRecord
  readonly driver: Driver | undefined
  readonly table: ParameterTable
  readonly axis: StationAxis
  readonly controls: StationControls
  readonly light: Darkening
  readonly #context: StationDeviceContext
  readonly #poller: Poller
  readonly #frameStatistics: FrameStatisticsFeed
  readonly #bell = new Bell()
  #connection: DeviceConnection | undefined
  /** The newest handle, from its first moment on. */
  #met: LiveHandle | undefined
  #unreadable: string | undefined
  #status: DeviceStatus
  #port: PortState | undefined

  constructor(record: DeviceRecord, driver: Driver | undefined, context: StationDeviceContext) {
    this.record = record
    this.driver = driver
    this.#context = context
    this.table = new ParameterTable(record.id, record.name, context)
    this.axis = new StationAxis({
      record,
      table: this.table,
      log: context.log,
      live: () => this.live(),
      permit: (writer) => context.permit(this, writer),
      readNow: (names, signal) => this.readNow(names, signal),
      noteChange: (name, old, next, writer) => this.noteChange(name, old, next, writer),
      onChange: () => {
        this.#poller.wake()
        this.#changed()
      },
    })
    this.light = new Darkening({
      reading: (name) => this.table.reading(name),
      readNow: (names, signal) => this.#read(this.#reachable(), names, signal),
      noteChange: (name, old, next, writer) => this.noteChange(name, old, next, writer),
      log: (line) => context.log(`${record.name}: ${line}`),
    })
    this.controls = new StationControls({
      record,
      table: this.table,
      axis: this.axis,
      log: context.log,
      live: () => this.live(),
      connection: () => this.#connection?.live?.signal,
      permit: (writer) => context.permit(this, writer),
      readNow: (names, signal) => this.readNow(names, signal),
      noteChange: (name, old, next, writer) => this.noteChange(name, old, next, writer),
      onBegun: () => this.#poller.wake(),
      onChange: () => this.#changed(),
    })
    this.#poller = new Poller({
      specs: () => this.table.specs,
      busy: () => this.busy,
      read: (names, signal) => this.readNow(names, signal),
      log: (line) => context.log(`${record.name}: ${line}`),
    })
    this.#frameStatistics = new FrameStatisticsFeed(this.table, (line) => context.log(`${record.name}: ${line}`))
    this.#status = { code: 'DISABLED', since: context.clock.wallNs() }
  }

  get handle(): DeviceHandle | undefined {
    return this.#connection?.live?.handle
  }

  get connection(): Connection {
    if (this.#connection !== undefined) return this.#connection.connection
    if (this.driver === undefined)
      return { state: 'FAILED', since: this.#status.since, reason: `no driver ${this.record.driverId} is installed on this station` }
    return { state: 'DISCONNECTED', since: this.#status.since }
  }

  get moving(): boolean {
    return this.axis.moving === true
  }

  /** It moves, or what was set is still under way. */
  get busy(): boolean {
    return this.moving || this.controls.going
  }

  get stops(): number {
    return this.axis.stops
  }

  get simulated(): boolean {
    return String(this.record.settings.address ?? '').startsWith('sim://')
  }

  /** Starts to connect, and stays connected from then on; where that is tried already, it is tried now. */
  connect(): void {
    if (this.#connection !== undefined) return this.#connection.tryNow()
    if (this.driver === undefined) return
    this.#connection = new DeviceConnection({
      record: this.record,
      driver: this.driver,
      ports: this.#context.ports,
      context: this.#context.driverContext,
      opened: (handle, signal) => this.#opened(handle, signal),
      closed: (handle) => this.#frameStatistics.takeLast(handle),
      onChange: (connection) => this.#connectionChanged(connection),
    })
    this.#changed()
  }

  /** Throws DeviceOffline when the attempt under way fails. */
  async untilConnected(signal: AbortSignal): Promise<void> {
    for (;;) {
      const { state } = this.connection
      if (state === 'CONNECTED') return
      if (state === 'FAILED' || state === 'DISCONNECTED') this.live()
      await this.#bell.rung(signal)
      signal.throwIfAborted()
    }
  }

  async disconnect(): Promise<void> {
    const connection = this.#connection
    await connection?.stop()
    if (this.#connection === connection) this.#connection = undefined
    this.#changed()
  }

  /** Throws DeviceOffline. */
  live(): LiveHandle {
    const live = this.#connection?.live
    if (live !== undefined) return live
    const { state, reason, since } = this.connection
    throw new DeviceOffline(`${this.record.name} is ${state.toLowerCase()}${reason === undefined ? '' : `: ${reason}`}`, {
      deviceId: this.record.id,
      since: formatRfc3339(since),
    })
  }

  spec(name: string): ParameterSpec {
    return this.table.spec(name)
  }

  reading(name: string): Reading | undefined {
    return this.table.reading(name)
  }

  setpoint(name: string): Reading | undefined {
    return this.table.setpoint(name)
  }

  async readNow(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Reading>> {
    return await this.#read(this.live(), names, signal)
  }

  async #read(live: LiveHandle, names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Reading>> {
    const streamed = names.filter((name) => this.table.spec(name).streamed)
    const asked = names.filter((name) => !streamed.includes(name))
    const before = this.#position()
    const { sets } = this.table
    const measured: ReadonlyMap<string, Measured> = asked.length === 0 ? new Map() : await orAbort(live.handle.read(asked, signal), signal)
    const answers = asked.map((name) => [name, this.table.answered(name, measured.get(name) ?? { bad: 'the driver did not answer for it' }, sets)] as const)
    if (asked.length > 0) this.#noteReadable(answers.map(([, reading]) => reading))
    this.axis.noteForeignMotion(before, live)
    return new Map([...answers, ...this.#frameStatistics.readNow(live.handle, streamed)])
  }

  async set(name: string, value: ParameterValue, unit: string | undefined, writer: Writer, signal: AbortSignal): Promise<Reading> {
    return await this.controls.set(name, value, unit, writer, signal)
  }

  async arrived(signal: AbortSignal): Promise<void> {
    await this.controls.arrived(signal)
  }

  /** Journals a set with its cause. */
  noteChange(name: string, old: Reading | undefined, next: Reading, { cause }: Writer): void {
    const { unit } = this.table.spec(name)
    this.#context.note({
      type: 'change',
      time: next.time,
      deviceId: this.record.id,
      parameter: name,
      ...(unit !== undefined && { unit }),
      ...(old !== undefined && { old }),
      new: next,
      cause,
    })
  }

  async moveTo(position: number, unit: string | undefined, writer: Writer, signal: AbortSignal): Promise<void> {
    await this.axis.moveTo(position, unit, writer, signal)
  }

  async home(writer: Writer, signal: AbortSignal): Promise<void> {
    await this.axis.home(writer, signal)
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.axis.stop(signal)
  }

  async settled(signal: AbortSignal): Promise<void> {
    await this.axis.settled(signal)
  }

  /** Whatever moves or may move is stopped in the hardest way that the driver knows. Resolves when the bytes are out. */
  async emergencyStop(cause: Cause, signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
    const live = this.#reachable()
    const darkened = { before: this.light.known(live.handle), cause }
    this.axis.stopped()
    const stopping = sendStop(live.handle, signal)
    void this.light.noteAfter(
      orAbort(
        stopping.then(({ confirmed }) => confirmed),
        signal,
      ),
      darkened,
      live.signal,
    )
    const stopped = await stopping
    this.axis.follow(live)
    return stopped
  }

  /** Whether an emergency stop has anything to do here. */
  get stoppable(): boolean {
    const handle = this.handle
    if (handle !== undefined) return handle.emergencyStop !== undefined || handle.motion !== undefined
    return this.driver?.capabilities.some((capability) => capability === 'MOVABLE' || capability === 'EMISSION_CONTROL') === true
  }

  /** Its run, connection or motion has changed: say so. */
  touch(): void {
    this.#changed()
  }

  get state(): DeviceState {
    const { record, driver, simulated, handle, table, connection } = this
    return deviceState({
      record,
      driver,
      simulated,
      handle,
      connection,
      status: this.#status,
      parameters: table.states(),
      moving: this.axis.moving,
      port: this.#port,
      runId: this.#context.runOf(record.id),
    })
  }

  /** Also while it is being greeted: a stop that is pressed then must reach what may move. Throws DeviceOffline. */
  #reachable(): LiveHandle {
    return this.#met?.signal.aborted === false ? this.#met : this.live()
  }

  async #opened(handle: DeviceHandle, connection: AbortSignal): Promise<void> {
    this.#met = { handle, signal: connection }
    const darkened = await this.#context.greet(this, handle, connection)
    this.#port = await this.#locatePort()
    this.table.describe(handle.parameters)
    this.#changed() // readers of the hub learn what the handles mean before the first of their readings, and pass over none
    const names = readableNames(handle.parameters)
    const measured = await handle.read(names, connection)
    this.#noteReadable(names.map((name) => this.table.measured(name, measured.get(name) ?? { bad: 'the driver did not answer for it' })))
    if (darkened !== undefined) this.light.note(darkened)
    if (handle.motion !== undefined) await this.axis.look(handle.motion, connection)
    await this.controls.look(handle, connection)
  }

  async #locatePort(): Promise<PortState | undefined> {
    const { driver, record } = this
    return driver === undefined ? undefined : await this.#context.portOf(driver.locate(record.settings).address)
  }

  #connectionChanged(connection: Connection): void {
    const live = this.#connection?.live
    if (connection.state === 'CONNECTED' && live !== undefined) {
      void this.#poller.run(live.signal)
      void this.#frameStatistics.run(live)
    } else {
      this.axis.forget()
      this.controls.forget()
      this.table.stale(connection.reason ?? `the device is ${connection.state.toLowerCase()}`)
    }
    const { clock, note, log } = this.#context
    const summary = `${this.record.name} is ${connection.state.toLowerCase()}${connection.reason === undefined ? '' : `: ${connection.reason}`}`
    log(summary)
    const { id } = this.record
    const event = { time: clock.wallNs(), kind: 'DEVICE', subject: { type: 'Device', id }, deviceId: id, summary, cause: { kind: 'DEVICE' } } as const
    note({ type: 'event', event })
    this.#changed()
  }

  #position(): Reading | undefined {
    const motion = this.handle?.motion
    return motion === undefined ? undefined : this.reading(motion.positionParameter)
  }

  #noteReadable(readings: readonly Reading[]): void {
    const bad = readings.length > 0 && readings.every(({ quality }) => quality === 'BAD') ? readings[0]?.reason : undefined
    if (bad === this.#unreadable) return
    this.#unreadable = bad
    this.#changed()
  }

  #changed(): void {
    const { code, text } = statusOf(this.connection, this.#unreadable, this.busy || this.handle?.frames?.streaming === true)
    if (code !== this.#status.code || text !== this.#status.text)
      this.#status = { code, since: this.#context.clock.wallNs(), ...(text !== undefined && { text }) }
    this.#bell.ring()
    this.#context.onChange(this)
  }
}
