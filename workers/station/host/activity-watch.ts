import { asProblem } from '../../../core/errors.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import { orAbort, pause } from './deadline.ts'

const LOST_IN_A_ROW = 3 // questions without an answer; then nobody knows any more whether it goes on
const ASK_EVERY_MS = 25 // an end is noticed within a frame or two of a screen, and a slow line keeps room for readings

/** Whether it still goes on (an axis moves, a laser tunes), by the instrument's own word. Throws what ended it badly. */
export type StillGoing = (signal: AbortSignal) => Promise<boolean>

type Watch = {
  readonly connection: AbortSignal /** Grows with each thing that was begun: an answer to an older question does not speak of it. */
  begun: number
}

/** Asks whether something goes on, once for everybody who wants to know, from the moment it was accepted until the instrument says that it is over. */
export class ActivityWatch {
  readonly #onChange: () => void
  #watch: Watch | undefined
  /** How the last one ended, or will end. */
  #last: Promise<void> | undefined
  #going: boolean | undefined

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  /** undefined while nobody knows. */
  get going(): boolean | undefined {
    return this.#going
  }

  /** It was accepted. The signal fires when the connection ends. */
  begin(question: StillGoing, connection: AbortSignal): void {
    this.#note(true)
    if (this.#watch?.connection === connection) {
      this.#watch.begun += 1
      return
    }
    const watch: Watch = { connection, begun: 0 }
    this.#watch = watch
    this.#last = this.#follow(watch, question)
    this.#last.catch(() => undefined) // settled() tells it; what nobody waits for has its status
  }

  /** Looks once, without an order of ours: after connecting, and for the front panel. What ended badly before is over, and nobody's of ours. */
  async look(question: StillGoing, connection: AbortSignal): Promise<void> {
    if (this.#watch?.connection === connection) return
    const going = await question(connection).catch((error: unknown) => {
      if (isInstrumentsWord(error)) return false
      throw error
    })
    if (connection.aborted || this.#watch?.connection === connection) return // somebody knows better by now
    if (going) this.begin(question, connection)
    else this.#note(false)
  }

  /** Until it is over. Throws what ended the last one badly (also if it has ended already), or the signal's reason. */
  async settled(signal: AbortSignal): Promise<void> {
    if (this.#last !== undefined) await orAbort(this.#last, signal)
  }

  /** The connection is gone, and with it what was known. */
  forget(): void {
    this.#watch = undefined
    this.#last = undefined
    this.#note(undefined)
  }

  async #follow(watch: Watch, question: StillGoing): Promise<void> {
    try {
      await untilOver(watch, question)
      this.#ended(watch, false)
    } catch (error) {
      this.#ended(watch, isInstrumentsWord(error) ? false : undefined)
      throw error
    }
  }

  /** What an older connection ends with says nothing of what the present one has found. */
  #ended(watch: Watch, going: boolean | undefined): void {
    if (this.#watch !== watch) return
    this.#watch = undefined
    this.#note(going)
  }

  #note(going: boolean | undefined): void {
    if (this.#going === going) return
    this.#going = going
    this.#onChange()
  }
}

/** A question that is lost on the line says nothing about the instrument; the next one is asked in its place. */
async function untilOver(watch: Watch, question: StillGoing): Promise<void> {
  const { connection } = watch
  for (let lost = 0; ; ) {
    const { begun } = watch
    try {
      if (!(await question(connection)) && begun === watch.begun) return
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

/** undefined for a device whose sets end with their answer. */
export function activityOf(handle: DeviceHandle): StillGoing | undefined {
  return handle.underWay === undefined ? undefined : async (signal) => (await handle.underWay?.(signal)) === true
}
