/**
 * How a step motor is brought to speed and back: the delay after each step, in microseconds. DriftApp's ramp, as its RP2040 firmware and its GPIO code make
 * it: a logistic curve of steepness 10, scaled so that it goes exactly from 0 to 1.
 */

export type RampShape = 'SCURVE' | 'LINEAR' | 'NONE'
export const RAMP_SHAPES = ['SCURVE', 'LINEAR', 'NONE'] as const satisfies readonly RampShape[]

/** `risingUs` after the first steps, `fallingUs` after the last ones, `cruiseUs` between. */
export type Ramp = { readonly risingUs: Float64Array; readonly fallingUs: Float64Array; readonly cruiseUs: number }

const START_US = 3000
const RAMP_STEPS = 500 // up, and again down
const NO_RAMP_BELOW = 200 // steps in all
const WHOLE_RAMPS_FROM = 1000 // steps in all; below it each ramp is a quarter of the move
const STEEPNESS = 10

/** From 0 to 1. */
function shapeAt(part: number, shape: RampShape): number {
  if (shape === 'LINEAR') return part
  const logistic = (at: number): number => 1 / (1 + Math.exp(-STEEPNESS * (at - 0.5)))
  return (logistic(part) - logistic(0)) / (logistic(1) - logistic(0))
}

/** `warmUpSteps` come first, `warmUpUs` each: DriftApp's GPIO code makes 10 of 10 ms, its firmware none. They count as steps of the move. */
export function rampOf(steps: number, delayUs: number, shape: RampShape, warmUp: { readonly steps: number; readonly delayUs: number } = NONE): Ramp {
  const warm = new Float64Array(Math.min(warmUp.steps, steps)).fill(warmUp.delayUs)
  const rest = steps - warm.length
  const length = shape === 'NONE' || rest < NO_RAMP_BELOW ? 0 : rest < WHOLE_RAMPS_FROM ? Math.floor(rest / 4) : RAMP_STEPS
  const delayAt = (index: number): number => Math.trunc(START_US + (delayUs - START_US) * shapeAt(index / length, shape)) // the firmware counts whole ones
  const rising = Float64Array.from({ length }, (_, index) => delayAt(index))
  return {
    risingUs: Float64Array.of(...warm, ...rising),
    fallingUs: Float64Array.from({ length }, (_, index) => delayAt(length - index)),
    cruiseUs: delayUs,
  }
}

const NONE = { steps: 0, delayUs: 0 }

/** How long so many of the steps take, in seconds. */
export function secondsOf(ramp: Ramp, steps: number, made = steps): number {
  const falls = steps - ramp.fallingUs.length
  const rising = sum(ramp.risingUs, made)
  const cruising = Math.max(0, Math.min(made, falls) - ramp.risingUs.length) * ramp.cruiseUs
  return (rising + cruising + sum(ramp.fallingUs, made - falls)) / 1e6
}

/** How many steps have been made after so many seconds. The first one is made at once. */
export function stepsAfter(ramp: Ramp, steps: number, seconds: number): number {
  let [low, high] = [0, steps]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (secondsOf(ramp, steps, middle) <= seconds) low = middle + 1
    else high = middle
  }
  return low
}

function sum(delays: Float64Array, count: number): number {
  let total = 0
  for (let at = 0; at < Math.min(count, delays.length); at += 1) total += delays[at] ?? 0
  return total
}
