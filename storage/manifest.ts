import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Manifest } from '../core/dataset.ts'
import { MANIFEST_FILE } from '../core/dataset.ts'
import type { DatasetRecord } from '../core/journal.ts'
import { formatRfc3339, parseRfc3339 } from '../core/time.ts'
import { replaceFile } from './durable.ts'

/** What stands beside each recording: what it is, so that the folder explains itself without the database, and the state of the lab when it began. */
export type DatasetManifest = {
  readonly dataset: DatasetRecord
  readonly lab?: Manifest
}

const FORMAT_VERSION = 1

/** Times are RFC 3339 in the file. */
export async function writeManifest(folder: string, manifest: DatasetManifest): Promise<void> {
  const text = JSON.stringify(
    { kymograph: FORMAT_VERSION, ...manifest },
    (_key, value: unknown) => (typeof value === 'bigint' ? formatRfc3339(value) : value),
    2,
  )
  await replaceFile(path.join(folder, MANIFEST_FILE), `${text}\n`)
}

export async function readManifest(folder: string): Promise<DatasetManifest> {
  const file = path.join(folder, MANIFEST_FILE)
  const given = JSON.parse(await readFile(file, 'utf8'), (key, value: unknown) => (TIME_KEYS.has(key) ? timeOf(value, file) : value)) as DatasetManifest & {
    readonly kymograph?: unknown
  }
  const { kymograph, dataset, lab } = given
  if (kymograph !== FORMAT_VERSION) throw new Error(`${file} has version ${String(kymograph)}; this software reads version ${FORMAT_VERSION}`)
  return { dataset, ...(lab !== undefined && { lab }) }
}

/** The keys that hold a WallNs in DatasetRecord, Manifest and Reading. */
const TIME_KEYS: ReadonlySet<string> = new Set(['createdAt', 'completedAt', 'takenAt', 'time'])

function timeOf(value: unknown, file: string): bigint {
  const time = typeof value === 'string' ? parseRfc3339(value) : undefined
  if (time === undefined) throw new Error(`${file}: ${String(value)} is not an RFC 3339 time`)
  return time
}
