import { type HardwareState, unpackState } from '../../core/hardware-state.ts'
import type { RunState } from '../../core/run.ts'
import { projectState, type Scale, VECTOR_LENGTH } from '../../core/state-vector.ts'
import type { WallNs } from '../../core/time.ts'
import { type Sql, vectorText } from '../../prisma/states.ts'
import type { Projection } from './projections.ts'

/** A stored state with whom it belongs to. */
export type Candidate = { readonly runId: string; readonly sessionId: string; readonly time: WallNs; readonly state: HardwareState }

/** Of the runs whose states are looked at; local ids. */
export type CandidateFilter = {
  readonly sessionTags?: readonly string[] | undefined
  readonly operator?: string | undefined
  readonly outcome?: RunState | undefined
  readonly range?: { readonly from: WallNs; readonly to?: WallNs | undefined } | undefined
  readonly text?: string | undefined
  /** The one that is asked for: it is like itself. */
  readonly exceptRunId?: string | undefined
}

/** HNSW looks at so many places of its graph (pgvector takes at most 1000), and goes on where a filter leaves too few. */
const EF_SEARCH = 200
/** What each connection begins with: setting this with each search would take as long as the search. */
export const PREPARE_SEARCHES = `SELECT set_config(s.name, s.value, false) FROM pg_extension e,
  (VALUES ('hnsw.ef_search', '${EF_SEARCH}', '{0,5}'), ('hnsw.iterative_scan', 'relaxed_order', '{0,8}')) AS s(name, value, since)
  WHERE e.extname = 'vector' AND string_to_array(e.extversion, '.')::int[] >= s.since::int[]`

/**
 * The stored states whose vectors are nearest. Where the state asked for holds everything that the projection knows, the index may be used; where something
 * is missing (a device is offline), all vectors are looked at without what is missing, because the index cannot leave it out.
 */
export async function nearest(
  sql: Sql,
  asked: HardwareState,
  { generation, scales }: Projection,
  filter: CandidateFilter,
  limit: number,
): Promise<Candidate[]> {
  const { vector, mask } = projectState(asked, scales)
  const parameters = new Parameters()
  const given = `${parameters.add(vectorText(vector))}::vector`
  const bits = `${parameters.add(mask)}::bit(${VECTOR_LENGTH})`
  const compared = isWhole(mask, scales.values()) ? 'v."vector"' : `(v."vector" * ${parameters.add(maskVector(mask))}::vector)`
  const { rows } = await sql.query<CandidateRow>(
    `SELECT c."runId", r."sessionId", h."time"::text AS "time", h."entries" FROM (
       SELECT v."runId" FROM "state_vector" v ${joins(filter)}
       WHERE v."generation" = ${parameters.add(generation)} AND bit_count(v."mask" & ${bits}) * 2 >= bit_count(${bits}) ${conditions('v."runId"', filter, parameters)}
       ORDER BY ${compared} <-> ${given} LIMIT ${parameters.add(limit)}
     ) c JOIN "hardware_state" h ON h."runId" = c."runId" JOIN "run" r ON r."id" = c."runId"`,
    parameters.values,
  )
  return rows.map(candidate)
}

/** Every stored state that the filter lets pass, page by page. */
export async function* everyState(sql: Sql, filter: CandidateFilter): AsyncGenerator<readonly Candidate[], void, void> {
  for (let after: string | undefined; ; ) {
    const parameters = new Parameters()
    const { rows } = await sql.query<CandidateRow>(
      `SELECT h."runId", r."sessionId", h."time"::text AS "time", h."entries" FROM "hardware_state" h JOIN "run" r ON r."id" = h."runId"
         JOIN "session" s ON s."id" = r."sessionId"
       WHERE ${after === undefined ? 'true' : `h."runId" > ${parameters.add(after)}`} ${conditions('h."runId"', filter, parameters)}
       ORDER BY h."runId" LIMIT ${STATES_A_PAGE}`,
      parameters.values,
    )
    yield rows.map(candidate)
    if (rows.length < STATES_A_PAGE) return
    after = rows.at(-1)?.runId
  }
}

const STATES_A_PAGE = 1000 // of 500 parameters: 6 MB

type CandidateRow = { readonly runId: string; readonly sessionId: string; readonly time: string; readonly entries: Buffer }

function candidate({ runId, sessionId, time, entries }: CandidateRow): Candidate {
  return { runId, sessionId, time: BigInt(time), state: unpackState(entries) }
}

/** Only what the filter looks at: the index is then walked without looking at each run. */
function joins({ sessionTags, operator, outcome, range, text }: CandidateFilter): string {
  if ([sessionTags, operator, outcome, range, text].every((given) => given === undefined)) return ''
  return 'JOIN "hardware_state" h ON h."runId" = v."runId" JOIN "run" r ON r."id" = v."runId" JOIN "session" s ON s."id" = r."sessionId"'
}

function conditions(runId: string, filter: CandidateFilter, parameters: Parameters): string {
  const { sessionTags, operator, outcome, range, text, exceptRunId } = filter
  const all = [
    exceptRunId !== undefined && `${runId} <> ${parameters.add(exceptRunId)}`,
    sessionTags !== undefined && `s."tags" @> ${parameters.add(sessionTags)}::text[]`,
    operator !== undefined && `s."operator" = ${parameters.add(operator)}`,
    outcome !== undefined && `r."state" = ${parameters.add(outcome)}`,
    range !== undefined && `h."time" >= ${parameters.add(range.from.toString())}::bigint`,
    range?.to !== undefined && `h."time" < ${parameters.add(range.to.toString())}::bigint`,
    text !== undefined && textCondition(parameters.add(`%${text.replace(/[\\%_]/g, '\\$&')}%`)),
  ]
  return all.flatMap((condition) => (condition === false ? [] : [`AND ${condition}`])).join(' ')
}

function textCondition(pattern: string): string {
  const note = `EXISTS (SELECT 1 FROM "note" n WHERE (n."runId" = r."id" OR n."sessionId" = s."id") AND n."text" ILIKE ${pattern})`
  return `(s."title" ILIKE ${pattern} OR s."summary" ILIKE ${pattern} OR r."summary" ILIKE ${pattern} OR ${note})`
}

function isWhole(mask: string, scales: Iterable<Scale>): boolean {
  for (const { slot } of scales) if (mask[slot % VECTOR_LENGTH] !== '1') return false
  return true
}

function maskVector(mask: string): string {
  return `[${[...mask].join()}]`
}

/** Placeholders of one statement. */
class Parameters {
  readonly values: unknown[] = []

  add(value: unknown): string {
    this.values.push(value)
    return `$${this.values.length}`
  }
}
