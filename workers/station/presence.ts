import { messageOf } from '../../core/errors.ts'
import { VERSION } from '../../core/version.ts'
import type { Database } from '../../prisma/client.ts'
import { pause } from './host/deadline.ts'

export type PresenceOptions = {
  readonly database: Database
  readonly stationId: string
  readonly linkAddress: string
  readonly epoch: number
  readonly log: (line: string) => void
  /** The database is back after it was away: what it holds may have changed. */
  readonly onReturn: () => Promise<void>
}

const LAST_BEAT_WITHIN_MS = 500 // a database that hangs must not hold up the end
const BEAT_EVERY_MS = 2_000 // lastSeen in health is never older than this plus a moment

/** Keeps the station's row true: where its link listens, since when, and that it lives. */
export async function announcePresence(options: PresenceOptions): Promise<AsyncDisposable & { readonly problem: string | undefined }> {
  const stopping = new AbortController()
  const startedAt = new Date()
  let problem: string | undefined
  let known = false
  const beat = async (): Promise<void> => {
    const { database, stationId, linkAddress, epoch, log, onReturn } = options
    try {
      // The whole only once: everything but lastSeen is told to all who listen to the database.
      if (!known) await database.prisma.station.update({ where: { id: stationId }, data: { linkAddress, epoch, startedAt, version: VERSION } })
      known = true
      // By the database's clock: whether a station is silent is judged by that one too.
      await database.prisma.$executeRaw`UPDATE "station" SET "lastSeen" = now() WHERE "id" = ${stationId}::uuid`
      if (problem === undefined) return
      await onReturn()
      problem = undefined
      log('the database is back')
    } catch (error) {
      const reason = messageOf(error)
      if (problem === undefined) log(`the database does not answer: ${reason}`)
      problem = reason
    }
  }
  await beat()
  const beating = (async () => {
    while (!stopping.signal.aborted) {
      await pause(BEAT_EVERY_MS, stopping.signal)
      if (!stopping.signal.aborted) await beat()
    }
  })()
  return {
    get problem() {
      return problem
    },
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      await Promise.race([beating, pause(LAST_BEAT_WITHIN_MS, new AbortController().signal)])
    },
  }
}
