import { GraphQLError } from 'graphql'
import { Problem } from '../../core/errors.ts'
import { type HardwareState, hardwareState, unpackState } from '../../core/hardware-state.ts'
import { type Comparison, type Contribution, compareStates, contributionsOf, type Scales } from '../../core/state-vector.ts'
import type { WallNs } from '../../core/time.ts'
import type { Context } from '../context.ts'
import { globalId, localId } from '../global-id.ts'
import { type Candidate, type CandidateFilter, everyState, nearest } from './candidates.ts'
import type { Projection } from './projections.ts'
import { type StateRefGiven, stateOf } from './reference.ts'
import type { StateValue } from './snapshot.ts'

export type SimilarityRequest = {
  readonly to: StateRefGiven
  readonly first: number
  /** The devices that are compared; undefined: all. Local ids. */
  readonly deviceIds: readonly string[] | undefined
  readonly filter: CandidateFilter
  readonly exact: boolean
}

/** A past state, with what it takes to say why it is alike or unlike. */
export type StateMatch = {
  readonly runId: string
  readonly sessionId: string
  readonly time: WallNs
  readonly distance: number
  contributions(): readonly Contribution[]
  /** What the parameter was in the state asked for, and in this one; by "<device id>/<name>". */
  from(id: string): Promise<StateValue | undefined>
  to(id: string): Promise<StateValue | undefined>
}

/** So many of the nearest vectors are ranked exactly: vectors order states a little differently where something is missing or parameters share places. */
const CANDIDATES_FOR_EACH = 5
const LEAST_CANDIDATES = 50

/** The states nearest to one given. Throws Problems for what is asked wrongly, an error with the code SIMILARITY_UNAVAILABLE for what the database lacks. */
export async function similarStates(request: SimilarityRequest, context: Context): Promise<readonly StateMatch[]> {
  try {
    return await search(request, context)
  } catch (error) {
    if (error instanceof Problem || error instanceof GraphQLError) throw error
    context.log.warn({ error: String(error) }, 'similar states cannot be searched')
    throw unavailable('the database has no vectors of states, or does not answer')
  }
}

async function search({ to, first, deviceIds, filter, exact }: SimilarityRequest, context: Context): Promise<readonly StateMatch[]> {
  const [asked, projection] = await Promise.all([askedState(to, deviceIds, context), context.projections.current(context.database.pool)])
  if (projection === undefined) return noneYet(context)
  const conditions = { ...filter, ...(to.runId != null && { exceptRunId: localId('Run', to.runId) }) }
  const { scales, found } = await (exact ? rankAll : rankNearest)(asked.state, first, conditions, projection, context)
  return found.map(({ candidate, distance }) => matchOf(candidate, distance, asked, scales, context))
}

type Ranking = { readonly scales: Scales; readonly found: readonly Ranked[] }
type Ranked = { readonly candidate: Candidate } & Comparison

async function rankNearest(asked: HardwareState, first: number, filter: CandidateFilter, projection: Projection, context: Context): Promise<Ranking> {
  const { pool } = context.database
  const candidates = await nearest(pool, asked, projection, filter, Math.max(LEAST_CANDIDATES, first * CANDIDATES_FOR_EACH))
  if (candidates.length === 0) {
    const now = await context.projections.current(pool)
    if (now !== undefined && now.generation !== projection.generation) return rankNearest(asked, first, filter, now, context) // it was replaced meanwhile
  }
  return { scales: projection.scales, found: best(ranked(candidates, asked, projection.scales), first) }
}

async function rankAll(asked: HardwareState, first: number, filter: CandidateFilter, { scales }: Projection, { database }: Context): Promise<Ranking> {
  let found: readonly Ranked[] = []
  for await (const candidates of everyState(database.pool, filter)) found = best([...found, ...ranked(candidates, asked, scales)], first)
  return { scales, found }
}

function ranked(candidates: readonly Candidate[], asked: HardwareState, scales: Scales): readonly Ranked[] {
  return candidates.flatMap((candidate) => {
    const comparison = compareStates(asked, candidate.state, scales)
    return comparison === undefined ? [] : [{ candidate, ...comparison }]
  })
}

/** Of equal distance first the one of which more is known, then the newer. */
function best(all: readonly Ranked[], first: number): readonly Ranked[] {
  return all.toSorted((a, b) => a.distance - b.distance || b.common - a.common || Number(b.candidate.time - a.candidate.time)).slice(0, first)
}

/** Without any state there is nothing to find; with some, their projection is still being made. */
async function noneYet({ database: { pool } }: Context): Promise<readonly []> {
  const { rowCount } = await pool.query('SELECT 1 FROM "hardware_state" LIMIT 1')
  if (rowCount === 0) return []
  throw unavailable('the vectors of the states are being made')
}

function unavailable(why: string): GraphQLError {
  return new GraphQLError(`similar states cannot be searched now: ${why}`, { extensions: { code: 'SIMILARITY_UNAVAILABLE' } })
}

type Asked = { readonly state: HardwareState; readonly value: (id: string) => Promise<StateValue | undefined> }

/** The start of a run is stored as it is compared; anything else is made of its readings. */
async function askedState(to: StateRefGiven, deviceIds: readonly string[] | undefined, context: Context): Promise<Asked> {
  const readings = once(async () => (await stateOf(to, deviceIds, context)).values)
  const value: Asked['value'] = async (id) => (await readings()).get(id)
  if (to.runId != null && deviceIds === undefined) {
    const { rows } = await context.database.pool.query<{ entries: Buffer }>('SELECT "entries" FROM "hardware_state" WHERE "runId" = $1', [
      localId('Run', to.runId),
    ])
    if (rows[0] !== undefined) return { state: unpackState(rows[0].entries), value }
  }
  const values = await readings()
  const { rows } = await context.database.pool.query<{ key: number; id: string }>(
    `SELECT "key", "deviceId" || '/' || "name" AS "id" FROM "parameter" WHERE "deviceId" = ANY($1::uuid[])`,
    [[...new Set(Array.from(values.values(), ({ deviceId }) => deviceId))]],
  )
  const keyed = rows.flatMap(({ key, id }) => {
    const reading = values.get(id)?.reading
    return reading === undefined ? [] : [{ key, reading }]
  })
  return { state: hardwareState(keyed), value }
}

function matchOf({ runId, sessionId, time, state }: Candidate, distance: number, asked: Asked, scales: Scales, context: Context): StateMatch {
  const run = { runId: globalId('Run', runId) }
  const readings = once(async () => (await stateOf(run, undefined, context)).values)
  return {
    runId,
    sessionId,
    time,
    distance,
    contributions: () => contributionsOf(asked.state, state, scales),
    from: asked.value,
    to: async (id) => (await readings()).get(id),
  }
}

function once<Answer>(work: () => Promise<Answer>): () => Promise<Answer> {
  let answer: Promise<Answer> | undefined
  return () => (answer ??= work())
}
