import { createHash } from 'node:crypto'
import { type Manifest, type ManifestDevice, type ManifestEntry, UNKNOWN_VERSION } from '../core/dataset.ts'
import { restoreReading, type StoredReading, storeReading } from '../core/stored-reading.ts'
import { wallNsFromMs } from '../core/time.ts'
import { VERSION } from '../core/version.ts'
import type { Context } from './context.ts'
import { connectionOf, connectionReasonOf } from './devices.ts'
import { manifestUrl } from './file-urls.ts'
import type { Run, Session } from './loaders.ts'
import { presentState } from './states/snapshot.ts'

/** A manifest as a JSON column holds it: times are decimal text. */
export type StoredManifest = Omit<Manifest, 'takenAt' | 'parameters'> & { readonly takenAt: string; readonly parameters: readonly StoredEntry[] }
export type StoredEntry = Omit<ManifestEntry, 'reading'> & { readonly reading: StoredReading }
/** `text` is what `url` serves and `sha256` is taken of. */
export type ManifestSource = Manifest & { readonly text: string; readonly sha256: string; readonly url: string }

/** null before the run has started. */
export function manifestOfRun({ id, manifest }: Pick<Run, 'id' | 'manifest'>): ManifestSource | null {
  return manifest === null ? null : manifestSource(manifest as unknown as StoredManifest, manifestUrl('runs', id))
}

/** Of a session from before there were manifests: an empty one. */
export function manifestOfSession({ id, manifest, startedAt }: Pick<Session, 'id' | 'manifest' | 'startedAt'>): ManifestSource {
  const empty: StoredManifest = {
    takenAt: wallNsFromMs(startedAt.getTime()).toString(),
    parameters: [],
    software: { version: '', commit: '', drivers: {}, node: '' },
  }
  return manifestSource(manifest === null ? empty : (manifest as unknown as StoredManifest), manifestUrl('sessions', id))
}

function manifestSource(stored: StoredManifest, url: string): ManifestSource {
  const text = canonicalJson(stored)
  return {
    ...stored,
    takenAt: BigInt(stored.takenAt),
    parameters: stored.parameters.map(restoreEntry),
    text,
    sha256: createHash('sha256').update(text).digest('hex'),
    url,
  }
}

/** Of the whole lab as it is now, for a session that starts. A device of which nothing is known is in it all the same, with its driver. */
export async function takeManifest(context: Context): Promise<StoredManifest> {
  const [{ time, values }, devices] = await Promise.all([
    presentState(undefined, context),
    context.database.prisma.device.findMany({
      where: { removedAt: null },
      orderBy: { name: 'asc' },
      select: { id: true, name: true, driverId: true, stationId: true },
    }),
  ])
  const names = new Map(devices.map(({ id, name }) => [id, name]))
  const entries = Array.from(values.values(), (value): ManifestEntry => ({ ...value, deviceName: names.get(value.deviceId) ?? '' }))
  const drivers = Object.fromEntries(devices.map(({ driverId }) => [driverId, context.stations.driver(driverId)?.version ?? UNKNOWN_VERSION]))
  return {
    takenAt: time.toString(),
    devices: devices.map((device): ManifestDevice => {
      const connectionReason = connectionReasonOf(device, context.stations)
      return {
        deviceId: device.id,
        deviceName: device.name,
        driverId: device.driverId,
        connection: connectionOf(device, context.stations),
        ...(connectionReason !== undefined && { connectionReason }),
      }
    }),
    parameters: entries.map(storeEntry),
    software: { version: VERSION, commit: context.config.commit ?? '', drivers, node: process.version },
  }
}

export function storeEntry({ reading, ...entry }: ManifestEntry): StoredEntry {
  return { ...entry, reading: storeReading(reading) }
}

export function restoreEntry({ reading, ...entry }: StoredEntry): ManifestEntry {
  return { ...entry, reading: restoreReading(reading) }
}

/** PostgreSQL orders the keys of a jsonb object as it likes; the hash must not depend on it. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  )
}
