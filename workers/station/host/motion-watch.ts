import type { MotionFacet } from '../../../drivers/driver.ts'
import { orAbort, pause } from './deadline.ts'

const ASK_EVERY_MS = 25 // a move's end is noticed within a frame or two of a screen, and a slow line keeps room for readings

/** Asks whether an axis moves, once for everybody who wants to know, from the moment a move was accepted until the instrument says that it stands. */
export class MotionWatch {
  readonly #onChange: () => void
  #watching: Promise<void> | undefined
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
    this.#watching ??= this.#watch(motion, connection).finally(() => {
      this.#watching = undefined
    })
    this.#watching.catch(() => undefined) // whoever waits in settled() hears it; a move that nobody waits for has its status
  }

  /** Looks once, without a move of ours: after connecting, and for the front panel. */
  async look(motion: MotionFacet, connection: AbortSignal): Promise<void> {
    if (this.#watching !== undefined) return
    const moving = await motion.isMoving(connection)
    if (moving) this.begin(motion, connection)
    else this.#note(false)
  }

  /** Until the axis stands. Throws what ended the motion badly, or the signal's reason. */
  async settled(signal: AbortSignal): Promise<void> {
    if (this.#watching !== undefined) await orAbort(this.#watching, signal)
  }

  forget(): void {
    this.#note(undefined)
  }

  async #watch(motion: MotionFacet, connection: AbortSignal): Promise<void> {
    try {
      while (await motion.isMoving(connection)) {
        await pause(ASK_EVERY_MS, connection)
        connection.throwIfAborted()
      }
      this.#note(false)
    } catch (error) {
      // It ended for a reason of its own, or nobody can say: the next look tells.
      this.#note(connection.aborted ? undefined : false)
      throw error
    }
  }

  #note(moving: boolean | undefined): void {
    if (this.#moving === moving) return
    this.#moving = moving
    this.#onChange()
  }
}
