import { setTimeout as pause } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { LabEvent } from '../../core/event.ts'
import { ACTIVE_RUN_STATES } from '../../core/run.ts'
import type { Database } from '../../prisma/client.ts'
import { appendEvents } from '../../prisma/events.ts'
import { nowNs } from '../now.ts'

type LinkedStation = { readonly stationId: string; readonly name: string; readonly link: { readonly online: boolean } }

export type LostStationsOptions = {
  readonly database: Pick<Database, 'prisma'>
  readonly stations: { all(): readonly LinkedStation[] }
  readonly log: Logger
}

/** How long our own link to a station must be down, and its row without a beat, before its runs count as interrupted. */
export type Patience = { readonly lookEveryMs: number; readonly linkDownMs: number; readonly silentMs: number }

/** Silent for three beats of a station (workers/station/presence.ts): a run is INTERRUPTED 8 s after its station died, at the latest. */
const PATIENCE: Patience = { lookEveryMs: 1_000, linkDownMs: 5_000, silentMs: 6_000 }

/**
 * Ends the runs of stations that are gone, for everybody who waits for them. It is a presumption: the station alone knows what became of its run, so the row
 * keeps its fence and gets no end time, and whatever the station ships later replaces it. Any number of apis may look; the first one writes.
 */
export function watchLostStations({ database, stations, log }: LostStationsOptions, patience: Patience = PATIENCE): AsyncDisposable {
  const closing = new AbortController()
  const downSinceMs = new Map<string, number>()
  let problem = ''

  const look = async (): Promise<void> => {
    for (const { stationId, name, link } of stations.all()) {
      if (link.online) {
        downSinceMs.delete(stationId)
        continue
      }
      const since = downSinceMs.get(stationId) ?? performance.now()
      downSinceMs.set(stationId, since)
      if (performance.now() - since < patience.linkDownMs) continue
      const interrupted = await interruptRuns(database, stationId, name, patience.silentMs)
      if (interrupted.length > 0) log.warn({ station: name, runs: interrupted }, 'the station is away: its runs count as interrupted')
    }
  }
  const looking = (async () => {
    while (!closing.signal.aborted) {
      try {
        await look()
        problem = ''
      } catch (error) {
        if (String(error) !== problem) log.warn({ error: String(error) }, 'runs of lost stations cannot be looked for')
        problem = String(error)
      }
      await pause(patience.lookEveryMs, undefined, { signal: closing.signal }).catch(() => undefined) // closing ends the loop
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      closing.abort()
      await looking
    },
  }
}

type Interrupted = { readonly id: string; readonly number: number; readonly sessionId: string; readonly points: number }

/** Their numbers. Nothing happens to the runs of a station whose beat is fresh: it lives, and only we do not reach it. */
async function interruptRuns(database: LostStationsOptions['database'], stationId: string, name: string, silentMs: number): Promise<readonly number[]> {
  const exitReason = `station ${name} went away in the middle of it; the rows so far are safe, and the station will say how many`
  const runs = await database.prisma.$transaction(async (tx) => {
    const lost = await tx.$queryRaw<Interrupted[]>`
      WITH lost AS (
        UPDATE "run" SET "state" = 'INTERRUPTED', "exitReason" = ${exitReason}
        FROM "station"
        WHERE "station"."id" = "run"."stationId" AND "station"."id" = ${stationId}::uuid
          AND "station"."lastSeen" < now() - make_interval(secs => ${silentMs / 1000}::float8)
          AND "run"."state" = ANY(${[...ACTIVE_RUN_STATES]})
        RETURNING "run"."id", "run"."number", "run"."sessionId", "run"."points", "run"."jobId"
      ), job AS (
        UPDATE "job" SET "state" = 'FAILED' FROM lost WHERE "job"."id" = lost."jobId"
      )
      SELECT "id", "number", "sessionId", "points" FROM lost`
    await appendEvents(
      tx,
      lost.map(
        ({ id, number, sessionId, points }): LabEvent => ({
          time: nowNs(),
          kind: 'RUN',
          subject: { type: 'Run', id },
          runId: id,
          sessionId,
          summary: `Run ${number} interrupted: ${exitReason}`,
          data: { state: 'INTERRUPTED', points },
        }),
      ),
    )
    return lost
  })
  return runs.map(({ number }) => number)
}
