import { Packr, RESERVE_START_SPACE, Unpackr } from 'msgpackr'

/** [u32 big-endian length][MessagePack]. Typed arrays stay typed, a bigint stays a bigint; everything else is plain data. */
const FORMAT = { useRecords: false, moreTypes: true } as const
const LENGTH_BYTES = 4

const packr = new Packr(FORMAT)

/** Bytes that break the rules of the link: the connection cannot be trusted any more. */
export class MalformedMessage extends Error {
  override readonly name = 'MalformedMessage'
}

export function encodeMessage(message: unknown): Buffer {
  // msgpackr leaves the room for the length, so that one buffer holds both; its type does not know of the second argument's low bits.
  const bytes = packr.pack(message, RESERVE_START_SPACE + LENGTH_BYTES)
  bytes.writeUInt32BE(bytes.length - LENGTH_BYTES, 0)
  return bytes
}

/** Puts messages together again from chunks cut anywhere. Holds at most one unfinished message of at most `maxBytes`. */
export class MessageReader {
  readonly #unpackr = new Unpackr(FORMAT)
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #held = 0
  #needed = LENGTH_BYTES

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Every message that the chunk completes. Throws MalformedMessage. */
  *push(chunk: Buffer): Generator<unknown, void, void> {
    this.#chunks.push(chunk)
    this.#held += chunk.length
    if (this.#held < this.#needed) return
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#held)
    this.#needed = LENGTH_BYTES
    while (bytes.length >= LENGTH_BYTES) {
      const length = bytes.readUInt32BE(0)
      if (length === 0 || length > this.#maxBytes) throw new MalformedMessage(`a message of ${length} bytes; 1 to ${this.#maxBytes} are allowed`)
      if (bytes.length < LENGTH_BYTES + length) {
        this.#needed = LENGTH_BYTES + length
        break
      }
      yield this.#decode(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length))
      bytes = bytes.subarray(LENGTH_BYTES + length)
    }
    this.#chunks = bytes.length === 0 ? [] : [bytes]
    this.#held = bytes.length
  }

  #decode(bytes: Buffer): unknown {
    try {
      return this.#unpackr.unpack(bytes)
    } catch (error) {
      throw new MalformedMessage(`${bytes.length} bytes that are not MessagePack`, { cause: error })
    }
  }
}
