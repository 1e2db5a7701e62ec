import { Packr, RESERVE_START_SPACE, Unpackr } from 'msgpackr'

/**
 * [u32 big-endian length][MessagePack]. Typed arrays stay typed, a bigint stays a bigint; everything else is plain data. A message with a picture
 * (`item.pixels`) is [u32 length, highest bit set][u32 length of the pixels][MessagePack without them][pixels]: they are copied once, where they arrive.
 */
const FORMAT = { useRecords: false, moreTypes: true } as const
const LENGTH_BYTES = 4
const PICTURE_FLAG = 0x8000_0000
const PICTURE_FROM_BYTES = 4096 // below, it is not worth a write of its own

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

type PictureMessage = { readonly item: { readonly pixels: Uint8Array } }

/** What is to be written, in this order. */
export function encodeParts(message: unknown): readonly Uint8Array[] {
  if (!hasPicture(message)) return [encodeMessage(message)]
  const { pixels } = message.item
  const bytes = packr.pack({ ...message, item: { ...message.item, pixels: null } }, RESERVE_START_SPACE + 2 * LENGTH_BYTES)
  bytes.writeUInt32BE((bytes.length - 2 * LENGTH_BYTES + PICTURE_FLAG) >>> 0, 0)
  bytes.writeUInt32BE(pixels.byteLength, LENGTH_BYTES)
  return [bytes, pixels]
}

function hasPicture(message: unknown): message is PictureMessage {
  const { item } = (message ?? {}) as Partial<PictureMessage>
  return item?.pixels instanceof Uint8Array && item.pixels.byteLength >= PICTURE_FROM_BYTES
}

/** Puts messages together again from chunks cut anywhere. Holds at most one unfinished message of at most `maxBytes`, and as much of a picture. */
export class MessageReader {
  readonly #unpackr = new Unpackr(FORMAT)
  readonly #maxBytes: number
  #chunks: Buffer[] = []
  #held = 0
  #needed = LENGTH_BYTES
  #picture: { readonly message: PictureMessage; readonly pixels: Buffer; filled: number } | undefined

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Every message that the chunk completes. Throws MalformedMessage. */
  *push(chunk: Buffer): Generator<unknown, void, void> {
    for (let rest = chunk; rest.length > 0; ) {
      if (this.#picture === undefined) {
        rest = yield* this.#messages(rest)
        continue
      }
      const { message, pixels, filled } = this.#picture
      const copied = rest.copy(pixels, filled)
      this.#picture.filled += copied
      rest = rest.subarray(copied)
      if (this.#picture.filled < pixels.length) return
      this.#picture = undefined
      yield { ...message, item: { ...message.item, pixels } }
    }
  }

  /** Returns what stands behind a message whose picture follows. */
  *#messages(chunk: Buffer): Generator<unknown, Buffer, void> {
    this.#chunks.push(chunk)
    this.#held += chunk.length
    if (this.#held < this.#needed) return NOTHING
    let bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#held)
    this.#needed = LENGTH_BYTES
    while (bytes.length >= LENGTH_BYTES) {
      const word = bytes.readUInt32BE(0)
      const isPicture = word >= PICTURE_FLAG
      const length = isPicture ? word - PICTURE_FLAG : word
      this.#check(length)
      const from = isPicture ? 2 * LENGTH_BYTES : LENGTH_BYTES
      if (bytes.length < from + length) {
        this.#needed = from + length
        break
      }
      const message = this.#decode(bytes.subarray(from, from + length))
      const pixelBytes = isPicture ? bytes.readUInt32BE(LENGTH_BYTES) : 0
      bytes = bytes.subarray(from + length)
      if (!isPicture) {
        yield message
        continue
      }
      this.#check(pixelBytes)
      this.#picture = { message: asPicture(message), pixels: Buffer.allocUnsafeSlow(pixelBytes), filled: 0 }
      this.#keep(NOTHING)
      return bytes
    }
    this.#keep(bytes)
    return NOTHING
  }

  #check(length: number): void {
    if (length === 0 || length > this.#maxBytes) throw new MalformedMessage(`a message of ${length} bytes; 1 to ${this.#maxBytes} are allowed`)
  }

  #keep(bytes: Buffer): void {
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

const NOTHING = Buffer.alloc(0)

function asPicture(message: unknown): PictureMessage {
  const { item } = (message ?? {}) as { readonly item?: unknown }
  if (typeof item !== 'object' || item === null) throw new MalformedMessage('a picture that belongs to no item')
  return message as PictureMessage
}
