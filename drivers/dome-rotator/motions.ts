import { asProblem, DeviceBusy, type Problem } from '../../core/errors.ts'
import { Turn, type TurnParts } from './turn.ts'

/** Turns by so many degrees and returns when the motor stands; `enough` ends the move early. */
export type TurnBy = (degrees: number, enough?: () => boolean) => Promise<void>

/** Who wants to know that the motor is about to turn, and that it has. Neither may throw. */
export type AroundMotion = { readonly begins: () => Promise<void>; readonly ended: () => Promise<void> }

/** What the dome is told to do, one thing at a time: each is a few turns of the motor with something between them. */
export class Motions {
  readonly #parts: TurnParts
  readonly #around: AroundMotion
  #running: { readonly abort: AbortController; readonly done: Promise<void> } | undefined
  #failure: Problem | undefined

  constructor(parts: TurnParts, around: AroundMotion) {
    this.#parts = parts
    this.#around = around
  }

  get running(): boolean {
    return this.#running !== undefined
  }

  /** How the last one ended badly, until the next one or a stop. */
  get failure(): Problem | undefined {
    return this.#failure
  }

  /** Starts it, and returns when its first turn was accepted or none was needed. What it throws after that is its failure. */
  async begin(work: (turn: TurnBy, abort: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    if (this.#running !== undefined) throw new DeviceBusy('the dome is turning already; stop it first', {})
    const abort = new AbortController()
    let accepted = false
    this.#failure = undefined
    await new Promise<void>((resolve, reject) => {
      const turn: TurnBy = async (degrees, enough) => {
        if (abort.signal.aborted) throw asProblem(abort.signal.reason, accepted ? 'DONE' : 'NONE')
        if (!accepted) await this.#around.begins()
        const move = new Turn(this.#parts, degrees)
        await move.begin(accepted ? NEVER : signal) // a stop goes past it on the wire, and it returns
        accepted = true
        resolve()
        await move.finish(abort.signal, enough)
      }
      const done = work(turn, abort.signal)
        .finally(() => this.#around.ended())
        .then(resolve, (error: unknown) => {
          if (!accepted) reject(error)
          else if (error !== abort.signal.reason) this.#failure = asProblem(error, 'DONE') // a stop that was asked for is none
        })
      this.#running = {
        abort,
        done: done.finally(() => {
          this.#running = undefined
        }),
      }
    })
  }

  /** Gives up what runs; the motor is told by who calls. */
  giveUp(why: Problem): void {
    this.#running?.abort.abort(why)
    this.#failure = undefined
  }

  async settled(): Promise<void> {
    await this.#running?.done
  }
}

const NEVER: AbortSignal = new AbortController().signal
