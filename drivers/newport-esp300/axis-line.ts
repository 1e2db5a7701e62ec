import { Conflict, HardwareFault, LimitViolation } from '../../core/errors.ts'
import type { Lane } from '../transport/exchange-queue.ts'
import type { Exchange } from '../transport/serial-line.ts'
import type { ControllerPort } from './port.ts'
import { type Axis, ask, LARGEST, NUMBER, parseNumber } from './protocol.ts'
import { type Limits, type Pace, type Reach, readReach } from './reach.ts'
import { type AxisUnit, parseUnit, UNIT } from './units.ts'

const READ_BACK_TOLERANCE = 1e-3 // of the value: the controller rounds to its servo's counts

/** One axis' share of its controller: what is known of its numbers, and the one way in which anything is sent to it. */
export class AxisLine {
  readonly port: ControllerPort
  readonly axis: Axis
  /** What every number of this axis is in. */
  unit: AxisUnit
  limits: Limits
  pace: Pace
  /** What the front panel has made of the unit since, if anything. */
  turnedTo: AxisUnit | undefined
  #stops = 0

  constructor(port: ControllerPort, axis: Axis, unit: AxisUnit, { limits, pace }: Reach) {
    this.port = port
    this.axis = axis
    this.unit = unit
    this.limits = limits
    this.pace = pace
  }

  /** From now on nothing goes out that was asked for before. */
  noteStop(): void {
    this.#stops += 1
  }

  /** An exchange that no other axis can break into. */
  exchange<T>(lane: Lane, work: (line: Exchange) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.port.line.exchange(lane, work, signal, String(this.axis))
  }

  /**
   * What `compose` makes of the state of the axis, the error queue, and what `confirm` asks, as one unit. `compose` may refuse; nothing was sent then.
   */
  command<T>(compose: (line: Exchange) => Promise<string>, confirm: (line: Exchange) => Promise<T>, signal: AbortSignal): Promise<T> {
    const stops = this.#stops + this.port.stops
    return this.exchange(
      'command',
      async (line) => {
        const text = await compose(line)
        if (stops !== this.#stops + this.port.stops) throw new Conflict(`${text} was overtaken by a stop and not sent`)
        await line.send(text)
        await this.port.refuseErrors(line, this.axis, text)
        return await confirm(line)
      },
      signal,
    )
  }

  /** Throws Conflict when the axis counts in another unit than its numbers were described in: the same digits would mean another place. */
  async requireUnit(line: Exchange): Promise<void> {
    const reply = await line.ask(ask.unit(this.axis), UNIT)
    const now = this.noteUnit(reply)
    if (now !== this.unit)
      throw new Conflict(
        `axis ${this.axis} counts in ${now?.name ?? `unit ${reply}`} by now, and was described in ${this.unit.name}; set its units, or connect it again`,
      )
  }

  noteUnit(reply: string): AxisUnit | undefined {
    const now = parseUnit(reply)
    this.turnedTo = now === this.unit ? undefined : now
    return now
  }

  /** Throws LimitViolation for a position that the axis may not be sent to. */
  requireReachable(position: number): void {
    const { minimum = -LARGEST, maximum = LARGEST } = this.limits
    if (!(position >= minimum && position <= maximum)) throw new LimitViolation('position', position, minimum, maximum, this.unit.ucum)
  }

  /** The axis counts in `unit` by now; until its numbers are read anew, it is turned to another unit than theirs. */
  async countIn(line: Exchange, unit: AxisUnit): Promise<void> {
    const { limits, pace } = await readReach(line, this.axis)
    this.unit = unit
    this.turnedTo = undefined
    this.limits = limits
    this.pace = pace
  }

  /** The number that is read back after a set. Throws HardwareFault when it is another one. */
  async readBack(line: Exchange, question: string, what: string, value: number): Promise<number> {
    const confirmed = parseNumber(await line.ask(question, NUMBER))
    if (confirmed === undefined || !this.same(confirmed, value))
      throw new HardwareFault(`${what} was set to ${value} and reads back ${confirmed ?? 'nothing'}`, 'DONE')
    return confirmed
  }

  same(one: number, other: number): boolean {
    return Math.abs(one - other) <= Math.max(this.unit.deadband, READ_BACK_TOLERANCE * Math.abs(other))
  }
}
