import type { RegisterInstrument } from './simulator.ts'

/** What a Modbus server answers to a request, without the framing of TCP or of a serial line. Facts from "MODBUS Application Protocol V1.1b3", chapter 6. */

export const EXCEPTION = { illegalFunction: 1, illegalAddress: 2, illegalValue: 3, deviceFailure: 4, acknowledge: 5, busy: 6, gatewayTarget: 11 } as const
/** As the faults name them. */
export const EXCEPTION_CODES: readonly string[] = Object.values(EXCEPTION).map(String)

const MAX_READ = 125
const MAX_WRITE = 123

/** Function code and data in, function code and data out. Serves functions 3, 4 (the same registers), 6, 16, 22 and 23. */
export function answerRequest(pdu: Buffer, instrument: RegisterInstrument, seconds: number): Buffer {
  const code = pdu[0] ?? 0
  const word = (at: number): number => pdu.readUInt16BE(at)
  const refuse = (exception: number): Buffer => exceptionReply(code, exception)
  const outside = (at: number, count: number): boolean => at + count > instrument.size
  const words = (at: number, count: number): Buffer => {
    const body = Buffer.alloc(2 + 2 * count)
    body[0] = code
    body[1] = 2 * count
    for (const [index, value] of instrument.read(at, count, seconds).entries()) body.writeUInt16BE(value & 0xffff, 2 + 2 * index)
    return body
  }
  /** `count` words from byte `from` of the request. */
  const writeAll = (at: number, count: number, from: number): void => {
    for (let index = 0; index < count; index += 1) instrument.write(at + index, word(from + 2 * index), seconds)
  }
  switch (code) {
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

export function exceptionReply(functionCode: number, exception: number): Buffer {
  return Buffer.of(functionCode | 0x80, exception)
}
