import type { Exchange } from '../transport/serial-line.ts'
import { ask, CODE, command, parseCode } from './protocol.ts'
import { told } from './questions.ts'

/** The laser's own: it ends the emission when it hears nothing for so long. A front panel in LOCAL ignores that it is set, so it is read back. */
export class Watchdog {
  readonly seconds: number
  readonly #afterSetMs: number
  /** What the laser said when it was set first; undefined: it does not tell. */
  #atFirst: number | undefined

  private constructor(seconds: number, afterSetMs: number) {
    this.seconds = seconds
    this.#afterSetMs = afterSetMs
  }

  static async arm(line: Exchange, seconds: number, afterSetMs: number): Promise<Watchdog> {
    const watchdog = new Watchdog(seconds, afterSetMs)
    watchdog.#atFirst = await watchdog.#set(line)
    return watchdog
  }

  /** Whether the laser answers what it is set to: older firmware may not. */
  get tells(): boolean {
    return this.#atFirst !== undefined
  }

  get refused(): boolean {
    return this.tells && this.#atFirst !== this.seconds
  }

  /** Sets it again where it is another one by now: the laser was switched off, or in LOCAL. One that does not tell is set again unseen. */
  async isArmed(line: Exchange): Promise<boolean> {
    if (!this.tells) {
      await line.send(command.watchdog(this.seconds))
      return true
    }
    return (await asked(line)) === this.seconds || (await this.#set(line)) === this.seconds
  }

  async #set(line: Exchange): Promise<number | undefined> {
    await line.send(command.watchdog(this.seconds))
    await line.pause(this.#afterSetMs)
    return await asked(line)
  }
}

function asked(line: Exchange): Promise<number | undefined> {
  return told(line.ask(ask.watchdog, CODE).then(parseCode))
}
