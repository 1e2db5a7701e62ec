import type { ParameterSpec } from '../../core/parameter.ts'
import type { ParameterValue, Quality, Reading } from '../../core/reading.ts'
import type { WallNs } from '../../core/time.ts'
import { convert } from '../../core/unit.ts'
import type { Gap } from '../schema/gap.ts'

export type LiveSeries = {
  readonly parameterId: string
  readonly unit?: string | undefined
  readonly start: WallNs
  readonly offsetsMs: readonly number[]
  readonly numbers?: readonly (number | null)[]
  readonly texts?: readonly (string | null)[]
  readonly booleans?: readonly (boolean | null)[]
  readonly qualities: readonly Quality[]
}

/** The cursor is only made when a client asks for it. */
export type ReadingBatch = {
  readonly cursor: () => string
  readonly gap?: Gap
  readonly snapshot: boolean
  readonly dropped: number
  readonly series: readonly LiveSeries[]
}

/** One parameter that a subscription has chosen. */
export type Chosen = {
  readonly deviceId: string
  readonly spec: ParameterSpec
  /** Asked for, where it differs from the parameter's own. */
  readonly unit: string | undefined
  /** Global. */
  readonly parameterId: string
}

const NS_PER_MS = 1e6

/** Readings of one parameter, in order, as columns. */
export class SeriesBuilder {
  readonly #chosen: Chosen
  readonly #offsetsMs: number[] = []
  readonly #qualities: Quality[] = []
  readonly #values: (ParameterValue | undefined)[] = []
  #start: WallNs = 0n
  #last: Reading | undefined

  constructor(chosen: Chosen) {
    this.#chosen = chosen
  }

  get last(): Reading | undefined {
    return this.#last
  }

  add(reading: Reading): void {
    const { time, quality, value } = reading
    this.#last = reading
    if (this.#values.length === 0) this.#start = time
    this.#offsetsMs.push(Number(time - this.#start) / NS_PER_MS)
    this.#qualities.push(quality)
    this.#values.push(value)
  }

  build(): LiveSeries {
    const { spec, unit, parameterId } = this.#chosen
    return {
      parameterId,
      unit: unit ?? spec.unit,
      start: this.#start,
      offsetsMs: this.#offsetsMs,
      qualities: this.#qualities,
      ...columnOf(spec, this.#values, unit),
    }
  }
}

/** A list has no column of its own in a stream; it is told as text, as JSON. */
function columnOf(
  spec: ParameterSpec,
  values: readonly (ParameterValue | undefined)[],
  unit: string | undefined,
): Pick<LiveSeries, 'numbers' | 'texts' | 'booleans'> {
  switch (spec.kind) {
    case 'FLOAT':
    case 'INTEGER':
      return {
        numbers: values.map((value) =>
          typeof value === 'number' && Number.isFinite(value) ? (unit === undefined ? value : convert(value, spec.unit ?? '1', unit)) : null,
        ),
      }
    case 'BOOLEAN':
      return { booleans: values.map((value) => (typeof value === 'boolean' ? value : null)) }
    default:
      return { texts: values.map((value) => (value === undefined ? null : typeof value === 'string' ? value : JSON.stringify(value))) }
  }
}
