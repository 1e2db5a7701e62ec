import type pg from 'pg'
import type { LabEvent } from '../core/event.ts'
import type { PrismaClient } from './client.ts'

/** Prisma (the client or a transaction) or a connection of the pool: events are appended where the rows that they speak of are written. */
export type EventWriter = Pick<PrismaClient, '$queryRaw'> | { query: pg.Pool['query'] }

/** Appends to the feed through append_events, the only way in. Returns the last id; undefined when there was nothing to append. */
export async function appendEvents(db: EventWriter, events: readonly LabEvent[]): Promise<bigint | undefined> {
  if (events.length === 0) return undefined
  const given = JSON.stringify(events.map(eventRecord))
  if ('query' in db) {
    const { rows } = await db.query<{ id: string }>('SELECT append_events($1::jsonb) AS id', [given])
    return rows[0] && BigInt(rows[0].id)
  }
  const rows = await db.$queryRaw<{ id: bigint }[]>`SELECT append_events(${given}::jsonb) AS id`
  return rows[0]?.id
}

/** As append_events takes it; nanoseconds as text, because a JSON number would lose their last digits. */
function eventRecord({ time, kind, subject, deviceId, sessionId, runId, summary, cause, data }: LabEvent): Record<string, unknown> {
  return { time: time.toString(), kind, subjectType: subject?.type, subjectId: subject?.id, deviceId, sessionId, runId, summary, cause, data }
}
