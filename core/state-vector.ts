import { type HardwareState, isCategory, keyOf } from './hardware-state.ts'
import type { ParameterSpec } from './parameter.ts'

/**
 * How alike two hardware states are, and a state as a vector for pgvector. Pure functions; docs/decisions/0011-state-vectors.md says why it is so.
 *
 * Each number is measured from its parameter's usual value in its parameter's usual spread, so that a millikelvin and a metre weigh by how unusual they are.
 * The distance of two states is the mean of the squared differences over the parameters that are known in both. The vector holds the same measures at the
 * parameters' places, so that the Euclidean distance of two vectors orders states as the distance does, as long as parameters do not share a place.
 */

/** Of the layout and the arithmetic in this file: a change of either needs another number, and every stored vector made again. */
export const PROJECTION_VERSION = 1
export const VECTOR_LENGTH = 512

/** How one parameter is measured. Fitted to many states by `fitScale`, or from less by `firstScale`. */
export type Scale = {
  /** Its place in the vector; from VECTOR_LENGTH on places are shared, every second round with the opposite sign. */
  readonly slot: number
  readonly center: number
  readonly spread: number
}
export type Scales = ReadonlyMap<number, Scale>

/** Proportional up to here, logarithmic beyond, so that one thing gone wild does not drown all others and two wild ones can still be told apart. */
const LINEAR_SPREADS = 8
const FARTHEST_SPREADS = 1e6 // beyond it all is equally far
/** Two categories that differ count like a number that is ten spreads from its usual value. */
const CATEGORY = measure(10)
/** States with less in common than this part of what is asked for are not compared: nearly nothing is known of them. */
const LEAST_COMMON = 0.5

function measure(spreads: number): number {
  const bounded = Math.min(FARTHEST_SPREADS, Math.max(-FARTHEST_SPREADS, spreads))
  return LINEAR_SPREADS * Math.asinh(bounded / LINEAR_SPREADS)
}

function measureOf(value: number, { center, spread }: Scale): number {
  return measure((value - center) / spread)
}

export type Contribution = { readonly key: number; readonly distance: number }
export type Comparison = { readonly distance: number; readonly common: number }

/** undefined where they have too little in common. What is missing in either counts for nothing. */
export function compareStates(asked: HardwareState, other: HardwareState, scales: Scales): Comparison | undefined {
  let sum = 0
  const common = eachCommon(asked, other, scales, (_key, squared) => {
    sum += squared
  })
  return common === 0 || common < LEAST_COMMON * asked.words.length ? undefined : { distance: sum / common, common }
}

/** What each common parameter adds to the distance, the largest first. They add up to it. */
export function contributionsOf(asked: HardwareState, other: HardwareState, scales: Scales): readonly Contribution[] {
  const squares: Contribution[] = []
  const common = eachCommon(asked, other, scales, (key, distance) => squares.push({ key, distance }))
  return squares.map(({ key, distance }) => ({ key, distance: distance / common })).sort((a, b) => b.distance - a.distance || a.key - b.key)
}

/** Walks both in the order of their keys. Returns how many parameters they have in common. */
function eachCommon(one: HardwareState, other: HardwareState, scales: Scales, visit: (key: number, squared: number) => void): number {
  let common = 0
  for (let i = 0, j = 0; i < one.words.length && j < other.words.length; ) {
    const [a = 0, b = 0] = [one.words[i], other.words[j]]
    if (keyOf(a) < keyOf(b)) i += 1
    else if (keyOf(b) < keyOf(a)) j += 1
    else {
      const scale = scales.get(keyOf(a))
      if (scale !== undefined) {
        common += 1
        visit(keyOf(a), squaredDifference(a, one.values[i] ?? 0, b, other.values[j] ?? 0, scale))
      }
      i += 1
      j += 1
    }
  }
  return common
}

function squaredDifference(a: number, x: number, b: number, y: number, scale: Scale): number {
  if (isCategory(a) || isCategory(b)) return a === b && x === y ? 0 : CATEGORY ** 2
  return (measureOf(x, scale) - measureOf(y, scale)) ** 2
}

export type StateVector = {
  readonly vector: Float32Array /** A bit for each place that holds something, as PostgreSQL's bit strings are written. */
  readonly mask: string
}

/** What is missing is 0, the usual value, and has no bit in the mask. */
export function projectState({ words, values }: HardwareState, scales: Scales): StateVector {
  const vector = new Float32Array(VECTOR_LENGTH)
  const mask = new Array<'0' | '1'>(VECTOR_LENGTH).fill('0')
  words.forEach((word, at) => {
    const scale = scales.get(keyOf(word))
    if (scale === undefined) return
    const place = scale.slot % VECTOR_LENGTH
    const sign = Math.floor(scale.slot / VECTOR_LENGTH) % 2 === 0 ? 1 : -1
    const value = values[at] ?? 0
    vector[place] = (vector[place] ?? 0) + sign * (isCategory(word) ? categoryMeasure(value) : measureOf(value, scale))
    mask[place] = '1'
  })
  return { vector, mask: mask.join('') }
}

/** One number cannot hold categories that are all equally far apart: exact for a switch, right on average for the others. */
function categoryMeasure(category: number): number {
  if (category === 0 || category === 1) return CATEGORY * (category - 0.5)
  return CATEGORY * Math.sqrt(6) * (category / 2 ** 53 - 0.5) // of two evenly distributed numbers the mean squared difference is a sixth of the squared range
}

const MAD_TO_SIGMA = 1.4826 // of a normal distribution
const CUT_AT_SIGMA = 3 // deviations beyond count as this much: outliers cannot widen the spread, and few states still give a steady one

/** Median, and standard deviation with its outliers cut. What was nearly always the same has its mean deviation, what never changed its guess. */
export function fitScale(values: readonly number[], spec: ParameterSpec): Omit<Scale, 'slot'> {
  const center = median(values)
  const deviations = values.map((value) => Math.abs(value - center))
  const cut = CUT_AT_SIGMA * MAD_TO_SIGMA * median(deviations)
  const spread = cut > 0 ? Math.sqrt(mean(deviations.map((deviation) => Math.min(deviation, cut) ** 2))) : mean(deviations)
  return usable(center, spread > 0 ? Math.max(spread, spec.deadband ?? 0) : guessedSpread(center, spec))
}

/**
 * Before there are states to learn from. What is only measured varies as it did lately (`history`, as recorded); a setting was lately what people wanted, and
 * says nothing of how far is far: its first value is the usual one.
 */
export function firstScale(value: number, spec: ParameterSpec, history: readonly number[]): Omit<Scale, 'slot'> {
  return spec.access === 'READ_ONLY' ? fitScale([...history, value], spec) : usable(value, guessedSpread(value, spec))
}

/** A hundredth of the value or of the range, whichever is smaller; not less than what the driver says is noise. */
function guessedSpread(value: number, { minimum, maximum, deadband = 0, step = 0 }: ParameterSpec): number {
  const ofRange = minimum === undefined || maximum === undefined ? Number.POSITIVE_INFINITY : (maximum - minimum) / 100
  const ofValue = value === 0 ? Number.POSITIVE_INFINITY : Math.abs(value) / 100
  const guess = Math.min(ofRange, ofValue)
  return Math.max(Number.isFinite(guess) ? guess : 0, deadband, step)
}

function usable(center: number, spread: number): Omit<Scale, 'slot'> {
  return { center, spread: Number.isFinite(spread) && spread > 0 ? spread : 1 }
}

function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort()
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : (sorted[middle - 1] ?? 0) / 2 + upper / 2
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value / values.length, 0)
}
