import type { Clock } from '../../../core/time.ts'
import { type Note, noteIn } from '../host/note.ts'
import type { Journal } from '../journal/journal.ts'

type HoldParts = { readonly journal: Pick<Journal, 'append' | 'memory'>; readonly clock: Clock; readonly log: (line: string) => void }

/**
 * Whether the station's runs may start. Kept in the journal, so that a restart forgets no hold. Until the database has said what waits, they may not either;
 * that is nobody's decision and is not kept.
 */
export class QueueHold {
  readonly #journal: Pick<Journal, 'append'>
  readonly #note: Note
  readonly #clock: Clock
  #held: boolean
  #reason: string | undefined
  #undecided: string | undefined

  constructor({ journal, clock, log }: HoldParts, undecided: string) {
    this.#journal = journal
    this.#note = noteIn(journal, log)
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

  /** A disk that is full must not refuse it: an emergency stop holds too. */
  hold(reason: string): void {
    this.#undecided = undefined
    if (this.#held && this.#reason === reason) return
    this.#held = true
    this.#reason = reason
    this.#note({ type: 'queue', time: this.#clock.wallNs(), held: true, reason })
  }

  /** Throws StorageFull, and then the hold stays. */
  release(): void {
    if (this.#held) this.#journal.append({ type: 'queue', time: this.#clock.wallNs(), held: false })
    this.#undecided = undefined
    this.#held = false
    this.#reason = undefined
  }
}
