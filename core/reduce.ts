import { InvalidValue } from './errors.ts'

/**
 * Fewer points for the same picture. Each reduction but MEAN chooses points that were really measured:
 * MIN_MAX both extremes of each of maxPoints/2 buckets, so that no peak is lost; LTTB the points that span the largest triangles (Steinarsson 2013), for
 * smooth lines; FIRST and LAST one of each bucket; MEAN the mean of each bucket, with its extremes beside; NONE the first maxPoints as they are.
 * A bucket without any value stays as one point without a value, so that gaps are seen (LTTB leaves them out).
 */
export const REDUCTIONS = ['NONE', 'MIN_MAX', 'LTTB', 'MEAN', 'FIRST', 'LAST'] as const
export type Reduction = (typeof REDUCTIONS)[number]

export type Reduced = {
  /** Which of the given points each stands for (of MEAN: the first of its bucket), ascending. */
  readonly indices: readonly number[]
  readonly x: readonly number[]
  readonly values: readonly (number | null)[]
  /** The extremes of each bucket; only with MEAN, and only if points were put together. */
  readonly minimum?: readonly (number | null)[]
  readonly maximum?: readonly (number | null)[]
}

/** Takes points one by one, so that any length passes through bounded memory. */
export interface Reducer {
  /** y is NaN where there is no value. */
  push(x: number, y: number): void
  finish(): Reduced
}

export const MIN_POINTS = 2 // with fewer there is no line
const MAX_POINTS_OF_SERIES = 100_000 // more than any screen has; whoever wants all takes the file

/** Before LTTB, longer series are brought to this many by MIN_MAX, which keeps what LTTB looks for (Donckt 2023), in 16 MB. */
const LTTB_POINTS = 1_000_000

export function checkMaxPoints(maxPoints: number): void {
  if (!Number.isSafeInteger(maxPoints) || maxPoints < MIN_POINTS || maxPoints > MAX_POINTS_OF_SERIES)
    throw new InvalidValue(`maxPoints: ${maxPoints} is not a whole number from ${MIN_POINTS} to ${MAX_POINTS_OF_SERIES}`, ['maxPoints'])
}

export function reduce(x: ArrayLike<number>, y: ArrayLike<number>, maxPoints: number, reduction: Reduction): Reduced {
  const reducer = createReducer(reduction, x.length, maxPoints)
  for (let index = 0; index < x.length; index += 1) reducer.push(x[index] ?? Number.NaN, y[index] ?? Number.NaN)
  return reducer.finish()
}

/** `total`: how many points will be pushed. Never gives more than maxPoints. */
export function createReducer(reduction: Reduction, total: number, maxPoints: number): Reducer {
  checkMaxPoints(maxPoints)
  if (total <= maxPoints || reduction === 'NONE') return keepFirst(maxPoints)
  switch (reduction) {
    case 'MIN_MAX':
      return extremes(total, Math.floor(maxPoints / 2))
    case 'MEAN':
      return means(total, maxPoints)
    case 'FIRST':
      return oneOfEach(total, maxPoints, (chosen) => Number.isNaN(chosen))
    case 'LAST':
      return oneOfEach(total, maxPoints, (_chosen, next) => !Number.isNaN(next))
    case 'LTTB':
      return largestTriangles(total, maxPoints)
  }
}

/** Chosen points in the order of their coming. */
class Chosen {
  readonly indices: number[] = []
  readonly x: number[] = []
  readonly values: (number | null)[] = []

  add(index: number, x: number, y: number): void {
    this.indices.push(index)
    this.x.push(x)
    this.values.push(orNull(y))
  }
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

function keepFirst(maxPoints: number): Reducer {
  const chosen = new Chosen()
  let index = 0
  return {
    push(x, y) {
      if (index < maxPoints) chosen.add(index, x, y)
      index += 1
    },
    finish: () => chosen,
  }
}

/** Calls `close` after each bucket's last point; buckets differ by at most one point in length. */
function inBuckets(
  total: number,
  buckets: number,
  take: (index: number, x: number, y: number, first: boolean) => void,
  close: () => void,
): (x: number, y: number) => void {
  let index = 0
  let bucket = 0
  let first = true
  return (x, y) => {
    take(index, x, y, first)
    index += 1
    first = false
    if (index * buckets >= (bucket + 1) * total) {
      close()
      bucket += 1
      first = true
    }
  }
}

type Point = { index: number; x: number; y: number }

function extremes(total: number, buckets: number): Reducer {
  const chosen = new Chosen()
  const low: Point = { index: 0, x: 0, y: 0 }
  const high: Point = { index: 0, x: 0, y: 0 }
  const set = (point: Point, index: number, x: number, y: number): void => {
    point.index = index
    point.x = x
    point.y = y
  }
  const push = inBuckets(
    total,
    buckets,
    (index, x, y, first) => {
      if (first || Number.isNaN(low.y) || y < low.y) set(low, index, x, y)
      if (first || Number.isNaN(high.y) || y > high.y) set(high, index, x, y)
    },
    () => {
      const [one, other] = low.index <= high.index ? [low, high] : [high, low]
      chosen.add(one.index, one.x, one.y)
      if (other.index !== one.index) chosen.add(other.index, other.x, other.y)
    },
  )
  return { push, finish: () => chosen }
}

function oneOfEach(total: number, buckets: number, replaces: (chosen: number, next: number) => boolean): Reducer {
  const chosen = new Chosen()
  const point: Point = { index: 0, x: 0, y: 0 }
  const push = inBuckets(
    total,
    buckets,
    (index, x, y, first) => {
      if (!first && !replaces(point.y, y)) return
      point.index = index
      point.x = x
      point.y = y
    },
    () => chosen.add(point.index, point.x, point.y),
  )
  return { push, finish: () => chosen }
}

function means(total: number, buckets: number): Reducer {
  const chosen = new Chosen()
  const minimum: (number | null)[] = []
  const maximum: (number | null)[] = []
  let start: Point = { index: 0, x: 0, y: 0 }
  let count = 0
  let mean = 0
  let low = Number.NaN
  let high = Number.NaN
  const push = inBuckets(
    total,
    buckets,
    (index, x, y, first) => {
      if (first) {
        start = { index, x, y }
        count = 0
        mean = 0
        low = high = Number.NaN
      }
      if (Number.isNaN(y)) return
      count += 1
      mean += (y - mean) / count // Welford: no sum that outgrows its digits
      if (!(y >= low)) low = y
      if (!(y <= high)) high = y
    },
    () => {
      chosen.add(start.index, start.x, count === 0 ? Number.NaN : mean)
      minimum.push(orNull(low))
      maximum.push(orNull(high))
    },
  )
  return { push, finish: () => ({ indices: chosen.indices, x: chosen.x, values: chosen.values, minimum, maximum }) }
}

function largestTriangles(total: number, maxPoints: number): Reducer {
  if (total <= LTTB_POINTS) {
    const xs = new Float64Array(total)
    const ys = new Float64Array(total)
    const indices = new Float64Array(total)
    let index = 0
    let length = 0
    return {
      push(x, y) {
        if (!Number.isNaN(y)) {
          xs[length] = x
          ys[length] = y
          indices[length] = index
          length += 1
        }
        index += 1
      },
      finish: () => chooseTriangles(indices.subarray(0, length), xs, ys, maxPoints),
    }
  }
  const before = extremes(total, LTTB_POINTS / 2)
  return {
    push: before.push,
    finish() {
      const { indices, x, values } = before.finish()
      const there = values.flatMap((value, at) => (value === null ? [] : [at]))
      const pick = (from: readonly (number | null)[]): Float64Array => Float64Array.from(there, (at) => from[at] ?? Number.NaN)
      return chooseTriangles(pick(indices), pick(x), pick(values), maxPoints)
    },
  }
}

/** First and last are kept; each bucket between gives the point that spans the largest triangle with the one chosen before and the mean of the next. */
function chooseTriangles(indices: Float64Array, x: Float64Array, y: Float64Array, maxPoints: number): Reduced {
  const total = indices.length
  const chosen = new Chosen()
  const keep = (at: number): void => chosen.add(indices[at] ?? 0, x[at] ?? 0, y[at] ?? 0)
  if (total <= maxPoints) {
    for (let at = 0; at < total; at += 1) keep(at)
    return chosen
  }
  const width = (total - 2) / (maxPoints - 2)
  const edge = (bucket: number): number => Math.min(total - 1, Math.floor(bucket * width) + 1)
  let last = 0
  keep(0)
  for (let bucket = 0; bucket < maxPoints - 2; bucket += 1) {
    const [from, to] = [edge(bucket), edge(bucket + 1)]
    const [meanX, meanY] =
      bucket === maxPoints - 3 ? [x[total - 1] ?? 0, y[total - 1] ?? 0] : [meanOf(x, to, edge(bucket + 2)), meanOf(y, to, edge(bucket + 2))]
    let largest = -1
    let best = from
    for (let at = from; at < to; at += 1) {
      const area = Math.abs(((x[last] ?? 0) - meanX) * ((y[at] ?? 0) - (y[last] ?? 0)) - ((x[last] ?? 0) - (x[at] ?? 0)) * (meanY - (y[last] ?? 0)))
      if (area > largest) {
        largest = area
        best = at
      }
    }
    keep(best)
    last = best
  }
  keep(total - 1)
  return chosen
}

function meanOf(values: Float64Array, from: number, to: number): number {
  let sum = 0
  for (let at = from; at < to; at += 1) sum += values[at] ?? 0
  return sum / Math.max(1, to - from)
}
