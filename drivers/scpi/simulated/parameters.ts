import { ScpiError } from './errors.ts'

export type NumberRange = { readonly minimum: number; readonly maximum: number; readonly preset?: number; readonly unit?: string }

const MULTIPLIERS: Readonly<Record<string, number>> = { G: 1e9, MA: 1e6, K: 1e3, M: 1e-3, U: 1e-6, N: 1e-9, P: 1e-12 }
const NUMBER = /^([+-]?(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?)\s*([A-Z]*)$/i

/** The parameters of one command, taken one after the other; what is wrong is the standard's error. */
export class Parameters {
  readonly #left: string[]

  constructor(given: readonly string[]) {
    this.#left = [...given]
  }

  get none(): boolean {
    return this.#left.length === 0
  }

  /** Throws -108 when there are more. */
  end(): void {
    if (this.#left.length > 0) throw new ScpiError(-108)
  }

  /** MINimum, MAXimum, DEFault, or a number with or without a unit (`500mV`). Out of range: -222, as the manual says; nothing is set. */
  number(range: NumberRange): number {
    return this.level()(range)
  }

  /** As number, for a range that depends on what follows. */
  level(): (range: NumberRange) => number {
    const text = this.#take()
    return (range) => {
      const end = endOf(text, range)
      if (end !== undefined) return end
      const match = NUMBER.exec(text)
      if (match === null) throw new ScpiError(-104)
      const value = Number(match[1]) * scaleOf((match[2] ?? '').toUpperCase(), range.unit)
      if (value < range.minimum || value > range.maximum) throw new ScpiError(-222)
      return value
    }
  }

  /** What a question asks for: undefined for the present value. */
  extreme(range: NumberRange): number | undefined {
    const [first] = this.#left
    const end = first === undefined ? undefined : endOf(first, range)
    if (end !== undefined) this.#left.shift()
    return end
  }

  boolean(): boolean {
    const text = this.#take().toUpperCase()
    if (text === 'ON') return true
    if (text === 'OFF') return false
    if (!/^[+-]?\d+(\.\d*)?$/.test(text)) throw new ScpiError(-104)
    return Math.round(Number(text)) !== 0
  }

  string(): string {
    const match = /^(["'])(.*)\1$/s.exec(this.#take())
    if (match === null) throw new ScpiError(-104)
    const [, mark = '"', inside = ''] = match
    return inside.replaceAll(mark + mark, mark)
  }

  /** `(@1,3)` or `(@1:3)`; absent: `otherwise`. */
  channels(count: number, otherwise: readonly number[]): readonly number[] {
    if (this.none) return otherwise
    const match = /^\(@([\d,:\s]+)\)$/.exec(this.#take())
    if (match === null) throw new ScpiError(-104)
    const channels = (match[1] ?? '').split(',').flatMap((part) => {
      const [from = Number.NaN, to = from] = part.split(':').map(Number)
      return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index)
    })
    if (channels.length === 0 || channels.some((channel) => !(channel >= 1 && channel <= count))) throw new ScpiError(-222)
    return channels
  }

  word(): string {
    return this.#take().toUpperCase()
  }

  #take(): string {
    const first = this.#left.shift()
    if (first === undefined || first === '') throw new ScpiError(-109)
    return first
  }
}

function endOf(text: string, { minimum, maximum, preset = minimum }: NumberRange): number | undefined {
  const word = text.toUpperCase()
  if (word === 'MIN' || word === 'MINIMUM') return minimum
  if (word === 'MAX' || word === 'MAXIMUM') return maximum
  return word === 'DEF' || word === 'DEFAULT' ? preset : undefined
}

/** SCPI-99, volume 1, 7.1: M is milli but in MHZ and MOHM. */
function scaleOf(suffix: string, unit: string | undefined): number {
  if (suffix === '') return 1
  if (unit === undefined) throw new ScpiError(-138)
  const name = unit.toUpperCase()
  if (suffix === name) return 1
  const prefix = suffix.endsWith(name) ? suffix.slice(0, -name.length) : ''
  const scale = prefix === 'M' && (name === 'HZ' || name === 'OHM') ? 1e6 : MULTIPLIERS[prefix]
  if (scale === undefined) throw new ScpiError(-131)
  return scale
}
