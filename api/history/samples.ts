import type { Reduction } from '../../core/reduce.ts'
import type { WallNs } from '../../core/time.ts'
import type { Database } from '../../prisma/client.ts'
import type { Points } from './series.ts'

type Pool = Pick<Database['pool'], 'query'>
export type SampleRange = { readonly key: number; readonly from: WallNs; readonly to: WallNs }
export type SampleRow = {
  readonly time: WallNs
  /** Where `time` is a later moment. */
  readonly sampledAt?: WallNs
  readonly quality: number
  readonly number: number | null
  readonly text: string | null
}

/** A boolean is 0 or 1, so that it can be drawn; whatever is no number is text. */
const COLUMNS = `"time"::text AS "time", "quality", coalesce("number", "boolean"::int::float8) AS "number", coalesce("text", array_to_json("list")::text) AS "text"`
const RANGE = `"parameterKey" = $1 AND "time" >= $2::bigint AND "time" < $3::bigint`

function bounds({ key, from, to }: SampleRange): [number, string, string] {
  return [key, from.toString(), to.toString()]
}

export async function countSamples(pool: Pool, range: SampleRange): Promise<number> {
  const { rows } = await pool.query<{ count: string }>(`SELECT count(*) AS "count" FROM "sample" WHERE ${RANGE}`, bounds(range))
  return Number(rows[0]?.count ?? 0)
}

/** What the parameter was at the beginning of the range, told as of that moment. */
export async function sampleAt(pool: Pool, { key, from }: SampleRange): Promise<SampleRow | undefined> {
  const { rows } = await pool.query<StoredSample>(
    `SELECT ${COLUMNS} FROM "sample" WHERE "parameterKey" = $1 AND "time" < $2::bigint ORDER BY "time" DESC, "sequence" DESC LIMIT 1`,
    [key, from.toString()],
  )
  return rows[0] && { ...rows[0], time: from, sampledAt: BigInt(rows[0].time) }
}

type StoredSample = Omit<SampleRow, 'time' | 'sampledAt'> & { readonly time: string }

/** In order; at most `limit`. */
export async function rawSamples(pool: Pool, range: SampleRange, limit: number): Promise<SampleRow[]> {
  const { rows } = await pool.query<StoredSample>(`SELECT ${COLUMNS} FROM "sample" WHERE ${RANGE} ORDER BY "time", "sequence" LIMIT $4`, [
    ...bounds(range),
    limit,
  ])
  return rows.map((row) => ({ ...row, time: BigInt(row.time) }))
}

/** Bins of equal time. Offsets from the beginning of the range fit a double exactly for a hundred days, and to a microsecond for centuries. */
const BIN = `floor((("time" - $2::bigint)::float8 / ($3::bigint - $2::bigint)::float8) * $4::int)`
const OFFSET = `("time" - $2::bigint)::float8`
const NUMBER = `coalesce("number", "boolean"::int::float8)`

/**
 * Points that were measured: the extremes, the first or the last of each bin; a bin in which nothing could be read is one point without a value. Arrays compare
 * element by element, so one pass finds value and time.
 */
export async function binnedPoints(pool: Pool, range: SampleRange, bins: number, reduction: Exclude<Reduction, 'MEAN' | 'NONE'>): Promise<Points> {
  const byTime = reduction === 'FIRST' || reduction === 'LAST'
  const pair = byTime ? `ARRAY[${OFFSET}, ${NUMBER}]` : `ARRAY[${NUMBER}, ${OFFSET}]`
  const { rows } = await pool.query<{ begin: number; low: [number, number] | null; high: [number, number] | null }>(
    `SELECT min(${OFFSET}) AS "begin", min(${pair}) FILTER (WHERE ${NUMBER} IS NOT NULL) AS "low", max(${pair}) FILTER (WHERE ${NUMBER} IS NOT NULL) AS "high"
     FROM "sample" WHERE ${RANGE} GROUP BY ${BIN} ORDER BY min("time")`,
    [...bounds(range), bins],
  )
  const chosen = rows.flatMap(({ begin, low, high }): (readonly [number, number | null])[] => {
    if (low === null || high === null) return [[begin, null]]
    if (reduction === 'FIRST') return [low]
    if (reduction === 'LAST') return [high]
    const [a, b] = [low, high].map(([number, offset]) => [offset, number] as [number, number]) as [[number, number], [number, number]]
    if (a[0] === b[0]) return [a]
    return a[0] < b[0] ? [a, b] : [b, a]
  })
  return { times: chosen.map(([offset]) => range.from + BigInt(Math.round(offset))), values: chosen.map(([, number]) => number) }
}

export async function binnedMeans(pool: Pool, range: SampleRange, bins: number): Promise<Points> {
  const { rows } = await pool.query<{ time: string; mean: number; low: number; high: number }>(
    `SELECT min("time")::text AS "time", avg(${NUMBER}) AS "mean", min(${NUMBER}) AS "low", max(${NUMBER}) AS "high" FROM "sample" WHERE ${RANGE} GROUP BY ${BIN} ORDER BY min("time")`,
    [...bounds(range), bins],
  )
  return {
    times: rows.map(({ time }) => BigInt(time)),
    values: rows.map(({ mean }) => mean),
    minimum: rows.map(({ low }) => low),
    maximum: rows.map(({ high }) => high),
  }
}
