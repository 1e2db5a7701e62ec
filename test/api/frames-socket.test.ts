import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { TappedFrame } from '../../api/frames/taps.ts'
import { createFrameTickets, FRAME_PROTOCOL } from '../../api/frames/ticket.ts'
import { createFramesSocket } from '../../api/http/frames-socket.ts'
import { createLog } from '../../api/log.ts'
import { uuidv7 } from '../../core/id.ts'
import { until } from '../until.ts'

const VIEW = { deviceId: uuidv7(), quality: 'PREVIEW', maxRateHz: 10 } as const
const FRAME_BYTES = 1_000_000
const MAGIC_OFFSET_SKIPPED = 44

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

function frame(sequence: number): TappedFrame {
  return {
    header: {
      sequence,
      time: 1n,
      width: 500,
      height: 1000,
      dtype: 'uint16',
      exposureSeconds: 0.1,
      roi: { x: 0, y: 0, width: 500, height: 1000 },
      minimum: 0,
      maximum: 1,
      mean: 0.5,
      dropped: 0,
    },
    pixels: new Uint8Array(FRAME_BYTES),
  }
}

async function serve() {
  const viewers = new Set<(frame: TappedFrame) => void>()
  const tickets = createFrameTickets('key')
  const sockets = createFramesSocket(
    tickets,
    {
      watch(_view, onFrame) {
        viewers.add(onFrame)
        return () => viewers.delete(onFrame)
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
    createLog('silent'),
  )
  const server = createServer()
  server.on('upgrade', (request, socket, head) => sockets.accept(request, socket, head) || socket.destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(async () => {
    await sockets[Symbol.asyncDispose]()
    server.close()
  })
  const open = async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}${tickets.issue(VIEW).url}`, FRAME_PROTOCOL)
    await once(socket, 'open')
    return socket
  }
  return { viewers, open, send: (sequence: number) => [...viewers].map((viewer) => viewer(frame(sequence))) }
}

describe('viewers of frames', () => {
  it('that stand still skip frames, which are counted, while the others see all', async () => {
    const { viewers, open, send } = await serve()
    const [stalled, lively] = [await open(), await open()]
    const seen: Buffer[] = []
    const late: Buffer[] = []
    lively.on('message', (message: Buffer) => seen.push(message))
    stalled.on('message', (message: Buffer) => late.push(message))
    stalled.pause()
    await until(() => viewers.size === 2)
    const sent = 60
    for (let sequence = 1; sequence <= sent; sequence += 1) {
      send(sequence)
      await until(() => seen.length === sequence)
    }
    stalled.resume()
    await until(() => late.length > 5)
    send(sent + 1)
    await until(() => (late.at(-1)?.readUInt32LE(MAGIC_OFFSET_SKIPPED) ?? 0) > 0)
    const skipped = late.at(-1)?.readUInt32LE(MAGIC_OFFSET_SKIPPED) ?? 0
    expect(late.length + skipped).toBe(sent + 1)
    expect(seen.at(-1)?.readUInt32LE(MAGIC_OFFSET_SKIPPED)).toBe(0)
    stalled.close()
    lively.close()
    await until(() => viewers.size === 0)
  })
})

describe('tickets', () => {
  it('are good for their view, for a short time, and for nobody who changes them', () => {
    let now = 1_000
    const tickets = createFrameTickets('key', () => now)
    const ticket = tickets.issue(VIEW).url.split('ticket=')[1] ?? ''
    expect(tickets.check(ticket)).toEqual(VIEW)
    expect(createFrameTickets('key', () => now).check(ticket)).toEqual(VIEW)
    expect(createFrameTickets('other', () => now).check(ticket)).toBeUndefined()
    const changed = `${Buffer.from(
      Buffer.from(ticket.split('.')[0] ?? '', 'base64url')
        .toString()
        .replace('PREVIEW', 'FULL'),
    ).toString('base64url')}.${ticket.split('.')[1]}`
    expect(tickets.check(changed)).toBeUndefined()
    expect(tickets.check('nonsense')).toBeUndefined()
    now += 31_000
    expect(tickets.check(ticket)).toBeUndefined()
  })
})
