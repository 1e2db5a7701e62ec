import { messageOf } from '../../core/errors.ts'
import { loadDrivers } from './load.ts'

/** What the process that tries a plugin out says: that it begins, and how it went. */
export type Rehearsed = 'begins' | 'good' | { readonly problem: string }

const [, , entry = '', withinMs] = process.argv
const say = (word: Rehearsed, then: () => void = () => undefined): void => void process.send?.(word, then)

process.on('disconnect', () => process.exit(1)) // nobody waits any more
say('begins')
const word: Rehearsed = await loadDrivers(entry, Number(withinMs)).then(
  () => 'good',
  (error: unknown) => ({ problem: messageOf(error) }),
)
say(word, () => process.exit(0))
