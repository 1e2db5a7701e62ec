import type { JournalEntry } from '../../../core/journal.ts'
import type { WallNs } from '../../../core/time.ts'
import { NS_PER_SECOND } from '../../../core/time.ts'

export type CommandEntry = Extract<JournalEntry, { type: 'command' }>
export type OutcomeEntry = Extract<JournalEntry, { type: 'outcome' }>

/** A client that repeats a request does so within minutes; a day also covers a laptop that slept over night. */
const KEEP_ANSWERS_NS = 24n * 3600n * NS_PER_SECOND
const MAX_ANSWERS = 10_000 // about 10 MB; beyond it the oldest answer is forgotten first

/** What has become of each command that carried an idempotency key. Fed with every journal entry in order. */
export class CommandAnswers {
  readonly #byKey = new Map<string, { readonly command: CommandEntry; outcome?: OutcomeEntry }>()
  readonly #keyOf = new Map<string, string>()

  apply(entry: JournalEntry): void {
    if (entry.type === 'command' && entry.idempotencyKey !== undefined) {
      this.#forget(entry.time)
      this.#byKey.set(entry.idempotencyKey, { command: entry })
      this.#keyOf.set(entry.requestId, entry.idempotencyKey)
    } else if (entry.type === 'outcome') {
      const known = this.#byKey.get(this.#keyOf.get(entry.requestId) ?? '')
      if (known !== undefined) known.outcome = entry
    }
  }

  answerFor(idempotencyKey: string): OutcomeEntry | 'pending' | undefined {
    const known = this.#byKey.get(idempotencyKey)
    return known === undefined ? undefined : (known.outcome ?? 'pending')
  }

  callsFor(idempotencyKey: string): CommandEntry['calls'] | undefined {
    return this.#byKey.get(idempotencyKey)?.command.calls
  }

  /** Commands that were accepted and never answered. */
  pending(): readonly CommandEntry[] {
    return [...this.#byKey.values()].filter(({ outcome }) => outcome === undefined).map(({ command }) => command)
  }

  /** Map keeps the order of arrival, so the oldest come first. */
  #forget(now: WallNs): void {
    for (const [key, { command }] of this.#byKey) {
      if (this.#byKey.size < MAX_ANSWERS && now - command.time < KEEP_ANSWERS_NS) return
      this.#byKey.delete(key)
      this.#keyOf.delete(command.requestId)
    }
  }
}
