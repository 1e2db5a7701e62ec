import { type FileHandle, open } from 'node:fs/promises'
import type { CompressedLayout, FrameLayout } from '../core/frame.ts'
import { Turns } from '../core/turns.ts'
import { readExactly } from './arrow-message.ts'
import { type BatchEntry, type OpenedIndex, openBatchIndex } from './batch-index.ts'
import { batchStart, compressedBytes, isBatchHead, wholeBatches } from './frame-index.ts'

type Place = Pick<BatchEntry, 'offset' | 'bytes'>

/**
 * One file of a recording of frames: being written, whole, or cut. Where an uncompressed batch is follows from its number; where a compressed one is stands in
 * the index, and behind what the index has (a cut recording's may be short) from head to head in the file itself.
 */
export class FrameSegment implements AsyncDisposable {
  readonly path: string
  readonly #file: FileHandle
  readonly #layout: FrameLayout
  /** undefined, or of undefined, while there is none. */
  #index: Promise<OpenedIndex | undefined> | undefined
  /** Compressed: batches from number #walkedFrom on, which the index does not have. */
  #walked: Place[] = []
  #walkedFrom = 0
  /** One walk after the other: two at once would find the same batches twice. */
  readonly #walks = new Turns()

  private constructor(path: string, file: FileHandle, layout: FrameLayout) {
    this.path = path
    this.#file = file
    this.#layout = layout
  }

  static async open(path: string, layout: FrameLayout): Promise<FrameSegment> {
    return new FrameSegment(path, await open(path, 'r'), layout)
  }

  /** Whole batches now. */
  async count(): Promise<number> {
    const { size } = await this.#file.stat()
    if (this.#layout.compressed === undefined) {
      // Back from the end: a power cut can leave space behind that was allocated and never written.
      let batches = wholeBatches(this.#layout, size)
      while (batches > 0 && (await this.#headAt(batchStart(this.#layout, batches - 1))) === undefined) batches -= 1
      return batches
    }
    return this.#walk(this.#layout.compressed, size)
  }

  /** undefined beyond the last whole batch. */
  async place(index: number): Promise<Place | undefined> {
    const { size } = await this.#file.stat()
    if (this.#layout.compressed === undefined) {
      const offset = batchStart(this.#layout, index)
      return offset + this.#layout.batchBytes <= size ? { offset, bytes: this.#layout.batchBytes } : undefined
    }
    const walked = index - this.#walkedFrom
    if (walked >= 0 && walked < this.#walked.length) return this.#walked[walked]
    const entry = await this.#entry(index)
    if (entry !== undefined && (await this.#fits(this.#layout.compressed, entry, size))) return entry
    await this.#walk(this.#layout.compressed, size)
    return index < this.#walkedFrom ? undefined : this.#walked[index - this.#walkedFrom]
  }

  /** What stands at `place`, as much as `buffer` takes; undefined where no batch begins there, or the file ends before. */
  async read({ offset }: Place, buffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined> {
    let filled = 0
    while (filled < buffer.byteLength) {
      const { bytesRead } = await this.#file.read(buffer, filled, buffer.byteLength - filled, offset + filled)
      if (bytesRead === 0) return undefined
      filled += bytesRead
    }
    return isBatchHead(this.#layout, buffer) ? buffer : undefined
  }

  /** As it was recorded; undefined where nobody has kept it. */
  async recorded(index: number): Promise<BatchEntry | undefined> {
    return this.#entry(index)
  }

  async #entry(index: number): Promise<BatchEntry | undefined> {
    return (await this.#openedIndex())?.entry(index)
  }

  /** Opened once, whoever asks meanwhile. */
  async #openedIndex(): Promise<OpenedIndex | undefined> {
    const opening = this.#index ?? openBatchIndex(this.path)
    this.#index = opening
    const index = await opening
    if (index === undefined && this.#index === opening) this.#index = undefined
    return index
  }

  #walk(compressed: CompressedLayout, size: number): Promise<number> {
    return this.#walks.take(() => this.#walkToEnd(compressed, size))
  }

  async #fits(compressed: CompressedLayout, { offset, bytes }: Place, size: number): Promise<boolean> {
    if (offset + bytes > size) return false
    const head = await this.#headAt(offset)
    return head !== undefined && compressedBytes(this.#layout, compressed, head) === bytes
  }

  /** From the last entry of the index that fits. */
  async #walkToEnd(compressed: CompressedLayout, size: number): Promise<number> {
    let known = this.#walked.length > 0 ? 0 : ((await this.#indexed()) ?? 0)
    if (this.#walked.length === 0) {
      for (let entry = await this.#entry(known - 1); known > 0; entry = await this.#entry(known - 1)) {
        if (entry !== undefined && (await this.#fits(compressed, entry, size))) break
        known -= 1
      }
      this.#walkedFrom = known
    }
    const last = this.#walked.at(-1) ?? (this.#walkedFrom > 0 ? await this.#entry(this.#walkedFrom - 1) : undefined)
    let offset = last === undefined ? this.#layout.schemaMessage.byteLength : last.offset + last.bytes
    for (;;) {
      const head = await this.#headAt(offset)
      const bytes = head === undefined ? 0 : compressedBytes(this.#layout, compressed, head)
      if (bytes === 0 || offset + bytes > size) return this.#walkedFrom + this.#walked.length
      this.#walked.push({ offset, bytes })
      offset += bytes
    }
  }

  async #indexed(): Promise<number | undefined> {
    return (await this.#openedIndex())?.count()
  }

  async #headAt(offset: number): Promise<Uint8Array | undefined> {
    const head = await readExactly(this.#file, offset, this.#layout.batchHead.byteLength)
    return isBatchHead(this.#layout, head) ? head : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close()
    await (await this.#index)?.[Symbol.asyncDispose]()
  }
}
