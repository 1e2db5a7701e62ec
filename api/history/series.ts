import { IncompatibleUnit, InvalidValue } from '../../core/errors.ts'
import { type PastUnit, unitAt, unitSpans } from '../../core/history.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import { QUALITIES, type Quality } from '../../core/reading.ts'
import { checkMaxPoints, createReducer, MIN_POINTS, type Reduced, type Reduction } from '../../core/reduce.ts'
import type { WallNs } from '../../core/time.ts'
import { convert } from '../../core/unit.ts'
import type { Database } from '../../prisma/client.ts'
import { nowNs } from '../now.ts'
import { pastState } from '../states/snapshot.ts'
import { binnedMeans, binnedPoints, countSamples, rawSamples, type SampleRow, sampleAt } from './samples.ts'
import { withSilences } from './silence.ts'

export type Series = {
  readonly unit?: string | undefined
  readonly times: readonly WallNs[]
  readonly values?: readonly (number | null)[]
  readonly texts?: readonly (string | null)[]
  readonly qualities?: readonly Quality[]
  readonly minimum?: readonly (number | null)[]
  readonly maximum?: readonly (number | null)[]
  readonly reducedFrom: number
  readonly reduction: Reduction
  readonly cursor: string
}

export type HistoryRequest = {
  readonly parameterKey: number
  readonly deviceId: string
  readonly spec: ParameterSpec
  readonly textual: boolean
  /** Of the samples now, and of the answer; those of before are in `pastUnits`. */
  readonly unit: string | undefined
  readonly pastUnits: readonly PastUnit[]
  readonly askedUnit: string | undefined
  readonly from: WallNs
  readonly to: WallNs
  readonly maxPoints: number
  readonly reduction: Reduction
  readonly cursor: string
}

/** Up to here all samples are read and reduced exactly; above, PostgreSQL makes the first bins, so that a year costs no more memory than an hour. */
const MAX_RAW_SAMPLES = 200_000
/** Of each of the two extremes, before LTTB chooses among them. */
const LTTB_BINS = 50_000

/**
 * The samples of a parameter in [from, to), with no more than maxPoints points. Only changes beyond the deadband are kept, so the first point, at `from`, is
 * what the parameter was then: the last sample before, STALE where nobody read it any more (null where points are put together, which have no quality). Where
 * it was no longer read by itself, a STALE point without a value says so; of more than MAX_RAW_SAMPLES only the times do. What was recorded in another unit is
 * converted, and has no value where the units have nothing in common.
 */
export async function readHistory(database: Pick<Database, 'pool'>, request: HistoryRequest): Promise<Series> {
  const { from, to, unit, askedUnit, pastUnits, maxPoints } = request
  checkMaxPoints(maxPoints)
  if (to <= from) throw new InvalidValue('range: to must be after from', ['range'])
  const wanted = askedUnit ?? unit
  if (!request.textual && wanted !== unit) convert(0, unit ?? '1', wanted) // refused even where there is nothing to convert
  const spans = unitSpans({ from, to, unit }, pastUnits)
  const series: Series[] = []
  for (const [at, span] of spans.entries()) {
    const one = { ...request, ...span, maxPoints: Math.max(MIN_POINTS, Math.floor(maxPoints / spans.length)) }
    const readable = request.textual ? span.unit === unit : areCommensurable(span.unit, wanted)
    series.push(
      readable
        ? await readSpan(database, { ...one, askedUnit: wanted }, at === 0)
        : withoutValues(await readSpan(database, { ...one, askedUnit: undefined }, at === 0)),
    )
  }
  return joined(series, wanted)
}

/** Within which the unit is one. `begins`: it has the point of what was before. */
async function readSpan(database: Pick<Database, 'pool'>, request: HistoryRequest, begins: boolean): Promise<Series> {
  const { pool } = database
  const { from, to, maxPoints, reduction, textual } = request
  const range = { key: request.parameterKey, from, to }
  const [total, before] = await Promise.all([countSamples(pool, range), begins ? stateAt(database, request) : undefined])
  const room = before === undefined ? maxPoints : maxPoints - 1

  if (textual || reduction === 'NONE' || total <= room) {
    const rows = told(await rawSamples(pool, range, room))
    if (textual || reduction === 'NONE' || rows.length <= maxPoints) return exact(rows.slice(0, maxPoints), total, request)
  }
  const points = total <= MAX_RAW_SAMPLES ? await reduceRaw() : await reduceBinned()
  return numeric(points, before, total, request)

  /** With what was at the beginning, and where nobody read it. */
  function told(rows: readonly SampleRow[]): readonly SampleRow[] {
    const now = nowNs()
    const reachesNow = to > now
    const end = reachesNow ? now : to
    return withSilences(before === undefined ? rows : [before, ...rows], request.spec, rows.length < total ? undefined : end)
  }

  async function reduceRaw(): Promise<Points> {
    const all = told(await rawSamples(pool, range, MAX_RAW_SAMPLES))
    const rows = before === undefined ? all : all.slice(1)
    const reducer = createReducer(reduction, rows.length, Math.max(2, room))
    for (const row of rows) reducer.push(Number(row.time - from), row.number ?? Number.NaN)
    const reduced = reducer.finish()
    return { ...reduced, times: reduced.indices.map((index) => rows[index]?.time ?? from) }
  }

  async function reduceBinned(): Promise<Points> {
    if (reduction === 'NONE') throw new Error('NONE takes the samples as they are')
    if (reduction === 'MEAN') return binnedMeans(pool, range, room)
    const bins = reduction === 'LTTB' ? LTTB_BINS : reduction === 'MIN_MAX' ? Math.max(1, Math.floor(room / 2)) : room
    const points = await binnedPoints(pool, range, bins, reduction)
    if (reduction !== 'LTTB') return points
    const reducer = createReducer('LTTB', points.times.length, Math.max(2, room))
    for (const [at, time] of points.times.entries()) reducer.push(Number(time - from), points.values[at] ?? Number.NaN)
    const reduced = reducer.finish()
    return { ...reduced, times: reduced.indices.map((index) => points.times[index] ?? from) }
  }
}

/** What the parameter was at the beginning of the range, as labState tells it: a constant is GOOD, what is dead is STALE. */
async function stateAt(
  database: Pick<Database, 'pool'>,
  { parameterKey: key, from, to, deviceId, spec, unit, pastUnits }: HistoryRequest,
): Promise<SampleRow | undefined> {
  const [sample, state] = await Promise.all([sampleAt(database.pool, { key, from, to }), pastState(from - 1n, [deviceId], { database })])
  const quality = state.values.get(`${deviceId}/${spec.name}`)?.reading.quality ?? 'STALE' // its device was removed before
  if (sample === undefined) return undefined
  const then = unitAt(sample.sampledAt ?? from, spec.unit, pastUnits)
  const comparable = then === unit || areCommensurable(then, unit)
  const number = sample.number === null || !comparable ? null : then === unit ? sample.number : convert(sample.number, then ?? '1', unit)
  return { ...sample, number, text: then === unit ? sample.text : null, quality: QUALITIES.indexOf(quality) }
}

export type Points = Pick<Reduced, 'values' | 'minimum' | 'maximum'> & { readonly times: readonly WallNs[] }

function exact(rows: readonly SampleRow[], total: number, request: HistoryRequest): Series {
  const values = rows.map(({ number }) => number)
  return {
    ...heading(total, request, rows.length < total ? request.reduction : 'NONE'),
    times: rows.map(({ time }) => time),
    qualities: rows.map(({ quality }) => QUALITIES[quality] ?? 'BAD'),
    ...(request.textual ? { texts: rows.map(({ text }) => text) } : { values: converted(values, request) }),
  }
}

function numeric({ times, values, minimum, maximum }: Points, before: SampleRow | undefined, total: number, request: HistoryRequest): Series {
  const lead = before !== undefined && QUALITIES[before.quality] === 'STALE' ? null : before?.number
  const led = (column: readonly (number | null)[]): (number | null)[] => converted(lead === undefined ? column : [lead, ...column], request)
  return {
    ...heading(total, request, request.reduction),
    times: before === undefined ? times : [before.time, ...times],
    values: led(values),
    ...(minimum !== undefined && { minimum: led(minimum) }),
    ...(maximum !== undefined && { maximum: led(maximum) }),
  }
}

function heading(total: number, { unit, askedUnit, cursor }: HistoryRequest, reduction: Reduction) {
  return { unit: askedUnit ?? unit, reducedFrom: total, reduction, cursor }
}

function converted(column: readonly (number | null)[], { unit, askedUnit }: HistoryRequest): (number | null)[] {
  if (askedUnit === undefined || askedUnit === unit) return [...column]
  return column.map((value) => (value === null ? null : convert(value, unit ?? '1', askedUnit)))
}

function areCommensurable(one: string | undefined, other: string | undefined): boolean {
  if (one === other) return true
  try {
    convert(0, one ?? '1', other)
    return true
  } catch (error) {
    if (error instanceof IncompatibleUnit) return false
    throw error
  }
}

function withoutValues(series: Series): Series {
  const none = series.times.map(() => null)
  return { ...series, ...(series.texts === undefined ? { values: none } : { texts: none }) }
}

/** One after another; where one was reduced and another not, both have the columns of both but the qualities, which no reduced one has. */
function joined(parts: readonly Series[], unit: string | undefined): Series {
  const [first] = parts
  if (first === undefined) throw new Error('a range has at least one unit')
  if (parts.length === 1) return { ...first, unit }
  const { texts, ...rest } = first
  const spread = parts.some(({ minimum }) => minimum !== undefined)
  const column = (of: (part: Series) => readonly (number | null)[] | undefined): readonly (number | null)[] =>
    parts.flatMap((part) => of(part) ?? part.values ?? part.times.map(() => null))
  return {
    unit,
    times: parts.flatMap(({ times }) => times),
    ...(texts === undefined ? { values: column(({ values }) => values) } : { texts: parts.flatMap((part) => part.texts ?? part.times.map(() => null)) }),
    ...(parts.every(({ qualities }) => qualities !== undefined) && { qualities: parts.flatMap(({ qualities }) => qualities ?? []) }),
    ...(spread && { minimum: column(({ minimum }) => minimum), maximum: column(({ maximum }) => maximum) }),
    reducedFrom: parts.reduce((sum, { reducedFrom }) => sum + reducedFrom, 0),
    reduction: parts.find(({ reduction }) => reduction !== 'NONE')?.reduction ?? 'NONE',
    cursor: rest.cursor,
  }
}
