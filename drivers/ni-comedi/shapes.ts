/** Waveforms as numbers: their shapes, and the board's clock that they are fitted to. Pure. */
import { InvalidValue } from '../../core/errors.ts'

export const SHAPES = ['sine', 'triangle', 'square', 'ramp'] as const
export type Shape = (typeof SHAPES)[number]

export const SLOWEST_WAVE_HZ = 0.001
export const FASTEST_WAVE_HZ = 10_000
const TICK_NS = 50 // of the board's 20 MHz
const SHORTEST_NS = 10_000 // from one sample to the next: the outputs settle in it
const LONGEST_NS = 0xff_ffff * TICK_NS // the timer has 24 bits
const MOST_COUNTED = 0xff_ffff // as the counter of samples has
const MOST_SAMPLES = 10_000 // of a period: finer steps than this are below an output's own at most frequencies
const LEAST_SAMPLES = 10 // of a period: with fewer it is another shape
const SEARCHED_PART = 0.9 // of the samples that are possible: so far down a number is looked for that meets the frequency better

/** Between -1 and 1; `phase` from 0 to 1. Sine and triangle rise from 0, a square wave is high first, a ramp rises all the way. */
export function shapeAt(shape: Shape, phase: number): number {
  switch (shape) {
    case 'sine':
      return Math.sin(2 * Math.PI * phase)
    case 'triangle':
      return phase < 0.25 ? 4 * phase : phase < 0.75 ? 2 - 4 * phase : 4 * phase - 4
    case 'square':
      return phase < 0.5 ? 1 : -1
    case 'ramp':
      return 2 * phase - 1
  }
}

export type WaveTiming = { readonly samples: number; readonly intervalNs: number }

/**
 * How many samples of a period, and how far apart, come nearest to a frequency between the slowest and the fastest. `periods`: how many of them the board must
 * be able to count; undefined: none. Throws InvalidValue when it cannot.
 */
export function waveTiming(frequencyHz: number, periods: number | undefined): WaveTiming {
  const periodNs = 1e9 / frequencyHz
  const counted = Math.floor(MOST_COUNTED / (periods ?? 1))
  const most = Math.min(MOST_SAMPLES, counted, Math.floor(periodNs / SHORTEST_NS))
  if (most < LEAST_SAMPLES)
    throw new InvalidValue(`periods: the board counts ${Math.floor(MOST_COUNTED / LEAST_SAMPLES)} at most; without a number it plays until it is stopped`, [
      'periods',
    ])
  let best: (WaveTiming & { readonly offNs: number }) | undefined
  for (let samples = most; samples >= Math.max(LEAST_SAMPLES, most * SEARCHED_PART); samples -= 1) {
    const intervalNs = Math.round(periodNs / samples / TICK_NS) * TICK_NS
    const offNs = Math.abs(samples * intervalNs - periodNs)
    if (best === undefined || offNs < best.offNs) best = { samples, intervalNs, offNs }
  }
  return { samples: best?.samples ?? most, intervalNs: best?.intervalNs ?? SHORTEST_NS }
}

/** The same for a list of `samples` values. */
export function listTiming(samples: number, frequencyHz: number, periods: number | undefined): WaveTiming {
  const intervalNs = Math.round(1e9 / frequencyHz / samples / TICK_NS) * TICK_NS
  if (intervalNs < SHORTEST_NS || intervalNs > LONGEST_NS)
    throw new InvalidValue(`frequency: a period of ${samples} values has ${1e9 / LONGEST_NS / samples} to ${1e9 / SHORTEST_NS / samples} Hz`, ['frequency'])
  if (samples * (periods ?? 1) > MOST_COUNTED)
    throw new InvalidValue(`periods: the board counts ${Math.floor(MOST_COUNTED / samples)} of ${samples} values at most`, ['periods'])
  return { samples, intervalNs }
}
