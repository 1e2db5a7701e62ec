import { setTimeout as pause } from 'node:timers/promises'
import { asProblem, DeadlineExceeded, HardwareFault, type Problem } from '../../core/errors.ts'
import type { DomeEncoder } from './encoder.ts'
import type { DomeMotor, MoveEnd, RunningMove } from './motor.ts'
import type { RotatorSettings } from './settings.ts'
import type { StepCount } from './step-count.ts'

const LOOK_EVERY_MS = 100
const STATUS_LOST_IN_A_ROW = 3 // then nobody knows what the motor does, and it is stopped
const STOPS_WITHIN_MS = 3000 // the firmware looks for STOP every 100 steps in a ramp, which are 0.3 s at most
const SLOWEST_CRUISE_US = 500 // DriftApp waits for a move as if its steps took at least this
const SPARE_MS = 5000
const STUCK_AFTER = 3 // degrees that the motor has turned, and
const STUCK_BELOW = 0.1 // degrees that the encoder has seen

export type TurnParts = {
  readonly motor: DomeMotor
  readonly encoder: DomeEncoder | undefined
  readonly count: StepCount
  readonly drive: RotatorSettings['drive']
}

/** As DriftApp cuts it: +10 deg are 53 940 steps. */
export function stepsOf(degrees: number, stepsPerRevolution: number): number {
  return Math.trunc(Math.abs(degrees) / (360 / stepsPerRevolution))
}

/** One move of the motor, watched until it stands. */
export class Turn {
  readonly #parts: TurnParts
  readonly #steps: number
  readonly #sign: 1 | -1
  /** Of the encoder, at the start. */
  readonly #from: number | undefined
  readonly #limitMs: number
  readonly #startMs = performance.now()
  readonly #madeBefore: number
  #move: RunningMove | undefined
  #statusLost = 0

  constructor(parts: TurnParts, degrees: number) {
    this.#parts = parts
    this.#steps = stepsOf(degrees, parts.drive.stepsPerRevolution)
    this.#sign = degrees < 0 ? -1 : 1
    this.#from = parts.encoder?.count.turned
    this.#limitMs = (this.#steps * Math.max(parts.drive.delayUs, SLOWEST_CRUISE_US)) / 1000 + SPARE_MS
    this.#madeBefore = parts.count.made
  }

  /** Returns when the controller has accepted the move; fewer than one step is no move. */
  async begin(signal: AbortSignal): Promise<void> {
    const { motor, count, drive } = this.#parts
    if (this.#steps === 0) return
    const direction = this.#sign === 1 ? drive.rising : drive.rising === 1 ? 0 : 1
    count.begin(this.#steps, this.#sign)
    try {
      this.#move = await motor.start({ steps: this.#steps, direction, delayUs: drive.delayUs, ramp: drive.ramp }, signal)
    } catch (error) {
      if (asProblem(error).effect === 'NONE') count.end(0)
      else count.lose()
      throw error
    }
  }

  /** Until the motor stands. Ends the move when `enough` says so, without a fault; throws what else ended it. */
  async finish(signal: AbortSignal, enough: () => boolean = () => false): Promise<void> {
    if (this.#move === undefined) return
    const { count } = this.#parts
    try {
      for (;;) {
        const end = await Promise.race([this.#move.ended, pause(LOOK_EVERY_MS, undefined)])
        if (end !== undefined) return await this.#ended(end, signal)
        const trouble = signal.aborted ? asProblem(signal.reason, 'DONE') : ((await this.#noteStatus(signal)) ?? (await this.#trouble()))
        if (trouble === undefined && !enough()) continue
        count.end((await this.#stopped()).steps)
        if (trouble !== undefined) throw trouble
        return
      }
    } catch (error) {
      count.lose()
      throw error
    }
  }

  async #ended(end: MoveEnd, signal: AbortSignal): Promise<void> {
    this.#parts.count.end(end.steps)
    if (signal.aborted) throw asProblem(signal.reason, 'DONE')
    if (end.stopped) throw fault('STOPPED', `the motor was stopped after ${end.steps} of ${this.#steps} steps`)
    const trouble = await this.#trouble()
    if (trouble !== undefined) throw trouble
  }

  async #noteStatus(signal: AbortSignal): Promise<Problem | undefined> {
    try {
      const status = await this.#parts.motor.status(signal)
      if (status.moving) this.#parts.count.note(status.remaining)
      this.#statusLost = 0
      return undefined
    } catch (error) {
      this.#statusLost += 1
      if (signal.aborted || this.#parts.motor.lost.aborted) return asProblem(signal.aborted ? signal.reason : error, 'DONE')
      return this.#statusLost < STATUS_LOST_IN_A_ROW ? undefined : fault('NO_STATUS', `nobody knows what the motor does: ${asProblem(error).message}`)
    }
  }

  async #trouble(): Promise<Problem | undefined> {
    const { encoder, count, drive } = this.#parts
    if (performance.now() - this.#startMs > this.#limitMs)
      return new DeadlineExceeded(`the move of ${this.#steps} steps has not ended in its time`, this.#limitMs, 'DONE').with({ instrumentCode: 'LATE' })
    if (encoder === undefined || this.#from === undefined) return undefined
    if (encoder.silence() !== undefined) await encoder.nextSample() // it may be we who have not looked for so long
    const silent = encoder.silence()
    if (silent !== undefined) return fault('ENCODER', `motion is held: ${silent}`)
    if (!encoder.count.answered) return undefined // it says nothing now: not even that the dome stands
    const told = Math.abs(count.made - this.#madeBefore) / (drive.stepsPerRevolution / 360)
    const seen = Math.abs(encoder.count.turned - this.#from)
    if (told < STUCK_AFTER || seen >= STUCK_BELOW) return undefined
    return fault('STAGNATION', `the motor has turned ${told.toFixed(1)} deg and the encoder ${seen.toFixed(2)}: it is frozen, or the dome is stuck`)
  }

  async #stopped(): Promise<MoveEnd> {
    await this.#parts.motor.stop()
    const late = pause(STOPS_WITHIN_MS).then(() => {
      throw fault('NO_STOP', `the motor was told to stop and has not said within ${STOPS_WITHIN_MS} ms that it did`)
    })
    late.catch(() => undefined) // the motor was faster
    return await Promise.race([this.#move?.ended ?? late, late])
  }
}

function fault(code: string, message: string): HardwareFault {
  return new HardwareFault(message, 'DONE', { instrumentCode: code })
}
