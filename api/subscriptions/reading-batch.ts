import type { ParameterSpec } from '../../core/parameter.ts'
import type { ParameterValue, Quality, Reading } from '../../core/reading.ts'
import type { WallNs } from '../../core/time.ts'
import { convert } from '../../core/unit.ts'
import { parameterId } from '../global-id.ts'
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
export type Chosen = { readonly deviceId: string; readonly spec: ParameterSpec; readonly unit: string | undefined }

const NS_PER_MS = 1e6

/** Readings of one parameter, in order, as columns. */
export class SeriesBuilder {
  readonly #chosen: Chosen
  readonly #offsetsMs: number[] = []
  readonly #qualities: Quality[] = []
  readonly #values: (ParameterValue | undefined)[] = []
  #start: WallNs = 0n

  constructor(chosen: Chosen) {
    this.#chosen = chosen
  }

  add({ time, quality, value }: Reading): void {
    if (this.#values.length === 0) this.#start = time
    this.#offsetsMs.push(Number(time - this.#start) / NS_PER_MS)
    this.#qualities.push(quality)
    this.#values.push(value)
  }

  build(): LiveSeries {
    const { deviceId, spec, unit } = this.#chosen
    return {
      parameterId: parameterId(deviceId, spec.name),
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
