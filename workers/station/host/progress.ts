import type { CommandProgress, CommandReading } from '../../../core/command.ts'
import { NotFound, type Problem } from '../../../core/errors.ts'
import { Bell } from './bell.ts'

const MAX_KEPT = 1_000 // commands whose progress can still be asked for; the oldest that is done goes first

type Track = { readonly bell: Bell; version: number; present: CommandProgress }

/** How far each command is, for those who did not wait for it. */
export class ProgressBook {
  readonly #tracks = new Map<string, Track>()

  /** The command is accepted. */
  open(requestId: string): void {
    this.#tracks.set(requestId, { bell: new Bell(), version: 0, present: { requestId, state: 'ACCEPTED', readings: [], done: false } })
    for (const [id, { present }] of this.#tracks) {
      if (this.#tracks.size <= MAX_KEPT) return
      if (present.done) this.#tracks.delete(id)
    }
  }

  moved(requestId: string, readings: readonly CommandReading[]): void {
    this.#put(requestId, { requestId, state: 'ACCEPTED', readings, done: false })
  }

  done(requestId: string, readings: readonly CommandReading[]): void {
    this.#put(requestId, { requestId, state: 'DONE', readings, done: true })
  }

  failed(requestId: string, problem: Problem): void {
    const track = this.#tracks.get(requestId)
    if (track !== undefined) this.#put(requestId, { ...track.present, problem: problem.toRecord(), done: true })
  }

  /** The present first; what a slow reader did not see in between is left out. Throws NotFound. */
  async *follow(requestId: string, signal: AbortSignal): AsyncGenerator<CommandProgress, void, void> {
    const track = this.#tracks.get(requestId)
    if (track === undefined) throw new NotFound(`command ${requestId} on this station (the last ${MAX_KEPT} are kept)`)
    let seen = -1
    while (!signal.aborted) {
      if (track.version === seen) {
        await track.bell.rung(signal)
        continue
      }
      seen = track.version
      const { present } = track
      yield present
      if (present.done) return
    }
  }

  #put(requestId: string, present: CommandProgress): void {
    const track = this.#tracks.get(requestId)
    if (track === undefined || track.present.done) return
    track.present = present
    track.version += 1
    track.bell.ring()
  }
}
