import { framed, isWhole } from '../../../drivers/modbus/crc.ts'
import { exceptionOf, maskWrite, type Request, readRequest, writeCoil, writeWords } from '../../../drivers/modbus/pdu.ts'
import { replyIn } from '../../../drivers/modbus/rtu.ts'
import type { FuzzedDriver, FuzzedParser } from './table.ts'

const UNIT = 1
const bytesOf = (reply: string): Buffer => Buffer.from(reply, 'latin1')
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

/** A request and the whole replies to it, without framing. */
const REQUESTS: readonly (readonly [string, Request, readonly string[]])[] = [
  ['words', readRequest('holding', 5, 2), ['0304002a0007', '030400000000']],
  ['input words', readRequest('input', 0, 1), ['04020100']],
  ['bits', readRequest('coil', 0, 10), ['0102ff03']],
  ['one word written', writeWords(7, [65], false), ['0600070041']],
  ['several words written', writeWords(3, [1, 2], true), ['1000030002']],
  ['a coil switched', writeCoil(1, true), ['050001ff00']],
  ['bits masked', maskWrite(4, 0x20, true), ['160004ffdf0020']],
]

const parsers: readonly FuzzedParser[] = REQUESTS.flatMap(([name, request, replies]) => {
  const captures = replies.map((hex) => Buffer.from(hex, 'hex'))
  return [
    { name, parse: (reply) => request.decode(bytesOf(reply)), captures: captures.map(text), tellsTruncation: true },
    {
      name: `${name}, on a serial line`,
      parse: (reply) => {
        const pdu = replyIn(bytesOf(reply), UNIT, request)
        return pdu && (exceptionOf(request, pdu) ?? request.decode(pdu))
      },
      captures: [...captures, Buffer.of((request.pdu[0] ?? 0) | 0x80, 2)].map((pdu) => text(framed(UNIT, pdu))),
      tellsTruncation: true,
    },
  ]
})

export const modbus: readonly FuzzedDriver[] = [
  {
    driverIds: ['modbus', 'smart-saw'],
    parsers: [
      ...parsers,
      {
        name: 'checksums',
        parse: (frame) => isWhole(bytesOf(frame)) || undefined,
        captures: [text(framed(1, Uint8Array.of(3, 2, 0, 1)))],
        tellsTruncation: true,
      },
    ],
  },
]
