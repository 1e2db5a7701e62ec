import type { FileHandle } from 'node:fs/promises'
import { ByteSource, readMessageAt } from './arrow-message.ts'

/**
 * Where the record batches of an Arrow IPC stream are. Built by walking the heads once and kept, because files do not change but at their end: when one has
 * grown, only what is new is walked.
 */
export interface StreamIndex {
  /** Metadata of the schema message. */
  readonly schema: Uint8Array
  readonly schemaBytes: number
  readonly batches: number
  readonly rows: number
  /** End of the last whole message. */
  readonly end: number
  /** The end marker is there: nothing more will come. */
  readonly ended: boolean
  batch(index: number): BatchPlace
  /** The batch that has this row. */
  batchOfRow(row: number): number
}

export type BatchPlace = { readonly start: number; readonly headBytes: number; readonly bodyBytes: number; readonly firstRow: number; readonly rows: number }

const MAX_KEPT_BATCHES = 2_000_000 // of all indexes together: 48 MB; a year's scans of one batch a point
const MAX_KEPT_INDEXES = 64 // datasets that people look at in turn

const kept = new Map<string, Promise<Index>>()

/** Throws if the file does not begin with an Arrow schema. */
export async function indexStream(path: string, file: FileHandle, signal?: AbortSignal): Promise<StreamIndex> {
  const { size, ino } = await file.stat()
  const next = extend(kept.get(path), file, size, ino, signal)
  kept.delete(path)
  kept.set(path, next)
  try {
    const index = await next
    await forget()
    return index
  } catch (error) {
    if (kept.get(path) === next) kept.delete(path)
    throw error
  }
}

/** The same file, and nothing of it taken away: only what is new is walked. */
async function extend(before: Promise<Index> | undefined, file: FileHandle, size: number, inode: number, signal: AbortSignal | undefined): Promise<Index> {
  const known = await before?.catch(() => undefined) // what failed for another is tried again
  const index = known !== undefined && known.inode === inode && known.end <= size ? known : new Index(inode)
  await index.walk(new ByteSource(file, size), signal)
  return index
}

/** The longest unused go first. */
async function forget(): Promise<void> {
  let batches = 0
  for (const index of await Promise.allSettled(kept.values())) if (index.status === 'fulfilled') batches += index.value.batches
  for (const [path, promise] of kept) {
    if (kept.size <= MAX_KEPT_INDEXES && batches <= MAX_KEPT_BATCHES) return
    kept.delete(path)
    batches -= await promise.then(
      (index) => index.batches,
      () => 0,
    )
  }
}

const FIRST_CAPACITY = 64

class Index implements StreamIndex {
  readonly inode: number
  schema: Uint8Array = new Uint8Array(0)
  schemaBytes = 0
  batches = 0
  rows = 0
  end = 0
  ended = false
  #starts = new Float64Array(FIRST_CAPACITY)
  #rowEnds = new Float64Array(FIRST_CAPACITY)
  #headBytes = new Uint32Array(FIRST_CAPACITY)

  constructor(inode: number) {
    this.inode = inode
  }

  async walk(source: ByteSource, signal: AbortSignal | undefined): Promise<void> {
    while (!this.ended) {
      signal?.throwIfAborted()
      const found = await readMessageAt(source, this.end)
      if (found.at === 'end') this.ended = true
      if (found.at !== 'message') break
      const { head } = found
      if (this.schemaBytes === 0) {
        if (head.kind !== 'schema') break
        this.schema = head.metadata.slice()
        this.schemaBytes = head.headBytes
      } else if (head.kind === 'batch') {
        this.#add(head.start, head.headBytes, head.rows)
      } else {
        throw new Error('the file has messages other than a schema and record batches')
      }
      this.end = head.start + head.headBytes + head.bodyBytes
    }
    if (this.schemaBytes === 0) throw new Error('the file does not begin with a whole Arrow schema')
  }

  batch(index: number): BatchPlace {
    const start = this.#starts[index] ?? 0
    const headBytes = this.#headBytes[index] ?? 0
    const firstRow = index === 0 ? 0 : (this.#rowEnds[index - 1] ?? 0)
    const next = index + 1 < this.batches ? (this.#starts[index + 1] ?? 0) : this.end
    return { start, headBytes, bodyBytes: next - start - headBytes, firstRow, rows: (this.#rowEnds[index] ?? 0) - firstRow }
  }

  batchOfRow(row: number): number {
    let low = 0
    let high = this.batches
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#rowEnds[middle] ?? 0) <= row) low = middle + 1
      else high = middle
    }
    return low
  }

  #add(start: number, headBytes: number, rows: number): void {
    if (this.batches === this.#starts.length) {
      const capacity = this.batches * 2
      this.#starts = grown(this.#starts, new Float64Array(capacity))
      this.#rowEnds = grown(this.#rowEnds, new Float64Array(capacity))
      this.#headBytes = grown(this.#headBytes, new Uint32Array(capacity))
    }
    this.#starts[this.batches] = start
    this.#headBytes[this.batches] = headBytes
    this.rows += rows
    this.#rowEnds[this.batches] = this.rows
    this.batches += 1
  }
}

function grown<Target extends Float64Array | Uint32Array>(from: Target, into: Target): Target {
  into.set(from)
  return into
}
