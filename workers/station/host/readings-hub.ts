import type { Reading } from '../../../core/reading.ts'
import type { ReadingsItem, ReadingsParams, ReadingsPosition } from '../../../link/protocol.ts'

/** Every reading of the station passes here once: gathered into batches, kept for a while for those who resume, sampled into the journal. */
export interface ReadingsHub {
  readonly position: ReadingsPosition
  publish(handle: number, reading: Reading, kind: 'measured' | 'setpoint'): void
  stream(params: ReadingsParams, signal: AbortSignal): AsyncIterable<ReadingsItem>
}
