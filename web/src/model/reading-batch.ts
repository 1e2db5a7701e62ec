/** A live value as the dashboard keeps it. `value` is absent when the quality is BAD. Times are milliseconds since 1970. */
export type LiveValue = {
  readonly timeMs: number
  readonly quality: 'GOOD' | 'UNCERTAIN' | 'STALE' | 'BAD'
  readonly value?: number | string | boolean
  readonly unit?: string
}

type Cells<T> = readonly (T | null)[] | null
/** One parameter's column of a ReadingBatch, as the subscription `readings` sends it. */
export type LiveColumn = {
  readonly parameterId: string
  readonly unit: string | null
  readonly start: string
  readonly offsetsMs: readonly number[]
  readonly numbers: Cells<number>
  readonly texts: Cells<string>
  readonly booleans: Cells<boolean>
  readonly qualities: readonly LiveValue['quality'][] | null
}

/** Every value of one column, oldest first. Without `qualities` all are GOOD. */
export function decodeColumn(column: LiveColumn): LiveValue[] {
  const startMs = Date.parse(column.start)
  return column.offsetsMs.map((offsetMs, at) => {
    const value = column.numbers?.[at] ?? column.texts?.[at] ?? column.booleans?.[at] ?? undefined
    return {
      timeMs: startMs + offsetMs,
      quality: column.qualities?.[at] ?? (value === undefined ? 'BAD' : 'GOOD'),
      ...(value !== undefined && { value }),
      ...(column.unit !== null && { unit: column.unit }),
    }
  })
}

/** The Reading type of the API, as a live value. */
export type ApiReading = {
  readonly time: string
  readonly quality: LiveValue['quality']
  readonly unit: string | null
  readonly number: number | null
  readonly text: string | null
  readonly boolean: boolean | null
  readonly list?: readonly number[] | null
}

export function fromReading(reading: ApiReading): LiveValue {
  const value = reading.quality === 'BAD' ? undefined : (reading.number ?? reading.boolean ?? reading.text ?? reading.list?.join(', '))
  return {
    timeMs: Date.parse(reading.time),
    quality: reading.quality,
    ...(value !== undefined && { value }),
    ...(reading.unit !== null && { unit: reading.unit }),
  }
}
