import type { BitBank, RegisterInstrument } from './simulator.ts'

/** What a Modbus server answers to a request, without the framing of TCP or of a serial line. Facts from "MODBUS Application Protocol V1.1b3", chapter 6. */

export const EXCEPTION = { illegalFunction: 1, illegalAddress: 2, illegalValue: 3, deviceFailure: 4, acknowledge: 5, busy: 6, gatewayTarget: 11 } as const
/** As the faults name them. */
export const EXCEPTION_CODES: readonly string[] = Object.values(EXCEPTION).map(String)

const MAX_READ = 125
const MAX_WRITE = 123
const MAX_BITS_READ = 2000
const MAX_BITS_WRITTEN = 1968
const COIL_ON = 0xff00

/** Function code and data in, function code and data out. Serves functions 3, 4, 6, 16, 22 and 23, and 1, 2, 5 and 15 where there are bits. */
export function answerRequest(pdu: Buffer, instrument: RegisterInstrument, seconds: number): Buffer {
  const code = pdu[0] ?? 0
  const word = (at: number): number => pdu.readUInt16BE(at)
  const refuse = (exception: number): Buffer => exceptionReply(code, exception)
  const bank = code === 4 ? (instrument.inputs ?? instrument) : instrument
  const outside = (at: number, count: number): boolean => at + count > bank.size || bank.has?.(at, count) === false
  const words = (at: number, count: number): Buffer => {
    const body = Buffer.alloc(2 + 2 * count)
    body[0] = code
    body[1] = 2 * count
    for (const [index, value] of bank.read(at, count, seconds).entries()) body.writeUInt16BE(value & 0xffff, 2 + 2 * index)
    return body
  }
  /** `count` words from byte `from` of the request. */
  const writeAll = (at: number, count: number, from: number): void => {
    for (let index = 0; index < count; index += 1) instrument.write(at + index, word(from + 2 * index), seconds)
  }
  if (instrument.unknownFunctions?.includes(code) === true) return refuse(EXCEPTION.illegalFunction)
  switch (code) {
    case 1:
      return instrument.coils === undefined ? refuse(EXCEPTION.illegalFunction) : readBits(pdu, instrument.coils, seconds)
    case 2:
      return instrument.discretes === undefined ? refuse(EXCEPTION.illegalFunction) : readBits(pdu, instrument.discretes, seconds)
    case 5:
    case 15:
      return instrument.coils === undefined ? refuse(EXCEPTION.illegalFunction) : writeCoils(pdu, instrument.coils, seconds)
    case 3:
    case 4: {
      if (pdu.length !== 5) return refuse(EXCEPTION.illegalValue)
      const [at, count] = [word(1), word(3)]
      if (count < 1 || count > MAX_READ) return refuse(EXCEPTION.illegalValue)
      return outside(at, count) ? refuse(EXCEPTION.illegalAddress) : words(at, count)
    }
    case 6:
      if (pdu.length !== 5) return refuse(EXCEPTION.illegalValue)
      if (outside(word(1), 1)) return refuse(EXCEPTION.illegalAddress)
      writeAll(word(1), 1, 3)
      return Buffer.from(pdu)
    case 16: {
      if (pdu.length < 6) return refuse(EXCEPTION.illegalValue)
      const [at, count] = [word(1), word(3)]
      if (count < 1 || count > MAX_WRITE || pdu[5] !== 2 * count || pdu.length !== 6 + 2 * count) return refuse(EXCEPTION.illegalValue)
      if (outside(at, count)) return refuse(EXCEPTION.illegalAddress)
      writeAll(at, count, 6)
      return Buffer.from(pdu.subarray(0, 5))
    }
    case 22: {
      if (pdu.length !== 7) return refuse(EXCEPTION.illegalValue)
      const [at, and, or] = [word(1), word(3), word(5)]
      if (outside(at, 1)) return refuse(EXCEPTION.illegalAddress)
      const [old = 0] = instrument.read(at, 1, seconds)
      instrument.write(at, (old & and) | (or & ~and & 0xffff), seconds)
      return Buffer.from(pdu)
    }
    case 23: {
      if (pdu.length < 10) return refuse(EXCEPTION.illegalValue)
      const [readAt, readCount, writeAt, writeCount] = [word(1), word(3), word(5), word(7)]
      if (readCount < 1 || readCount > MAX_READ || writeCount < 1 || pdu[9] !== 2 * writeCount || pdu.length !== 10 + 2 * writeCount)
        return refuse(EXCEPTION.illegalValue)
      if (outside(readAt, readCount) || outside(writeAt, writeCount)) return refuse(EXCEPTION.illegalAddress)
      writeAll(writeAt, writeCount, 10)
      return words(readAt, readCount)
    }
    default:
      return refuse(EXCEPTION.illegalFunction)
  }
}

function readBits(pdu: Buffer, bank: Pick<BitBank, 'size' | 'read'>, seconds: number): Buffer {
  const code = pdu[0] ?? 0
  if (pdu.length !== 5) return exceptionReply(code, EXCEPTION.illegalValue)
  const [at, count] = [pdu.readUInt16BE(1), pdu.readUInt16BE(3)]
  if (count < 1 || count > MAX_BITS_READ) return exceptionReply(code, EXCEPTION.illegalValue)
  if (at + count > bank.size) return exceptionReply(code, EXCEPTION.illegalAddress)
  const body = Buffer.alloc(2 + Math.ceil(count / 8))
  body[0] = code
  body[1] = body.length - 2
  for (const [index, bit] of bank.read(at, count, seconds).entries()) if (bit !== 0) body[2 + (index >> 3)] = (body[2 + (index >> 3)] ?? 0) | (1 << (index & 7))
  return body
}

/** Function 5, one coil, or 15, any number of them. */
function writeCoils(pdu: Buffer, bank: BitBank, seconds: number): Buffer {
  const code = pdu[0] ?? 0
  const single = code === 5
  if (pdu.length < 5 || (single && pdu.length !== 5)) return exceptionReply(code, EXCEPTION.illegalValue)
  const [at, given] = [pdu.readUInt16BE(1), pdu.readUInt16BE(3)]
  const count = single ? 1 : given
  const right = single ? given === 0 || given === COIL_ON : count >= 1 && count <= MAX_BITS_WRITTEN && pdu.length === 6 + Math.ceil(count / 8)
  if (!right) return exceptionReply(code, EXCEPTION.illegalValue)
  if (at + count > bank.size) return exceptionReply(code, EXCEPTION.illegalAddress)
  for (let index = 0; index < count; index += 1)
    bank.write(at + index, single ? given === COIL_ON : (((pdu[6 + (index >> 3)] ?? 0) >> (index & 7)) & 1) === 1, seconds)
  return Buffer.from(pdu.subarray(0, 5))
}

export function exceptionReply(functionCode: number, exception: number): Buffer {
  return Buffer.of(functionCode | 0x80, exception)
}
