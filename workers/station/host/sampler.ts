import { isSample } from '../../../core/history.ts'
import type { ParameterSpec } from '../../../core/parameter.ts'
import type { Reading } from '../../../core/reading.ts'
import type { Note } from './note.ts'
import type { Published } from './readings-hub.ts'

type Sampled = { readonly deviceId: string; readonly spec: ParameterSpec; last?: Reading }

/** Writes the history: a reading enters the journal when it leaves its parameter's deadband, when its quality changes, and once each heartbeat. */
export class Sampler {
  readonly #note: Note
  readonly #known = new Map<number, Sampled>()

  constructor(note: Note) {
    this.#note = note
  }

  know(handle: number, deviceId: string, spec: ParameterSpec): void {
    const known = this.#known.get(handle)
    const last = known?.spec.unit === spec.unit ? known?.last : undefined // a number in another unit is no measure for the deadband
    this.#known.set(handle, { deviceId, spec, ...(last !== undefined && { last }) })
  }

  forget(handles: readonly number[]): void {
    for (const handle of handles) this.#known.delete(handle)
  }

  /** Setpoints are not sampled: each is a change, journalled with its cause. */
  take(batch: readonly Published[]): void {
    const samples: { deviceId: string; parameter: string; reading: Reading }[] = []
    for (const { handle, reading, kind } of batch) {
      const known = this.#known.get(handle)
      if (kind !== 'measured' || known === undefined) continue
      if (!isSample(known.spec, known.last, reading)) continue
      known.last = reading
      samples.push({ deviceId: known.deviceId, parameter: known.spec.name, reading })
    }
    if (samples.length > 0) this.#note({ type: 'samples', samples })
  }
}
