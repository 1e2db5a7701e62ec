import { type GraphSource, type PendingChange, SUBJECTS, type Subject } from '../../graph/source.ts'
import type { Database } from '../../prisma/client.ts'

type Pool = Database['pool']

/** PostgreSQL as the projector of the graph reads it. Times leave as milliseconds, 64-bit numbers as doubles that hold them exactly. */
export function graphSource(pool: Pool): GraphSource {
  return {
    async standing() {
      const { rows } = await pool.query<{ graphId: string; sequence: number }>('SELECT "graphId", "sequence"::float8 FROM "graph_standing" WHERE "id" = 1')
      return rows[0]
    },

    async setStanding({ graphId, sequence }) {
      await pool.query(
        `INSERT INTO "graph_standing" ("id", "graphId", "sequence") VALUES (1, $1, $2)
         ON CONFLICT ("id") DO UPDATE SET "graphId" = excluded."graphId", "sequence" = excluded."sequence"`,
        [graphId, sequence],
      )
    },

    async pending(limit) {
      const { rows } = await pool.query<PendingChange>(
        'SELECT "subject", "id", "version"::text FROM "graph_change" ORDER BY array_position($1::text[], "subject"), "version" LIMIT $2',
        [SUBJECTS, limit],
      )
      return rows
    },

    // One statement. It waits for nobody: a row that a transaction holds is being changed again, and stays.
    async settle(changes, { graphId, sequence }) {
      await pool.query(
        `WITH given AS (SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[]) AS g("subject", "id", "version")),
         done AS (SELECT c."subject", c."id" FROM "graph_change" c JOIN given USING ("subject", "id", "version") FOR UPDATE OF c SKIP LOCKED),
         gone AS (DELETE FROM "graph_change" c USING done, "graph_standing" s
           WHERE c."subject" = done."subject" AND c."id" = done."id" AND s."id" = 1 AND s."graphId" = $4)
         UPDATE "graph_standing" SET "sequence" = $5 WHERE "id" = 1 AND "graphId" = $4`,
        [changes.map(({ subject }) => subject), changes.map(({ id }) => id), changes.map(({ version }) => version), graphId, sequence],
      )
    },

    async rows(ids) {
      const [stations, ports, devices, parameters, sessions, runs, uses] = await Promise.all([
        pick(pool, STATIONS, ids.station),
        pick(pool, PORTS, ids.port),
        pick(pool, DEVICES, ids.device),
        pick(pool, PARAMETERS, ids.device),
        pick(pool, SESSIONS, ids.session),
        pick(pool, RUNS, ids.run),
        pick(pool, USES, ids.run),
      ])
      return { stations, ports, devices, parameters, sessions, runs, uses }
    },

    async page(subject, after, limit) {
      const { rows } = await pool.query<{ id: string }>(`SELECT "id" FROM "${TABLES[subject]}" WHERE "id" > $1 ORDER BY "id" LIMIT $2`, [
        after ?? BEFORE_ALL,
        limit,
      ])
      return rows.map(({ id }) => id)
    },
  }
}

const TABLES: Readonly<Record<Subject, string>> = { station: 'station', port: 'port', session: 'session', device: 'device', run: 'run' }
const BEFORE_ALL = '00000000-0000-0000-0000-000000000000'

/** Rows named by ids; `Row` says what the text returns. */
type Text<Row> = { readonly text: string; readonly row?: Row }
type Rows = Awaited<ReturnType<GraphSource['rows']>>

async function pick<Row extends object>(pool: Pool, { text }: Text<Row>, ids: readonly string[] | undefined): Promise<Row[]> {
  if (ids === undefined || ids.length === 0) return []
  return (await pool.query<Row>(text, [ids])).rows
}

const milliseconds = (column: string): string => `floor(extract(epoch FROM "${column}") * 1000)::float8 AS "${column}"`

const STATIONS: Text<Rows['stations'][number]> = { text: 'SELECT "id", "name", "host" FROM "station" WHERE "id" = ANY($1::uuid[])' }
const PORTS: Text<Rows['ports'][number]> = { text: 'SELECT "id", "stationId", "address", "kind" FROM "port" WHERE "id" = ANY($1::uuid[])' }
const DEVICES: Text<Rows['devices'][number]> = {
  text: `SELECT "id", "name", "label", "driverId", "portId", "subAddress", "simulated", "enabled", ${milliseconds('removedAt')}
         FROM "device" WHERE "id" = ANY($1::uuid[])`,
}
const PARAMETERS: Text<Rows['parameters'][number]> = {
  text: `SELECT "deviceId", "name", coalesce("spec" ->> 'kind', '') AS "kind", coalesce("spec" ->> 'access', '') AS "access", "spec" ->> 'unit' AS "unit"
         FROM "parameter" WHERE "deviceId" = ANY($1::uuid[])`,
}
const SESSIONS: Text<Rows['sessions'][number]> = {
  text: `SELECT "id", "title", "operator", "state", ${milliseconds('startedAt')}, ${milliseconds('endedAt')} FROM "session" WHERE "id" = ANY($1::uuid[])`,
}
const RUNS: Text<Rows['runs'][number]> = {
  text: `SELECT "id", "number", "sessionId", "stationId", "planType", "summary", "state", "actor",
         ${milliseconds('queuedAt')}, ${milliseconds('startedAt')}, ${milliseconds('endedAt')} FROM "run" WHERE "id" = ANY($1::uuid[])`,
}
const USES: Text<Rows['uses'][number]> = { text: 'SELECT "runId", "deviceId", "role" FROM "run_device" WHERE "runId" = ANY($1::uuid[])' }
