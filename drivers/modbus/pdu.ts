/**
 * Requests of a Modbus client and what answers them, without the framing of TCP or of a serial line. Pure. Facts from "MODBUS Application Protocol
 * Specification V1.1b3", chapter 6.
 */

/** The four tables of a device: registers of 16 bits and single bits, each once to write and once only to read. */
export type Table = 'holding' | 'input' | 'coil' | 'discrete'

export const MAX_WORDS_READ = 125 // 6.3
export const MAX_BITS_READ = 2000 // 6.1
export const MAX_ADDRESS = 0xffff
export const EXCEPTION_BIT = 0x80
export const EXCEPTION_LENGTH = 2 // of the reply: function code and exception code

/** Chapter 7. */
const EXCEPTIONS: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'server device failure',
  5: 'acknowledge: it takes a long time',
  6: 'server device busy',
  8: 'memory parity error',
  10: 'gateway path unavailable',
  11: 'gateway target device failed to respond',
}

export const ILLEGAL_FUNCTION = 1
export const ILLEGAL_ADDRESS = 2

export type Request = {
  readonly pdu: Uint8Array
  /** For messages: "reading holding registers 1000 to 1043". */
  readonly what: string
  /** Whether it changes the device, so that silence may mean that it has acted. */
  readonly acts: boolean
  /** Bytes of the whole reply, unless that is an exception. */
  readonly replyLength: number
  /** The words or bits of the reply; undefined when it is not the reply to this request. */
  readonly decode: (reply: Uint8Array) => readonly number[] | undefined
}

const READ_FUNCTION: Readonly<Record<Table, number>> = { coil: 1, discrete: 2, holding: 3, input: 4 }

/** `count` is within MAX_WORDS_READ or MAX_BITS_READ: the caller sees to it. */
export function readRequest(table: Table, at: number, count: number): Request {
  const bits = table === 'coil' || table === 'discrete'
  const code = READ_FUNCTION[table]
  const bytes = bits ? Math.ceil(count / 8) : 2 * count
  const last = at + count - 1
  return {
    pdu: pduOf(code, at, count),
    what: `reading ${wordOf(table)} ${at}${last > at ? ` to ${last}` : ''}`,
    acts: false,
    replyLength: 2 + bytes,
    decode: (reply) => {
      if (reply.length !== 2 + bytes || reply[0] !== code || reply[1] !== bytes) return undefined
      return bits ? bitsOf(reply, count) : wordsOf(reply, count)
    },
  }
}

/** One word by function 6, or up to 123 by function 16; some devices know only the one or the other. */
export function writeWords(at: number, words: readonly number[], multiple: boolean): Request {
  const [word = 0] = words
  const shown = `writing ${words.join(', ')} to register ${at}`
  if (!multiple && words.length === 1) return echoed(pduOf(6, at, word), shown)
  const head = pduOf(16, at, words.length)
  const pdu = new Uint8Array(6 + 2 * words.length)
  pdu.set(head)
  pdu[5] = 2 * words.length
  for (const [index, each] of words.entries()) putWord(pdu, 6 + 2 * index, each)
  return { ...echoed(head, shown), pdu }
}

export function writeCoil(at: number, on: boolean): Request {
  return echoed(pduOf(5, at, on ? 0xff00 : 0), `switching coil ${at} ${on ? 'on' : 'off'}`)
}

/** Sets or clears `bits` of one register within the device, so that no other client's bit can be lost (6.16): (word AND and) OR (or AND NOT and). */
export function maskWrite(at: number, bits: number, on: boolean): Request {
  const pdu = new Uint8Array(7)
  pdu.set(pduOf(22, at, ~bits & 0xffff))
  putWord(pdu, 5, on ? bits : 0)
  return echoed(pdu, `${on ? 'setting' : 'clearing'} bits 0x${bits.toString(16).padStart(4, '0')} of register ${at}`)
}

/** The exception code of a reply; undefined when it is none, or another function's. */
export function exceptionOf(request: Request, reply: Uint8Array): number | undefined {
  return reply.length === EXCEPTION_LENGTH && reply[0] === ((request.pdu[0] ?? 0) | EXCEPTION_BIT) ? reply[1] : undefined
}

export function exceptionText(code: number): string {
  return `Modbus exception ${code}${EXCEPTIONS[code] === undefined ? '' : ` (${EXCEPTIONS[code]})`}`
}

function wordOf(table: Table): string {
  return { holding: 'holding register', input: 'input register', coil: 'coil', discrete: 'discrete input' }[table]
}

function echoed(expected: Uint8Array, what: string): Request {
  return {
    pdu: expected,
    what,
    acts: true,
    replyLength: expected.length,
    decode: (reply) => (reply.length === expected.length && reply.every((byte, index) => byte === expected[index]) ? [] : undefined),
  }
}

function pduOf(code: number, first: number, second: number): Uint8Array {
  return Uint8Array.of(code, first >> 8, first & 0xff, (second >> 8) & 0xff, second & 0xff)
}

function putWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = (word >> 8) & 0xff
  bytes[at + 1] = word & 0xff
}

function wordsOf(reply: Uint8Array, count: number): readonly number[] {
  const words = new Array<number>(count)
  for (let index = 0; index < count; index += 1) words[index] = ((reply[2 + 2 * index] ?? 0) << 8) | (reply[3 + 2 * index] ?? 0)
  return words
}

function bitsOf(reply: Uint8Array, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => ((reply[2 + (index >> 3)] ?? 0) >> (index & 7)) & 1)
}
