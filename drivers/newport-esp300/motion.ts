import { setTimeout as pause } from 'node:timers/promises'
import { Conflict, HardwareFault, Problem } from '../../core/errors.ts'
import type { MotionFacet } from '../driver.ts'
import type { Exchange } from '../transport/serial-line.ts'
import type { AxisLine } from './axis-line.ts'
import { ask, command, FLAG, HOMING_ABORTED, type HomeMode, NUMBER, parseFlag, parseNumber } from './protocol.ts'
import { type Limits, longestMotionMs } from './reach.ts'

const CONFIRM_STOP_WITHIN_MS = 5000 // the longest emergency deceleration of a stage is a fraction of this
const CONFIRM_STOP_EVERY_MS = 20
const CONFIRM_REPLY_MS = 500 // a lost reply must not use up the time to confirm in

/** What was accepted and has not been seen to end. `unanswered`: answers of the error queue that were lost before it began. */
type UnderWay = {
  readonly kind: 'move' | 'home'
  readonly target: number | undefined
  readonly unanswered: number
  readonly stopped?: true
}

/** Motion of one axis. Its end is the controller's own word: MD?, and then the error queue, since a limit or a following error ends a motion too. */
export class AxisMotion implements MotionFacet {
  readonly positionParameter = 'position'
  readonly velocityParameter = 'velocity'
  readonly #line: AxisLine
  readonly #homeMode: HomeMode | undefined
  #underWay: UnderWay | undefined
  #homed: boolean | undefined

  constructor(line: AxisLine, homeMode: HomeMode | undefined) {
    this.#line = line
    this.#homeMode = homeMode
  }

  get unit(): string {
    return this.#line.unit.ucum
  }

  get longestMs(): number {
    return longestMotionMs(this.#line)
  }

  limits(): Limits {
    return this.#line.limits
  }

  homed(): boolean | undefined {
    return this.#homed
  }

  async moveTo(position: number, signal: AbortSignal): Promise<void> {
    const { axis } = this.#line
    this.#line.requireReachable(position)
    await this.#start(
      'move',
      async (line) => {
        await this.#line.requireUnit(line)
        this.#line.requireReachable(position) // a set that went before may have moved the limits
        return { text: command.moveTo(axis, position), target: position }
      },
      signal,
    )
  }

  /** Counted from where the last move was to end, by the controller. */
  async moveBy(distance: number, signal: AbortSignal): Promise<void> {
    const { axis } = this.#line
    await this.#start(
      'move',
      async (line) => {
        await this.#line.requireUnit(line)
        const from = parseNumber(await line.ask(ask.setpoint(axis), NUMBER))
        if (from === undefined) throw new HardwareFault(`axis ${axis} does not say where it counts from`, 'NONE')
        this.#line.requireReachable(from + distance)
        return { text: command.moveBy(axis, distance), target: from + distance }
      },
      signal,
    )
  }

  async home(signal: AbortSignal): Promise<void> {
    await this.searchHome(this.#homeMode, signal)
  }

  async searchHome(mode: HomeMode | undefined, signal: AbortSignal): Promise<void> {
    await this.#start('home', async () => ({ text: command.home(this.#line.axis, mode), target: undefined }), signal)
  }

  async isMoving(signal: AbortSignal): Promise<boolean> {
    return await this.#line.exchange('command', (line) => this.#isMoving(line), signal)
  }

  async stop(signal: AbortSignal): Promise<void> {
    const { axis, port } = this.#line
    this.#line.noteStop()
    const ending = this.#noteStopped()
    await port.line.interject(command.stop(axis))
    await this.#confirmStop('the stop', ending, signal)
  }

  async stopAll(signal: AbortSignal): Promise<void> {
    const ending = this.#noteStopped()
    await this.#line.port.stopAll()
    await this.#confirmStop('the stop of every axis', ending, signal)
  }

  async emergencyStop(signal: AbortSignal): Promise<{ readonly confirmed: Promise<boolean> }> {
    this.#line.noteStop()
    this.#noteStopped()
    await this.#line.port.abort()
    return { confirmed: this.#stands(signal) }
  }

  /** Throws Conflict while the axis moves. */
  async requireStanding(line: Exchange, what: string): Promise<void> {
    if (parseFlag(await line.ask(ask.motionDone(this.#line.axis), FLAG)) !== true)
      throw new Conflict(`axis ${this.#line.axis} moves; ${what} waits until it stands`)
  }

  async #start(
    kind: UnderWay['kind'],
    compose: (line: Exchange) => Promise<{ readonly text: string; readonly target: number | undefined }>,
    signal: AbortSignal,
  ): Promise<void> {
    const { unanswered } = this.#line.port
    let target: number | undefined
    const begun = (): void => {
      this.#underWay = { kind, target, unanswered }
      if (kind === 'home') this.#homed = false
    }
    try {
      await this.#line.command(
        async (line) => {
          const composed = await compose(line)
          target = composed.target
          return composed.text
        },
        () => Promise.resolve(),
        signal,
      )
    } catch (error) {
      if (error instanceof Problem && error.effect !== 'NONE') begun() // the answer is lost, the axis may move all the same
      throw error
    }
    begun()
  }

  async #isMoving(line: Exchange): Promise<boolean> {
    const { axis, port } = this.#line
    if (parseFlag(await line.ask(ask.motionDone(axis), FLAG)) === false) return true
    const ended = this.#underWay
    if (ended === undefined) return false
    try {
      await port.refuseErrors(line, axis, ended.kind === 'home' ? 'the search for home' : 'the move', 'ended', this.#expected(ended))
      if (port.unanswered !== ended.unanswered && !ended.stopped) await this.#verify(line, ended)
    } catch (error) {
      // An answer that was lost on the line says nothing: the end is still to be asked for.
      if (error instanceof Problem && error.facts.instrumentCode !== undefined) this.#underWay = undefined
      throw error
    }
    this.#underWay = undefined
    if (ended.kind === 'home' && !ended.stopped) this.#homed = true
    return false
  }

  /** The error queue tells an error once, and one of its answers was lost: the place tells instead whether the motion ended well. */
  async #verify(line: Exchange, ended: UnderWay): Promise<void> {
    const { axis } = this.#line
    const doubt = (seen: string): never => {
      throw new HardwareFault(`${seen}, and an answer of the error queue was lost: how it ended is not known`, 'DONE', { instrumentCode: '0' })
    }
    if (parseFlag(await line.ask(ask.motorOn(axis), FLAG)) !== true) doubt(`the motor of axis ${axis} is off after the ${ended.kind}`)
    if (ended.kind === 'home') doubt('the search for home is over')
    const at = parseNumber(await line.ask(ask.position(axis), NUMBER))
    const { target } = ended
    if (target !== undefined && (at === undefined || !this.#line.same(at, target))) doubt(`the axis stands at ${at ?? 'no place'} instead of ${target}`)
  }

  /** The motion no longer ends where it was to, and a search does not find home. */
  #noteStopped(): UnderWay | undefined {
    if (this.#underWay !== undefined) this.#underWay = { ...this.#underWay, stopped: true }
    return this.#underWay
  }

  async #confirmStop(what: string, ending: UnderWay | undefined, signal: AbortSignal): Promise<void> {
    const { axis, port } = this.#line
    try {
      await this.#line.exchange('urgent', (line) => port.refuseErrors(line, axis, what, 'ended', this.#expected(ending)), signal)
    } catch (error) {
      // The exchange knows of its own questions only, and the stop went out before it.
      throw error instanceof Problem && error.effect === 'NONE' ? error.with({ effect: 'POSSIBLE' }) : error
    }
  }

  /** A search that was to be stopped was aborted: that is no fault. */
  #expected(ending: UnderWay | undefined): readonly number[] {
    return ending?.kind === 'home' && ending.stopped ? [this.#line.axis * 100 + HOMING_ABORTED] : []
  }

  async #stands(signal: AbortSignal): Promise<boolean> {
    const { axis, port } = this.#line
    const deadline = performance.now() + CONFIRM_STOP_WITHIN_MS
    while (!signal.aborted && !port.lost.aborted && performance.now() < deadline) {
      // Another axis' emergency stop may void this question: then it is asked again.
      const done = await port.line.ask('urgent', ask.motionDone(axis), FLAG, signal, CONFIRM_REPLY_MS).then(parseFlag, () => undefined)
      if (done === true) return true
      await pause(CONFIRM_STOP_EVERY_MS)
    }
    return false
  }
}
