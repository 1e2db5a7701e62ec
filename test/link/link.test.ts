import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LimitViolation, Problem } from '../../core/errors.ts'
import { connectStation } from '../../link/client.ts'
import { encodeMessage, MessageReader } from '../../link/codec.ts'
import { type LinkHandler, MAX_MESSAGE_BYTES, type RunRowsItem, STREAM_WINDOW, type StationLink } from '../../link/protocol.ts'
import { listenForLinks } from '../../link/server.ts'
import { frameHeader } from '../frame-header.ts'
import { until } from '../until.ts'

const STATION = { stationId: 'station-1', name: 'bench', epoch: 7 }
const TOKEN = 'the-token-of-this-lab'
const ANSWER = { requestId: 'r1', state: 'DONE', results: [], elapsedMs: 1 } as const

/** What the station behind the link does; each test replaces what it looks at. */
function quietHandler(): {
  calls: { -readonly [Name in keyof LinkHandler['calls']]: LinkHandler['calls'][Name] }
  streams: { -readonly [Name in keyof LinkHandler['streams']]: LinkHandler['streams'][Name] }
} {
  const queue = async (): Promise<{ held: boolean }> => ({ held: false })
  const nothing = async function* (): AsyncGenerator<never> {
    yield* []
  }
  return {
    calls: {
      command: async () => ANSWER,
      emergencyStop: async () => ({ state: { active: true }, devices: [], elapsedMs: 0 }),
      releaseEmergencyStop: async () => ({ state: { active: false } }),
      holdQueue: queue,
      releaseQueue: queue,
      abortRun: async () => ({ known: false }),
      syncDevices: async () => ({ postponed: [] }),
      discover: async () => ({ found: [] }),
      checkDevice: async () => ({ address: 'sim://a', portKind: 'SERIAL', simulated: true }),
      health: async () => ({ cpuPercent: 0, memoryBytes: 0, diskFreeBytes: 0, journalBacklog: 0, components: [] }),
    },
    streams: { state: nothing, readings: nothing, runRows: nothing, frames: nothing, command: nothing },
  }
}

const COMMAND = { requestId: 'r1', calls: [], order: 'sequence', cause: { kind: 'PERSON' }, acceptWithinMs: 1000 } as const
const SOON = { timeoutMs: 5_000 }

let folder: string
let address: string
let opened: AsyncDisposable[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'link-'))
  address = `unix:${join(folder, 's.sock')}`
  opened = []
})

afterEach(async () => {
  for (const each of opened.reverse()) await each[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function serve(handler: LinkHandler, log: (line: string) => void = () => undefined): Promise<AsyncDisposable> {
  const server = await listenForLinks({ address, token: TOKEN, station: STATION, handler, log })
  opened.push(server)
  return server
}

function dial(token = TOKEN, stationId = STATION.stationId): StationLink {
  const link = connectStation({ stationId, address, token, log: () => undefined })
  opened.push(link)
  return link
}

async function online(): Promise<StationLink> {
  const link = dial()
  await until(() => link.online)
  return link
}

describe('calls', () => {
  it('carry parameters and results with bigints whole', async () => {
    const handler = quietHandler()
    const time = 1_790_000_000_123_456_789n
    handler.calls.releaseEmergencyStop = async ({ actor }) => ({ state: { active: false, by: actor.name, at: time } })
    await serve(handler)
    const link = await online()
    const result = await link.call('releaseEmergencyStop', { actor: { id: 'a', name: 'Ada', role: 'ADMIN', kind: 'PERSON' } }, SOON)
    expect(result).toEqual({ state: { active: false, by: 'Ada', at: time } })
  })

  it('bring a Problem across with its facts', async () => {
    const handler = quietHandler()
    handler.calls.command = () => Promise.reject(new LimitViolation('position', 120, 0, 50, 'mm'))
    await serve(handler)
    const link = await online()
    const problem = await link.call('command', COMMAND, SOON).catch((error: unknown) => error)
    expect(problem).toBeInstanceOf(Problem)
    expect(problem).toMatchObject({ code: 'LIMIT_VIOLATION', facts: { given: 120, maximum: 50, unit: 'mm' } })
  })

  it('do not wait for one another', async () => {
    const handler = quietHandler()
    let release = (): void => undefined
    handler.calls.command = () =>
      new Promise((resolve) => {
        release = () => resolve(ANSWER)
      })
    await serve(handler)
    const link = await online()
    const slow = link.call('command', COMMAND, SOON)
    await expect(link.call('health', {}, SOON)).resolves.toBeDefined()
    release()
    await expect(slow).resolves.toEqual(ANSWER)
  })

  it('end at their deadline, say that it may have acted, and tell the station', async () => {
    const handler = quietHandler()
    let told: AbortSignal | undefined
    handler.calls.command = (_, signal) => {
      told = signal
      return new Promise(() => undefined)
    }
    await serve(handler)
    const link = await online()
    await expect(link.call('command', COMMAND, { timeoutMs: 30 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'POSSIBLE' })
    await until(() => told?.aborted)
  })

  it("end when the caller's signal fires", async () => {
    const handler = quietHandler()
    handler.calls.command = () => new Promise(() => undefined)
    await serve(handler)
    const link = await online()
    const caller = new AbortController()
    const call = link.call('command', COMMAND, { timeoutMs: 5_000, signal: caller.signal })
    caller.abort(new Error('gone'))
    await expect(call).rejects.toThrow('gone')
  })
})

describe('a station that is away', () => {
  it('fails a call at once and keeps none', async () => {
    const link = dial()
    await expect(link.call('command', COMMAND, SOON)).rejects.toMatchObject({ code: 'STATION_OFFLINE', effect: 'NONE', facts: { stationId: 'station-1' } })
    const handler = quietHandler()
    let commands = 0
    handler.calls.command = async () => {
      commands += 1
      return ANSWER
    }
    await serve(handler)
    await until(() => link.online)
    await link.call('health', {}, SOON)
    expect(commands).toBe(0)
  })

  it('ends calls and streams under way, tells listeners, and is found again when it is back', async () => {
    const handler = quietHandler()
    handler.calls.command = () => new Promise(() => undefined)
    handler.streams.state = async function* (_, signal) {
      yield { kind: 'removed', deviceId: 'a' }
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    }
    const server = await serve(handler)
    const link = await online()
    const seen: boolean[] = []
    link.onChange((now) => seen.push(now))
    const call = link.call('command', COMMAND, SOON)
    const stream = link.stream('state', {}, new AbortController().signal)[Symbol.asyncIterator]()
    await stream.next()
    const ended = stream.next()
    opened.splice(opened.indexOf(server), 1)
    await Promise.all([
      expect(call).rejects.toMatchObject({ code: 'STATION_OFFLINE', effect: 'POSSIBLE' }),
      expect(ended).rejects.toMatchObject({ code: 'STATION_OFFLINE' }),
      server[Symbol.asyncDispose](),
    ])
    await until(() => !link.online)
    await serve(quietHandler())
    await until(() => link.online)
    await expect(link.call('command', COMMAND, SOON)).resolves.toEqual(ANSWER)
    expect(seen).toEqual([false, true])
  })

  it('is not taken for another station', async () => {
    await serve(quietHandler())
    const link = dial(TOKEN, 'station-2')
    await expect(until(() => link.online, { deadlineMs: 300 })).rejects.toThrow()
    await expect(link.call('health', {}, SOON)).rejects.toThrow(/station-1.*not station-2/)
  })
})

describe('who may speak', () => {
  it('must know the token', async () => {
    const lines: string[] = []
    await serve(quietHandler(), (line) => lines.push(line))
    const link = dial('another')
    await until(() => lines.length > 0)
    expect(link.online).toBe(false)
  })

  it('must say hello in time', async () => {
    await serve(quietHandler())
    const socket = await raw()
    await until(() => socket.destroyed)
  })

  it('is cut off for garbage, a too long message or an unknown one, and nobody else is', async () => {
    await serve(quietHandler())
    const link = await online()
    const tooLong = Buffer.alloc(4)
    tooLong.writeUInt32BE(MAX_MESSAGE_BYTES + 1)
    const hello = encodeMessage({ type: 'hello', protocol: 1, token: TOKEN, lane: 'calls' })
    for (const bytes of [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      tooLong,
      encodeMessage({ type: 'call', id: 1, name: 'health', params: {} }),
      encodeMessage(null),
      Buffer.concat([hello, encodeMessage({ type: 'dance', id: 1 })]),
      Buffer.concat([hello, encodeMessage(3)]),
    ]) {
      const socket = await raw()
      socket.write(bytes)
      await until(() => socket.destroyed)
    }
    await expect(link.call('health', {}, SOON)).resolves.toBeDefined()
  })

  it('is answered with a problem for a name that the station does not offer', async () => {
    await serve(quietHandler())
    const socket = await raw()
    const reader = new MessageReader(MAX_MESSAGE_BYTES)
    const said: unknown[] = []
    socket.on('data', (chunk: Buffer) => said.push(...reader.push(chunk)))
    socket.write(encodeMessage({ type: 'hello', protocol: 1, token: TOKEN, lane: 'calls' }))
    for (const [id, name] of ['constructor', 'state', 'reboot'].entries()) socket.write(encodeMessage({ type: 'call', id, name, params: {} }))
    await until(() => said.length === 4)
    expect(said[0]).toEqual({ type: 'welcome', ...STATION })
    for (const answer of said.slice(1)) expect(answer).toMatchObject({ type: 'problem', problem: { code: 'NOT_FOUND' } })
  })

  async function raw(): Promise<Socket> {
    const socket = connect(address.slice('unix:'.length))
    socket.on('error', () => socket.destroy())
    socket.resume()
    await new Promise((resolve) => socket.once('connect', resolve))
    opened.push({ [Symbol.asyncDispose]: async () => void socket.destroy() })
    return socket
  }
})

describe('streams', () => {
  const rows = (firstRow: number): RunRowsItem => ({ columns: [], firstRow, rows: [[1, 'a', null, 5n]], ended: false })

  it('deliver every item in order and end', async () => {
    const handler = quietHandler()
    handler.streams.runRows = async function* ({ fromRow }) {
      for (let row = fromRow; row < 500; row++) yield rows(row)
    }
    await serve(handler)
    const link = await online()
    const seen: RunRowsItem[] = []
    for await (const item of link.stream('runRows', { runId: 'r', fromRow: 3 }, new AbortController().signal)) seen.push(item)
    expect(seen).toEqual(Array.from({ length: 497 }, (_, at) => rows(at + 3)))
  })

  it('hold back the source, not the others, when a reader stands still', async () => {
    const handler = quietHandler()
    let produced = 0
    handler.streams.runRows = async function* () {
      for (;;) {
        produced += 1
        yield rows(produced)
      }
    }
    handler.streams.state = async function* () {
      for (let at = 0; at < 1000; at++) yield { kind: 'removed', deviceId: String(at) }
    }
    await serve(handler)
    const link = await online()
    const stop = new AbortController()
    const still = link.stream('runRows', { runId: 'r', fromRow: 0 }, stop.signal)[Symbol.asyncIterator]()
    await still.next()
    let states = 0
    for await (const item of link.stream('state', {}, stop.signal)) states += item.kind === 'removed' ? 1 : 0
    expect(states).toBe(1000)
    expect(produced).toBeLessThanOrEqual(STREAM_WINDOW.runRows)
    for (let at = 0; at < 100; at++) expect((await still.next()).value).toMatchObject({ firstRow: at + 2 })
    stop.abort()
  })

  it('stop at the source when the reader leaves', async () => {
    const handler = quietHandler()
    let stopped = false
    handler.streams.state = async function* (_, signal) {
      try {
        yield { kind: 'removed', deviceId: 'a' }
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      } finally {
        stopped = true
      }
    }
    await serve(handler)
    const link = await online()
    for await (const item of link.stream('state', {}, new AbortController().signal)) if (item.kind === 'removed') break
    await until(() => stopped)
  })

  it('say why they failed', async () => {
    const handler = quietHandler()
    const failing = { next: () => Promise.reject(new Problem('NOT_FOUND', 'there is no command x')) }
    handler.streams.command = () => ({ [Symbol.asyncIterator]: () => failing })
    await serve(handler)
    const link = await online()
    const stream = link.stream('command', { requestId: 'x' }, new AbortController().signal)[Symbol.asyncIterator]()
    await expect(stream.next()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('do not hold back a stop: pictures travel on a lane of their own', async () => {
    const handler = quietHandler()
    const pixels = new Uint8Array(8 * 1024 * 1024)
    const header = frameHeader(2048, 2048)
    handler.streams.frames = async function* (_, signal) {
      while (!signal.aborted) yield { header, pixels }
    }
    await serve(handler)
    const link = await online()
    const stop = new AbortController()
    let frames = 0
    const watching = (async () => {
      for await (const item of link.stream('frames', { deviceId: 'd', maxRateHz: 100, view: { quality: 'FULL', compression: 'NONE' } }, stop.signal))
        frames += item.pixels.length === pixels.length ? 1 : 0
    })()
    await until(() => frames > 3)
    // the stream never ends: a stop that waited behind it would run into its deadline
    await link.call('emergencyStop', { actor: { id: 'a', name: 'A', role: 'OPERATOR', kind: 'PERSON' }, elapsedMs: 0 }, SOON)
    stop.abort()
    await watching
  })
})
