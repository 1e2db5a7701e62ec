/** Messages of PostgreSQL's wire protocol 3.0 (PostgreSQL manual, "Frontend/Backend Protocol"): cutting them out of a byte stream, and making them. Pure. */

/** PostgreSQL itself allows 1 GB; nothing here sends more than a large JSON document, and pixels never pass through the database. */
export const MAX_MESSAGE_BYTES = 128 * 1024 * 1024
/** As PostgreSQL's MAX_STARTUP_PACKET_LENGTH: before anybody has said who he is, he gets no memory. */
export const MAX_STARTUP_BYTES = 10_000

/** The bytes are no message of the protocol; the connection cannot go on. */
export class ProtocolViolation extends Error {
  override readonly name = 'ProtocolViolation'
}

/** A whole message with its type byte ('' for the packet that starts a connection, which has none) and its length. */
export type Message = { readonly type: string; readonly bytes: Buffer }

/** Cuts a stream into messages. Throws ProtocolViolation for a length that cannot be. */
export class MessageReader {
  #chunks: Buffer[] = []
  #length = 0
  #started = false

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#length += chunk.length
  }

  /** After the startup packet, messages begin with their type. */
  startupDone(): void {
    this.#started = true
  }

  /** The next whole message, or undefined until more bytes come. */
  next(): Message | undefined {
    const headBytes = this.#started ? 5 : 4
    if (this.#length < headBytes) return undefined
    const head = this.#joined(headBytes)
    const declared = head.readInt32BE(headBytes - 4)
    const limit = this.#started ? MAX_MESSAGE_BYTES : MAX_STARTUP_BYTES
    // the length counts itself; a startup packet also holds at least its four-byte code
    if (declared < (this.#started ? 4 : 8) || declared > limit) throw new ProtocolViolation(`a message of ${declared} bytes is not allowed (at most ${limit})`)
    const total = declared + headBytes - 4
    if (this.#length < total) return undefined
    const all = this.#joined(total)
    const rest = all.subarray(total)
    this.#chunks[0] = rest
    if (rest.length === 0) this.#chunks.shift()
    this.#length -= total
    return { type: this.#started ? String.fromCharCode(all[0] ?? 0) : '', bytes: all.subarray(0, total) }
  }

  /** The first chunk, grown to hold at least `bytes`: joined only when a whole message is there, so a large one is copied once. */
  #joined(bytes: number): Buffer {
    const first = this.#chunks[0] ?? Buffer.alloc(0)
    if (first.length >= bytes) return first
    this.#chunks = [Buffer.concat(this.#chunks)]
    return this.#chunks[0] ?? first
  }
}

export function message(type: string, ...parts: readonly (string | Uint8Array)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)))
  const head = Buffer.alloc(5)
  head.write(type, 'latin1')
  head.writeInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

export const SYNC = message('S')

export function simpleQuery(sql: string): Buffer {
  return message('Q', sql)
}

export type TransactionStatus = 'I' | 'T' | 'E'

export function readyForQuery(status: TransactionStatus): Buffer {
  return message('Z', Buffer.from(status, 'latin1'))
}

export function errorResponse(code: string, text: string, severity: 'ERROR' | 'FATAL' = 'ERROR'): Buffer {
  return message('E', `S${severity}`, `V${severity}`, `C${code}`, `M${text}`, Buffer.of(0))
}

/** The text up to the zero byte at or after `start`. */
export function zeroTerminated(bytes: Buffer, start: number): string {
  return bytes.toString('utf8', start, zeroAt(bytes, start))
}

export function zeroAt(bytes: Buffer, start: number): number {
  const at = bytes.indexOf(0, start)
  if (at < 0) throw new ProtocolViolation('a text without its end')
  return at
}

/** What the server said, message by message. */
export function* backendMessages(bytes: Buffer): Generator<Message> {
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 1 + bytes.readInt32BE(at + 1)
    yield { type: String.fromCharCode(bytes[at] ?? 0), bytes: bytes.subarray(at, end) }
    at = end
  }
}

/** Text values of a DataRow ('D'); undefined for NULL. */
export function rowValues(row: Buffer): (string | undefined)[] {
  const values: (string | undefined)[] = []
  let at = 7
  for (let column = row.readInt16BE(5); column > 0; column--) {
    const length = row.readInt32BE(at)
    at += 4
    values.push(length < 0 ? undefined : row.toString('utf8', at, at + length))
    at += Math.max(length, 0)
  }
  return values
}

/** The human text of an ErrorResponse. */
export function errorText(error: Buffer): string {
  const fields = error.toString('utf8', 5).split('\0')
  return fields.find((field) => field.startsWith('M'))?.slice(1) ?? 'unknown error'
}
