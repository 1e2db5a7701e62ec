/**
 * IVI-6.1, "High-Speed LAN Instrument Protocol (HiSLIP)", revision 2.0. A message is a header of 16 bytes (6.1: `HS`, type, control code, 32-bit parameter,
 * 64-bit length, most significant byte first) and a payload. Two connections, synchronous and asynchronous, carry messages of their own types.
 */
export const TYPE = {
  initialize: 0,
  initializeResponse: 1,
  fatalError: 2,
  error: 3,
  asyncLock: 4,
  asyncLockResponse: 5,
  data: 6,
  dataEnd: 7,
  deviceClearComplete: 8,
  deviceClearAcknowledge: 9,
  asyncRemoteLocalControl: 10,
  asyncRemoteLocalResponse: 11,
  trigger: 12,
  interrupted: 13,
  asyncInterrupted: 14,
  asyncMaximumMessageSize: 15,
  asyncMaximumMessageSizeResponse: 16,
  asyncInitialize: 17,
  asyncInitializeResponse: 18,
  asyncDeviceClear: 19,
  asyncServiceRequest: 20,
  asyncStatusQuery: 21,
  asyncStatusResponse: 22,
  asyncDeviceClearAcknowledge: 23,
  asyncLockInfo: 24,
  asyncLockInfoResponse: 25,
} as const

export type HislipMessage = { readonly type: number; readonly control: number; readonly parameter: number; readonly payload: Uint8Array }

export const HEADER_BYTES = 16
/** 3.1.2: message ids start here after initialisation and device clear, and go up by two. */
export const FIRST_MESSAGE_ID = 0xffff_ff00
/** A response that belongs to no message in particular. */
export const ANY_MESSAGE_ID = 0xffff_ffff
/** Major 1, minor 0: what every server speaks. Encryption came with 2.0. */
export const VERSION = 0x0100
/** Bit 0 of the feature bitmap: overlapped mode (6.5). */
export const OVERLAPPED = 1
/** Bit 0 of the control code of Data, DataEND and Trigger: the last response was delivered whole (6.9). */
export const DELIVERED = 1

/** Table 14 and 15. */
export const FATAL_ERRORS: Readonly<Record<number, string>> = {
  0: 'unidentified error',
  1: 'poorly formed message header',
  2: 'attempt to use the connection without both channels',
  3: 'invalid initialisation sequence',
  4: 'too many clients',
  5: 'secure connection failed',
}
export const ERRORS: Readonly<Record<number, string>> = {
  0: 'unidentified error',
  1: 'unrecognised message type',
  2: 'unrecognised control code',
  3: 'unrecognised vendor-defined message',
  4: 'message too large',
  5: 'authentication mechanism rejected',
}

export function encode(type: number, control = 0, parameter = 0, payload: Uint8Array = new Uint8Array()): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + payload.length)
  bytes.write('HS', 'latin1')
  bytes[2] = type
  bytes[3] = control
  bytes.writeUInt32BE(parameter >>> 0, 4)
  bytes.writeBigUInt64BE(BigInt(payload.length), 8)
  bytes.set(payload, HEADER_BYTES)
  return bytes
}

/** The payload of AsyncMaximumMessageSize and its response. */
export function sizePayload(bytes: number): Buffer {
  const payload = Buffer.alloc(8)
  payload.writeBigUInt64BE(BigInt(bytes))
  return payload
}

/** undefined when it is not one. */
export function readSize(payload: Uint8Array): number | undefined {
  if (payload.length !== 8) return undefined
  const size = Buffer.from(payload).readBigUInt64BE()
  return size > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(size)
}

export function nextMessageId(id: number): number {
  return (id + 2) >>> 0
}

/** What came is no HiSLIP, or too long: the connection is of no more use. */
export type Broken = { readonly broken: string }

/** Cuts bytes into messages. A payload longer than `maximumBytes` breaks it before any of it is kept. */
export class Decoder {
  readonly #maximumBytes: number
  #parts: Buffer[] = []
  #held = 0
  #broken: string | undefined

  constructor(maximumBytes: number) {
    this.#maximumBytes = maximumBytes
  }

  take(bytes: Uint8Array): readonly HislipMessage[] | Broken {
    if (this.#broken !== undefined) return { broken: this.#broken }
    this.#parts.push(Buffer.from(bytes))
    this.#held += bytes.length
    const messages: HislipMessage[] = []
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if ('broken' in next) {
        this.#broken = next.broken
        this.#parts = []
        return messages.length > 0 ? messages : next
      }
      messages.push(next)
    }
    return messages
  }

  #next(): HislipMessage | Broken | undefined {
    if (this.#held < HEADER_BYTES) return undefined
    const held = this.#joined()
    if (held.toString('latin1', 0, 2) !== 'HS') return { broken: 'what came does not begin with HS' }
    const length = held.readBigUInt64BE(8)
    if (length > BigInt(this.#maximumBytes)) return { broken: `a message of ${length} bytes is longer than ${this.#maximumBytes}` }
    const end = HEADER_BYTES + Number(length)
    if (held.length < end) return undefined
    this.#parts = [held.subarray(end)]
    this.#held = held.length - end
    return { type: held[2] ?? 0, control: held[3] ?? 0, parameter: held.readUInt32BE(4), payload: held.subarray(HEADER_BYTES, end) }
  }

  /** In one piece; joined once for a message that comes in many. */
  #joined(): Buffer {
    const [first, ...rest] = this.#parts
    if (first !== undefined && rest.length === 0) return first
    const joined = Buffer.concat(this.#parts)
    this.#parts = [joined]
    return joined
  }
}
