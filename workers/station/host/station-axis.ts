import type { DeviceRecord } from '../../../core/device.ts'
import { asProblem, DeviceBusy, DeviceOffline, NotSupported } from '../../../core/errors.ts'
import { exceedsDeadband } from '../../../core/parameter.ts'
import type { Reading } from '../../../core/reading.ts'
import type { MotionFacet } from '../../../drivers/driver.ts'
import { ActivityWatch, type StillGoing } from './activity-watch.ts'
import { checkPosition } from './check-position.ts'
import { orAbort } from './deadline.ts'
import type { LiveHandle } from './device-connection.ts'
import type { HostedDevice, Writer } from './hosted-device.ts'
import type { ParameterTable } from './parameter-table.ts'

/** What an axis needs of the device that it belongs to. */
export type AxisContext = Pick<HostedDevice, 'readNow'> & {
  readonly record: DeviceRecord
  readonly table: ParameterTable
  /** Throws DeviceOffline. */
  readonly live: () => LiveHandle
  readonly permit: (writer: Writer) => void
  readonly noteChange: (name: string, old: Reading | undefined, next: Reading, writer: Writer) => void
  readonly log: (line: string) => void
  /** It moves, or does not any more. */
  readonly onChange: () => void
}

/** How a device moves: one motion at a time, watched until the instrument says that it stands. */
export class StationAxis {
  readonly #context: AxisContext
  readonly #watch: ActivityWatch
  #stops = 0
  /** Where the last move was to end, while nothing has moved the axis since it did. */
  #restingAt: number | undefined

  constructor(context: AxisContext) {
    this.#context = context
    this.#watch = new ActivityWatch(context.onChange)
  }

  /** undefined while nobody knows. */
  get moving(): boolean | undefined {
    return this.#watch.going
  }

  /** Grows with each stop: whoever waits for a move sees by it that the move did not end by itself. */
  get stops(): number {
    return this.#stops
  }

  /** The checks of a move, without it: the position in the axis' own unit. */
  check(position: number, unit: string | undefined): number {
    return checkPosition(this.facet(), position, unit)
  }

  async moveTo(position: number, unit: string | undefined, writer: Writer, signal: AbortSignal): Promise<void> {
    const { table, noteChange } = this.#context
    const target = this.check(position, unit)
    await this.#start(writer, async (motion) => {
      await orAbort(motion.moveTo(target, signal), signal)
      const name = motion.positionParameter
      const old = table.setpoint(name) ?? table.reading(name)
      noteChange(name, old, table.asked(name, target), writer)
      this.#restingAt = target
    })
  }

  async home(writer: Writer, signal: AbortSignal): Promise<void> {
    await this.#start(writer, (motion) => orAbort(motion.home(signal), signal))
  }

  async stop(signal: AbortSignal): Promise<void> {
    const motion = this.facet()
    const live = this.#context.live()
    this.stopped()
    await orAbort(motion.stop(signal), signal)
    this.follow(live)
  }

  /** Somebody stops it: what it was asked to do before does not end by itself. */
  stopped(): void {
    this.#restingAt = undefined
    this.#stops += 1
  }

  async settled(signal: AbortSignal): Promise<void> {
    await this.#watch.settled(signal)
  }

  /** It moves, or may: watch it until it stands. Nothing where the device has no axis. */
  follow({ handle, signal }: LiveHandle): void {
    this.#restingAt = undefined
    if (handle.motion !== undefined) this.#watch.begin(goingOf(handle.motion), signal)
  }

  /** After connecting. */
  async look(motion: MotionFacet, connection: AbortSignal): Promise<void> {
    await this.#watch.look(goingOf(motion), connection)
  }

  /** The connection is gone. */
  forget(): void {
    this.#restingAt = undefined
    this.#watch.forget()
  }

  /**
   * What a relative move counts from, in the axis' unit: where the last move was to end, if the axis still stands there, else where it stands.
   * So ten steps of 0.1 mm do not add up ten errors of measurement.
   */
  async origin(signal: AbortSignal): Promise<number> {
    const { record, table, readNow } = this.#context
    const { positionParameter } = this.facet()
    const reading = (await readNow([positionParameter], signal)).get(positionParameter)
    if (typeof reading?.value !== 'number')
      throw new DeviceOffline(`${record.name} does not say where it stands: ${reading?.reason ?? 'no position'}`, { deviceId: record.id })
    const { deadband = 0, step = 0 } = table.spec(positionParameter)
    const near = this.#restingAt !== undefined && Math.abs(reading.value - this.#restingAt) <= Math.max(deadband, step)
    return near ? (this.#restingAt ?? reading.value) : reading.value
  }

  /** An axis that leaves its place without a move of ours is moved at the front panel: watch it until it stands. */
  noteForeignMotion(before: Reading | undefined, { handle: { motion }, signal }: LiveHandle): void {
    const { table, record, log } = this.#context
    if (motion === undefined || this.#watch.going !== false || before?.quality !== 'GOOD') return
    const now = table.reading(motion.positionParameter)
    if (now?.quality !== 'GOOD' || !exceedsDeadband(table.spec(motion.positionParameter), before.value, now.value)) return
    this.look(motion, signal).catch((error: unknown) => {
      if (!signal.aborted) log(`${record.name}: ${asProblem(error).message}`)
    })
  }

  /** Throws NotSupported, DeviceOffline. */
  facet(): MotionFacet {
    const { record, live } = this.#context
    const { motion } = live().handle
    if (motion === undefined) throw new NotSupported(`${record.name} cannot move`, 'MOVABLE')
    return motion
  }

  /** Throws DeviceBusy, too, while it moves. */
  stillFacet(): MotionFacet {
    const { record } = this.#context
    const motion = this.facet()
    if (this.moving === true) throw new DeviceBusy(`${record.name} is moving; stop it first or wait until it stands`, { deviceId: record.id })
    return motion
  }

  async #start(writer: Writer, start: (motion: MotionFacet) => Promise<void>): Promise<void> {
    const { live, permit } = this.#context
    const { signal: connection } = live()
    this.facet()
    permit(writer)
    const motion = this.stillFacet()
    this.#restingAt = undefined
    try {
      await start(motion)
    } catch (error) {
      if (asProblem(error).effect !== 'NONE') this.#watch.begin(goingOf(motion), connection) // the answer is lost, the axis may move all the same
      throw error
    }
    this.#watch.begin(goingOf(motion), connection)
  }
}

function goingOf(motion: MotionFacet): StillGoing {
  return (signal) => motion.isMoving(signal)
}
