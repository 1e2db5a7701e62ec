import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { FrameTaps, FrameWatcher } from '../../api/frames/taps.ts'
import { createFrameTickets, FRAME_PROTOCOL, type FrameRequest } from '../../api/frames/ticket.ts'
import { MAX_VIEWS } from '../../api/frames/viewer.ts'
import { createFramesSocket } from '../../api/http/frames-socket.ts'
import { createLog } from '../../api/log.ts'
import { uuidv7 } from '../../core/id.ts'
import { frameHeader } from '../frame-header.ts'
import { until } from '../until.ts'

const VIEW: FrameRequest = { deviceId: uuidv7(), maxRateHz: 10, view: { quality: 'PREVIEW', compression: 'NONE' } }
const [WIDTH, HEIGHT] = [500, 1000]

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

/** The socket of an api whose stations are this test. */
async function serve(options: { readonly aliveMs?: number } = {}) {
  const watched: { readonly request: FrameRequest; readonly watcher: FrameWatcher }[] = []
  const taps: FrameTaps = {
    watch(request, watcher) {
      const entry = { request, watcher }
      watched.push(entry)
      return () => watched.splice(watched.indexOf(entry), 1)
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
  const tickets = createFrameTickets('key')
  const sockets = createFramesSocket({ tickets, taps, log: createLog('silent'), ...options })
  const server = createServer()
  server.on('upgrade', (request, socket, head) => sockets.accept(request, socket, head) || socket.destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(async () => {
    await sockets[Symbol.asyncDispose]()
    server.close()
  })
  const address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  const ticketFor = (view: FrameRequest) => tickets.issue(view).url.split('ticket=')[1] ?? ''
  const open = async (view = VIEW) => {
    const socket = new WebSocket(`${address}${tickets.issue(view).url}`, FRAME_PROTOCOL)
    const frames: { readonly sequence: number; readonly view: number; readonly skipped: number }[] = []
    const said: unknown[] = []
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) frames.push({ sequence: Number(data.readBigUInt64LE(8)), view: data.readUInt16LE(74), skipped: data.readUInt32LE(96) })
      else said.push(JSON.parse(String(data)))
    })
    await once(socket, 'open')
    return { socket, frames, said, say: (message: unknown) => socket.send(JSON.stringify(message)) }
  }
  const send = (sequence: number) => {
    const pixels = new Uint8Array(WIDTH * HEIGHT * 2).fill(sequence)
    for (const { watcher } of [...watched]) watcher.frame({ header: frameHeader(WIDTH, HEIGHT, { sequence }), pixels })
  }
  return { watched, open, send, ticketFor }
}

describe('viewers of frames', () => {
  it('that stand still skip frames, which are counted, while the others see all', async () => {
    const { watched, open, send } = await serve()
    const [stalled, lively] = [await open(), await open()]
    stalled.socket.pause()
    await until(() => watched.length === 2)
    const sent = 40
    for (let sequence = 1; sequence <= sent; sequence += 1) {
      send(sequence)
      await until(() => lively.frames.length === sequence)
    }
    stalled.socket.resume()
    await until(() => stalled.frames.length > 5)
    let extra = 0
    await until(() => {
      extra += 1
      send(sent + extra)
      return (stalled.frames.at(-1)?.skipped ?? 0) > 0
    })
    await until(() => lively.frames.length === sent + extra && stalled.frames.length + (stalled.frames.at(-1)?.skipped ?? 0) === sent + extra)
    expect(lively.frames.at(-1)?.skipped).toBe(0)
    // four of 1 MB waited in the api, the rest in the buffers of two sockets
    expect(stalled.frames.filter(({ skipped }) => skipped === 0).length).toBeLessThan(20)
    stalled.socket.close()
    lively.socket.close()
    await until(() => watched.length === 0)
  })

  it('that answer nothing are cut off', async () => {
    const { watched, open } = await serve({ aliveMs: 20 })
    const { socket, said } = await open()
    await until(() => said.length === 1) // it was watched: on a busy machine it may be cut off before anybody sees that
    socket.pause() // and so its pings
    await until(() => watched.length === 0)
    socket.terminate()
  })
})

describe('the views of one connection', () => {
  const other: FrameRequest = { ...VIEW, deviceId: uuidv7() }

  it('are added, replaced and ended by number, each told before its first frame', async () => {
    const { watched, open, send, ticketFor } = await serve()
    const { socket, frames, said, say } = await open()
    say({ view: 7, ticket: ticketFor(other) })
    await until(() => watched.length === 2)
    send(1)
    await until(() => frames.length === 2)
    expect(frames.map(({ view }) => view)).toEqual([0, 7])
    expect(said).toEqual([
      { view: 0, state: 'OPEN' },
      { view: 7, state: 'OPEN' },
    ])
    say({ view: 7, ticket: ticketFor({ ...other, view: { ...other.view, quality: 'FULL' } }) })
    await until(() => said.length === 3)
    expect(watched.map(({ request }) => request.view.quality)).toEqual(['PREVIEW', 'FULL'])
    say({ view: 0 })
    await until(() => said.length === 4)
    expect(said.at(-1)).toEqual({ view: 0, state: 'CLOSED' })
    send(2)
    await until(() => frames.length === 3)
    expect(frames.at(-1)).toMatchObject({ view: 7, sequence: 2 })
    socket.close()
    await until(() => watched.length === 0)
  })

  it('say why nothing comes, and when it comes again', async () => {
    const { watched, open, send } = await serve()
    const { socket, frames, said } = await open()
    await until(() => watched.length === 1)
    for (const reason of ['the station is away', 'the station is away']) watched[0]?.watcher.waiting(reason)
    send(1)
    await until(() => frames.length === 1)
    expect(said).toEqual([
      { view: 0, state: 'OPEN' },
      { view: 0, state: 'WAITING', message: 'the station is away' },
      { view: 0, state: 'OPEN' },
    ])
    socket.close()
  })

  it('need a ticket each, and are bounded', async () => {
    const { watched, open, ticketFor } = await serve()
    const { socket, said, say } = await open()
    say({ view: 1, ticket: 'made-up' })
    await until(() => said.length === 2)
    expect(said.at(-1)).toMatchObject({ view: 1, state: 'REFUSED', message: expect.stringContaining('ticket') })
    for (let view = 1; view <= MAX_VIEWS; view += 1) say({ view, ticket: ticketFor(other) })
    await until(() => said.length === 2 + MAX_VIEWS)
    expect(said.at(-1)).toMatchObject({ view: MAX_VIEWS, state: 'REFUSED', message: expect.stringContaining(String(MAX_VIEWS)) })
    expect(watched).toHaveLength(MAX_VIEWS)
    socket.close()
  })

  it.each([['nonsense'], ['{"view":-1}'], ['{"view":65536}'], ['{"view":1,"ticket":2}'], ['null'], [Buffer.of(1)], ['x'.repeat(5000)]])(
    'end with a message that is none of ours: %s',
    async (message) => {
      const { open, watched } = await serve()
      const { socket } = await open()
      socket.send(message)
      const [code] = await once(socket, 'close')
      expect([1008, 1009]).toContain(code)
      await until(() => watched.length === 0)
    },
  )
})
