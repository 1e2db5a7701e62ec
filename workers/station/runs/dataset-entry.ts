import { mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { DatasetFile, Manifest } from '../../../core/dataset.ts'
import { uuidv7 } from '../../../core/id.ts'
import type { DatasetRecord } from '../../../core/journal.ts'
import type { Clock, WallNs } from '../../../core/time.ts'
import { formatRfc3339 } from '../../../core/time.ts'
import { batchIndexPath } from '../../../storage/batch-index.ts'
import { bytesOf, segmentsOf } from '../../../storage/frame-segments.ts'
import { sha256OfFile } from '../../../storage/hash.ts'
import { readManifest, writeManifest } from '../../../storage/manifest.ts'
import type { Journal } from '../journal/journal.ts'

/** Left for the journal and the database: a recording must not take the station down. */
export const KEEP_FREE_BYTES = 256 * 1024 * 1024

const ARROW_STREAM = 'application/vnd.apache.arrow.stream'
const BATCH_INDEX = 'application/octet-stream' // docs/frame-recordings.md
const PROGRESS_MS = 1000 // between two lines of the journal on how far a recording is
const HASH_AT_ONCE_BYTES = 64 * 1024 * 1024 // about a tenth of a second; a longer file is hashed after its run has ended

export type RecordingPlace = { readonly journal: Journal; readonly clock: Clock; readonly dataDir: string }
type Kept = Pick<DatasetRecord, 'rows' | 'bytes' | 'dropped'>

/** `datasets/<yyyy>/<mm>/<id>` by the UTC day of its start. */
export function datasetFolder(id: string, createdAt: WallNs): string {
  const [year = '', month = ''] = formatRfc3339(createdAt).split('-')
  return `datasets/${year}/${month}/${id}`
}

/** The row of one dataset while it is recorded: each change goes whole into the journal. */
export class DatasetEntry {
  readonly #place: RecordingPlace
  readonly #file: string
  /** The state of the lab when it began. */
  readonly #lab: Manifest | undefined
  #record: DatasetRecord
  #toldMs = 0

  private constructor(place: RecordingPlace, file: string, record: DatasetRecord, lab: Manifest | undefined) {
    this.#place = place
    this.#file = file
    this.#lab = lab
    this.#record = record
  }

  /** Makes its folder with a manifest, so that it explains itself whatever happens, and tells it as RECORDING. */
  static async begin(
    place: RecordingPlace,
    file: string,
    given: Omit<DatasetRecord, 'id' | 'state' | 'createdAt' | 'rows' | 'bytes' | 'dropped' | 'folder' | 'files'>,
    lab: Manifest,
  ): Promise<DatasetEntry> {
    const id = uuidv7()
    const createdAt = place.clock.wallNs()
    const folder = datasetFolder(id, createdAt)
    await mkdir(join(place.dataDir, folder), { recursive: true })
    const files = [{ name: file, bytes: 0, mediaType: ARROW_STREAM }]
    const entry = new DatasetEntry(place, file, { ...given, id, state: 'RECORDING', createdAt, rows: 0, bytes: 0, dropped: 0, folder, files }, lab)
    await entry.#writeManifest()
    entry.#tell()
    return entry
  }

  /** Goes on with one that a dead process left behind. */
  static async resume(place: RecordingPlace, record: DatasetRecord): Promise<DatasetEntry> {
    const known = await readManifest(join(place.dataDir, record.folder)).catch(() => undefined) // it died while it made the folder
    return new DatasetEntry(place, record.files[0]?.name ?? '', record, known?.lab)
  }

  get record(): DatasetRecord {
    return this.#record
  }

  get path(): string {
    return join(this.#place.dataDir, this.#record.folder, this.#file)
  }

  progress(kept: Kept): void {
    const nowMs = performance.now()
    if (nowMs - this.#toldMs < PROGRESS_MS) return
    this.#toldMs = nowMs
    this.#record = { ...this.#record, ...kept }
    this.#tell()
  }

  /** The recording is over, its file closed: manifest last, then the journal. A large file's hash follows with `hash`. */
  async end(state: 'COMPLETE' | 'RECOVERED' | 'FAILED', kept: Kept & Partial<Pick<DatasetRecord, 'shape'>>): Promise<void> {
    this.#record = { ...this.#record, ...kept, state, completedAt: this.#place.clock.wallNs(), files: await this.#filesNow() }
    try {
      if (kept.bytes > 0 && kept.bytes <= HASH_AT_ONCE_BYTES) await this.#addHash(new AbortController().signal)
      await this.#writeManifest()
    } finally {
      this.#tell(this.#record.completedAt)
    }
  }

  /** Of files that were too large to be hashed while their run waited; nothing to do otherwise. */
  async hash(signal: AbortSignal): Promise<void> {
    if (this.#record.bytes === 0 || this.#record.files.every(({ sha256 }) => sha256 !== undefined)) return
    await this.#addHash(signal)
    await this.#writeManifest()
    this.#tell()
  }

  #writeManifest(): Promise<void> {
    const lab = this.#lab
    return writeManifest(join(this.#place.dataDir, this.#record.folder), { dataset: this.#record, ...(lab !== undefined && { lab }) })
  }

  /** The dataset's own is that of its first file. */
  async #addHash(signal: AbortSignal): Promise<void> {
    const files: DatasetFile[] = []
    for (const file of this.#record.files) files.push({ ...file, ...(await sha256OfFile(join(dirname(this.path), file.name), signal)) })
    const sha256 = files[0]?.sha256
    this.#record = { ...this.#record, files, ...(sha256 !== undefined && { sha256 }) }
  }

  /** All segments, each with its index; an empty one where nothing was written. */
  async #filesNow(): Promise<readonly DatasetFile[]> {
    const files: DatasetFile[] = []
    for await (const { path, bytes } of segmentsOf(this.path)) {
      files.push({ name: basename(path), bytes, mediaType: ARROW_STREAM })
      const index = batchIndexPath(path)
      const indexBytes = await bytesOf(index)
      if (indexBytes !== undefined) files.push({ name: basename(index), bytes: indexBytes, mediaType: BATCH_INDEX })
    }
    return files.length > 0 ? files : [{ name: this.#file, bytes: 0, mediaType: ARROW_STREAM }]
  }

  #tell(time: WallNs = this.#place.clock.wallNs()): void {
    this.#place.journal.append({ type: 'dataset', time, dataset: this.#record })
  }
}
