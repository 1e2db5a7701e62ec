import { createHash } from 'node:crypto'
import type { Manifest, ManifestEntry } from '../core/dataset.ts'
import { restoreReading, type StoredReading } from '../core/stored-reading.ts'

/** A manifest as a JSON column holds it: times are decimal text. */
export type StoredManifest = Omit<Manifest, 'takenAt' | 'parameters'> & {
  readonly takenAt: string
  readonly parameters: readonly (Omit<ManifestEntry, 'reading'> & { readonly reading: StoredReading })[]
}
export type ManifestSource = Manifest & { readonly sha256: string }

export function storedManifest(stored: unknown): ManifestSource {
  const manifest = stored as StoredManifest
  return {
    ...manifest,
    takenAt: BigInt(manifest.takenAt),
    parameters: manifest.parameters.map((entry) => ({ ...entry, reading: restoreReading(entry.reading) })),
    sha256: createHash('sha256').update(canonicalJson(stored)).digest('hex'),
  }
}

/** PostgreSQL orders the keys of a jsonb object as it likes; the hash must not depend on it. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  )
}
