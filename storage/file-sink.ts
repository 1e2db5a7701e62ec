import type { Hash } from 'node:crypto'
import { createHash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { explained } from './durable.ts'

/** Where an export format writes: from the first byte to the last, hashed on the way. */
export interface ExportSink {
  /** So far. */
  readonly bytes: number
  /** Resolves when the disk has taken them, so that a writer is never ahead of it. */
  write(bytes: Uint8Array): Promise<void>
  /** Copies a part of another file through one small buffer. */
  copy(source: FileHandle, start: number, length: number, signal: AbortSignal): Promise<void>
}

export interface FileSink extends ExportSink, AsyncDisposable {
  /** Puts the file on the disk and closes it. */
  finish(): Promise<{ readonly bytes: number; readonly sha256: string }>
}

const COPY_BYTES = 1024 * 1024 // of one step of a copy

/** Creates the file, which must not be there. */
export async function createFileSink(path: string): Promise<FileSink> {
  return new Sink(path, await open(path, 'wx'))
}

class Sink implements FileSink {
  readonly #path: string
  readonly #file: FileHandle
  readonly #hash: Hash = createHash('sha256')
  #bytes = 0
  #closed = false

  constructor(path: string, file: FileHandle) {
    this.#path = path
    this.#file = file
  }

  get bytes(): number {
    return this.#bytes
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes)
    for (let written = 0; written < bytes.byteLength; ) written += await this.#writeSome(bytes, written)
  }

  async copy(source: FileHandle, start: number, length: number, signal: AbortSignal): Promise<void> {
    const buffer = new Uint8Array(Math.min(COPY_BYTES, length))
    for (let copied = 0; copied < length; ) {
      signal.throwIfAborted()
      const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.byteLength, length - copied), start + copied)
      if (bytesRead === 0) throw new Error(`a source of ${this.#path} ends after ${start + copied} bytes, before ${start + length}`)
      await this.write(buffer.subarray(0, bytesRead))
      copied += bytesRead
    }
  }

  async finish(): Promise<{ readonly bytes: number; readonly sha256: string }> {
    await this.#file.sync()
    await this[Symbol.asyncDispose]()
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#file.close()
  }

  async #writeSome(bytes: Uint8Array, from: number): Promise<number> {
    try {
      const { bytesWritten } = await this.#file.write(bytes, from, bytes.byteLength - from, this.#bytes)
      this.#bytes += bytesWritten
      return bytesWritten
    } catch (error) {
      throw await explained(error, this.#path, bytes.byteLength - from)
    }
  }
}
