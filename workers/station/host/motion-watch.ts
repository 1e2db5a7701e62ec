import { asProblem } from '../../../core/errors.ts'
import type { MotionFacet } from '../../../drivers/driver.ts'
import { orAbort, pause } from './deadline.ts'

const LOST_IN_A_ROW = 3 // questions without an answer; then nobody knows any more whether it moves
const ASK_EVERY_MS = 25 // a move's end is noticed within a frame or two of a screen, and a slow line keeps room for readings

/** Asks whether an axis moves, once for everybody who wants to know, from the moment a move was accepted until the instrument says that it stands. */
export class MotionWatch {
  readonly #onChange: () => void
  #watching = false
  /** How the last motion ended, or will end. */
  #last: Promise<void> | undefined
  #moving: boolean | undefined

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /** undefined while nobody knows. */
  get moving(): boolean | undefined {
    return this.#moving
  }

  /** A move or a search for home was accepted. */
  begin(motion: MotionFacet, connection: AbortSignal): void {
    this.#note(true)
    if (this.#watching) return
    this.#watching = true
    this.#last = this.#watch(motion, connection)
    this.#last.catch(() => undefined) // settled() tells it; a move that nobody waits for has its status
  }

  /** Looks once, without a move of ours: after connecting, and for the front panel. */
  async look(motion: MotionFacet, connection: AbortSignal): Promise<void> {
    if (this.#watching) return
    const moving = await motion.isMoving(connection)
    if (moving) this.begin(motion, connection)
    else this.#note(false)
  }

  /** Until the axis stands. Throws what ended the last motion badly (also if it has ended already), or the signal's reason. */
  async settled(signal: AbortSignal): Promise<void> {
    if (this.#last !== undefined) await orAbort(this.#last, signal)
  }

  /** The connection is gone, and with it what was known. */
  forget(): void {
    this.#last = undefined
    this.#note(undefined)
  }

  async #watch(motion: MotionFacet, connection: AbortSignal): Promise<void> {
    try {
      await untilStanding(motion, connection)
      this.#watching = false
      this.#note(false)
    } catch (error) {
      this.#watching = false
      this.#note(isInstrumentsWord(error) ? false : undefined)
      throw error
    }
  }

  #note(moving: boolean | undefined): void {
    if (this.#moving === moving) return
    this.#moving = moving
    this.#onChange()
  }
}

/** A question that is lost on the line says nothing about the axis; the next one is asked in its place. */
async function untilStanding(motion: MotionFacet, connection: AbortSignal): Promise<void> {
  for (let lost = 0; ; ) {
    try {
      if (!(await motion.isMoving(connection))) return
      lost = 0
    } catch (error) {
      lost += 1
      if (connection.aborted || lost >= LOST_IN_A_ROW || isInstrumentsWord(error) || asProblem(error).code === 'EMERGENCY_STOPPED') throw error
    }
    await pause(ASK_EVERY_MS, connection)
    connection.throwIfAborted()
  }
}

/** It ended for a reason of its own, and said which. */
function isInstrumentsWord(error: unknown): boolean {
  return asProblem(error).facts.instrumentCode !== undefined
}
