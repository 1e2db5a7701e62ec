import { asProblem } from '../../../core/errors.ts'
import type { JournalEntry } from '../../../core/journal.ts'
import type { Journal } from '../journal/journal.ts'

/** Appends what has happened already: a journal that is full cannot undo it, so it costs the history, and is said once. */
export type Note = (entry: JournalEntry) => void

export function noteIn(journal: Pick<Journal, 'append'>, log: (line: string) => void): Note {
  let failing = false
  return (entry) => {
    try {
      journal.append(entry)
      failing = false
    } catch (error) {
      if (!failing) log(`the journal takes nothing, what happens now is not kept: ${asProblem(error).message}`)
      failing = true
    }
  }
}
