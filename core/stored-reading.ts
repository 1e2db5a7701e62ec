import type { ParameterValue, Quality, Reading } from './reading.ts'

/** A reading inside a JSON column: JSON has no 64-bit integers, so its time is decimal text. */
export type StoredReading = { readonly time: string; readonly quality: Quality; readonly value?: ParameterValue; readonly reason?: string }

export function storeReading(reading: Reading): StoredReading {
  return { ...reading, time: reading.time.toString() }
}

export function restoreReading(stored: StoredReading): Reading {
  return { ...stored, time: BigInt(stored.time) }
}
