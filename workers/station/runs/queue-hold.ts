import type { Clock } from '../../../core/time.ts'
import type { Journal } from '../journal/journal.ts'

/**
 * Whether the station's runs may start. Kept in the journal, so that a restart forgets no hold. Until the database has said what waits, they may not either;
 * that is nobody's decision and is not kept.
 */
export class QueueHold {
  readonly #journal: Journal
  readonly #clock: Clock
  #held: boolean
  #reason: string | undefined
  #undecided: string | undefined

  constructor(journal: Journal, clock: Clock, undecided: string) {
    this.#journal = journal
    this.#clock = clock
    this.#held = journal.memory.queue?.held ?? false
    this.#reason = journal.memory.queue?.reason
    this.#undecided = undecided
  }

  get held(): boolean {
    return this.#held || this.#undecided !== undefined
  }

  get reason(): string | undefined {
    return this.#held ? this.#reason : this.#undecided
  }

  get undecided(): boolean {
    return this.#undecided !== undefined
  }

  /** Nothing speaks against going on, unless it was held before. */
  decided(): void {
    this.#undecided = undefined
  }

  hold(reason: string): void {
    this.#undecided = undefined
    if (this.#held && this.#reason === reason) return
    this.#set(true, reason)
  }

  release(): void {
    this.#undecided = undefined
    if (this.#held) this.#set(false, undefined)
  }

  #set(held: boolean, reason: string | undefined): void {
    this.#held = held
    this.#reason = reason
    this.#journal.append({ type: 'queue', time: this.#clock.wallNs(), held, ...(reason !== undefined && { reason }) })
  }
}
