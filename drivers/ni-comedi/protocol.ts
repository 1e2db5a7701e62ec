/**
 * Volts and raw counts, ranges and references, as pure functions. The calls themselves are made by the addon through libcomedi (comedi.org, "Comedi, the Control
 * and Measurement Device Interface handbook", 4.5); the board is NI's E series ("PCI-MIO E Series User Manual").
 */
import { InvalidValue } from '../../core/errors.ts'
import type { ComediRange, ComediTrigger } from '../../native/types.ts'

/** The range as a choice, e.g. "-10..10 V". */
export function rangeName({ minimum, maximum, unit }: ComediRange): string {
  return `${minimum}..${maximum} ${unit ?? 'external'}`
}

/** V = minimum + raw / maxdata (maximum - minimum). */
export function voltsOf(raw: number, { minimum, maximum }: ComediRange, maxdata: number): number {
  return minimum + (raw / maxdata) * (maximum - minimum)
}

/** The nearest count; for volts within the range. */
export function rawOf(volts: number, { minimum, maximum }: ComediRange, maxdata: number): number {
  return Math.round(((volts - minimum) / (maximum - minimum)) * maxdata)
}

/** A recording that waits for nothing. */
export const NOW = 'NOW'

/** An edge at a programmable function input, by its name: "PFI0" rising, "PFI0 falling"; undefined for NOW. */
export function triggerOf(start: string): ComediTrigger | undefined {
  const [, pin, falling] = /^PFI(\d+)( falling)?$/.exec(start) ?? []
  return pin === undefined ? undefined : { pin: Number(pin), falling: falling !== undefined }
}

export const TICK_HZ = 20e6 // of the counters' fast clock
const LEAST_TICKS = 2

/** Each half of a pulse in ticks, as near as they go. */
export function pulseTicks(frequencyHz: number, duty: number): { readonly low: number; readonly high: number } {
  const period = Math.max(2 * LEAST_TICKS, Math.round(TICK_HZ / frequencyHz))
  const high = Math.min(period - LEAST_TICKS, Math.max(LEAST_TICKS, Math.round(period * duty)))
  return { low: period - high, high }
}

const OUTPUT_CLOCKS = [
  { slow: false, clockHz: 10e6 },
  { slow: true, clockHz: 100e3 },
] as const
const MOST_DIVIDER = 16

/** Of what the frequency output can make, the nearest in ratio. */
export function nearestFrequency(wantedHz: number): { readonly slow: boolean; readonly divider: number; readonly frequencyHz: number } {
  const all = OUTPUT_CLOCKS.flatMap(({ slow, clockHz }) =>
    Array.from({ length: MOST_DIVIDER }, (_, at) => ({ slow, divider: at + 1, frequencyHz: clockHz / (at + 1) })),
  )
  const distance = ({ frequencyHz }: { readonly frequencyHz: number }): number => Math.abs(Math.log(frequencyHz / wantedHz))
  return all.reduce((best, each) => (distance(each) < distance(best) ? each : best))
}

/** Of a parameter such as "ach3". */
export function inputNumber(parameter: string): number {
  return Number(/^ach(\d+)$/.exec(parameter)?.[1])
}

/** "0, 3" as line numbers. Throws InvalidValue at `path`. */
export function lineNumbers(text: string, path: string): readonly number[] {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
  const wrong = words.find((word) => !/^\d{1,2}$/.test(word))
  if (wrong !== undefined) throw new InvalidValue(`${path}: ${JSON.stringify(wrong)} is no line; give numbers with commas between, e.g. 0, 3`, [path])
  return words.map(Number)
}
