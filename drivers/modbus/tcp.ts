import { Socket } from 'node:net'
import { DeviceOffline } from '../../core/errors.ts'
import { problemOf } from '../transport/exchange-queue.ts'
import { patience } from '../transport/patience.ts'
import { effectOf, silence, withEffect, wordsOf } from './answer.ts'
import type { RegisterBus } from './bus.ts'
import type { Request } from './pdu.ts'

/** Modbus TCP: a header of seven bytes (transaction, protocol 0, length, unit) before each PDU. "MODBUS Messaging on TCP/IP V1.0b", 3.1. */

export type TcpPlace = { readonly host: string; readonly port: number }

const CONNECT_TIMEOUT_MS = 3000 // a PLC on the same network answers in milliseconds; an absent one must not hold the station
const HEADER_BYTES = 7
const MAX_PDU_BYTES = 253 // application protocol, 4.1

type Waiting = {
  readonly transaction: number
  readonly unit: number
  readonly settle: (pdu: Uint8Array) => void
  readonly refuse: (problem: unknown) => void
}

export async function connectModbus({ host, port }: TcpPlace, signal: AbortSignal): Promise<RegisterBus> {
  const where = `${host}:${port}`
  const socket = new Socket()
  const lost = new AbortController()
  const lose = (why: string): void => {
    if (!lost.signal.aborted) lost.abort(new DeviceOffline(`${where}: ${why}`, {}))
    socket.destroy()
  }
  socket.on('error', (error) => lose(error.message))
  socket.on('close', () => lose('the connection was closed'))
  await connected(socket, { host, port }, lose, lost.signal, signal)

  let held = Buffer.alloc(0)
  let waiting: Waiting | undefined
  let transaction = 0
  socket.on('data', (bytes) => {
    held = held.length === 0 ? bytes : Buffer.concat([held, bytes])
    while (held.length >= HEADER_BYTES) {
      const length = held.readUInt16BE(4)
      if (held.readUInt16BE(2) !== 0 || length < 2 || length > MAX_PDU_BYTES + 1) return lose('it speaks something else than Modbus')
      const end = HEADER_BYTES - 1 + length
      if (held.length < end) return
      // A late reply has an earlier transaction, another's has another unit: neither is ours.
      if (waiting !== undefined && held.readUInt16BE(0) === waiting.transaction && held[HEADER_BYTES - 1] === waiting.unit)
        waiting.settle(Uint8Array.from(held.subarray(HEADER_BYTES, end)))
      held = held.subarray(end)
    }
  })

  lost.signal.addEventListener('abort', () => waiting?.refuse(lost.signal.reason), { once: true })

  const answerTo = async (unit: number, request: Request, timeoutMs: number, caller: AbortSignal, onSent?: () => void): Promise<Uint8Array> => {
    transaction = (transaction + 1) & 0xffff
    const mine = transaction
    const bytes = packed(mine, unit, request.pdu)
    let endWaiting: (() => void) | undefined
    let givenUp: (() => void) | undefined
    try {
      return await new Promise<Uint8Array>((resolve, reject) => {
        waiting = { transaction: mine, unit, settle: resolve, refuse: (problem) => reject(withEffect(problem, request)) }
        givenUp = () => reject(problemOf(caller, effectOf(request)))
        caller.addEventListener('abort', givenUp, { once: true })
        endWaiting = patience(timeoutMs, () => {
          held = Buffer.alloc(0) // half a reply, of which the rest never came
          reject(silence(request, where, timeoutMs))
        })
        if (onSent === undefined) socket.write(bytes)
        else socket.write(bytes, (error) => error ?? onSent()) // not sent: the lost connection tells
      })
    } finally {
      endWaiting?.()
      if (givenUp !== undefined) caller.removeEventListener('abort', givenUp)
      if (waiting?.transaction === mine) waiting = undefined
    }
  }
  return {
    lost: lost.signal,
    ask: async (unit, request, timeoutMs, caller, onSent) => {
      if (lost.signal.aborted) throw lost.signal.reason
      if (caller.aborted) throw problemOf(caller, 'NONE')
      return wordsOf(request, await answerTo(unit, request, timeoutMs, caller, onSent), where)
    },
    [Symbol.asyncDispose]: async () => lose('closed'),
  }
}

function packed(transaction: number, unit: number, pdu: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + pdu.length)
  bytes.writeUInt16BE(transaction, 0)
  bytes.writeUInt16BE(0, 2)
  bytes.writeUInt16BE(pdu.length + 1, 4)
  bytes[6] = unit
  bytes.set(pdu, HEADER_BYTES)
  return bytes
}

async function connected(socket: Socket, place: TcpPlace, lose: (why: string) => void, lost: AbortSignal, signal: AbortSignal): Promise<void> {
  const timer = setTimeout(() => lose(`did not answer within ${CONNECT_TIMEOUT_MS} ms`), CONNECT_TIMEOUT_MS)
  const onAbort = (): void => lose('given up')
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    if (signal.aborted) lose('given up')
    await new Promise<void>((resolve, reject) => {
      const refused = (): void => reject(lost.reason)
      if (lost.aborted) return refused()
      lost.addEventListener('abort', refused, { once: true })
      socket.once('connect', () => {
        lost.removeEventListener('abort', refused)
        resolve()
      })
      socket.connect({ ...place, noDelay: true, keepAlive: true })
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}
