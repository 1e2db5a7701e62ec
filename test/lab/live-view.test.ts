import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { query, subscribe } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { type Python, pythonWith } from '../python.ts'
import { until } from '../until.ts'

/** Eyes on a camera of a whole lab: several views on one connection, a viewer that stands still beside one that does not, and the programs of docs/live-view.md. */

const ROOT = path.join(import.meta.dirname, '../..')
const SENSOR = 512

let lab: WholeLab
let camera: string
let folder: string
const closers: (() => unknown)[] = []

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-live-'))
  lab = await startWholeLab()
  type Devices = { readonly devices: { readonly edges: readonly { readonly node: { id: string; name: string; connection: string } }[] } }
  const found = await until(
    async () => {
      const { devices } = await query<Devices>(lab.url, '{ devices(first: 50) { edges { node { id name connection } } } }')
      return devices.edges.map(({ node }) => node).find(({ name, connection }) => name === 'camera' && connection === 'CONNECTED')
    },
    { deadlineMs: 90_000, what: 'the camera is connected' },
  )
  camera = found.id
  const started = await query<{ startLive: { __typename: string } }>(
    lab.url,
    'mutation ($id: ID!) { startLive(deviceId: $id) { __typename ... on Problem { message } } }',
    { id: camera },
  )
  expect(started.startLive).toEqual({ __typename: 'CommandPayload' })
})
afterAll(async () => {
  for (const close of closers.reverse()) await close()
  await lab?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function ticketUrl(wanted: string): Promise<URL> {
  type Ticket = { readonly device: { readonly camera: { readonly ticket: { readonly url: string } } } }
  const { device } = await query<Ticket>(lab.url, `query ($id: ID!) { device(id: $id) { camera { ticket${wanted} { url } } } }`, { id: camera })
  return new URL(device.camera.ticket.url, lab.url.replace('http', 'ws'))
}

type Seen = {
  readonly view: number
  readonly sequence: number
  readonly width: number
  readonly height: number
  readonly roi: number[]
  readonly skipped: number
}

async function watch(wanted: string) {
  const socket = new WebSocket(await ticketUrl(wanted), 'kymograph-frames')
  const frames: Seen[] = []
  const said: { readonly view: number; readonly state: string; readonly message?: string }[] = []
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) return void said.push(JSON.parse(String(data)))
    frames.push({
      view: data.readUInt16LE(74),
      sequence: Number(data.readBigUInt64LE(8)),
      width: data.readUInt32LE(40),
      height: data.readUInt32LE(44),
      roi: [56, 60, 64, 68].map((at) => data.readUInt32LE(at)),
      skipped: data.readUInt32LE(96),
    })
  })
  closers.push(() => socket.terminate())
  await once(socket, 'open')
  const ask = async (view: number, other?: string) =>
    socket.send(JSON.stringify({ view, ...(other !== undefined && { ticket: (await ticketUrl(other)).searchParams.get('ticket') }) }))
  return { socket, frames, said, ask }
}

/** A viewer whose program hangs: it has asked, and reads nothing from its socket. */
async function stalledViewer(): Promise<Socket> {
  const url = await ticketUrl('(quality: FULL, maxRateHz: 60)')
  const socket = connect(Number(url.port), url.hostname)
  closers.push(() => socket.destroy())
  await once(socket, 'connect')
  socket.pause()
  const lines = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}`]
  socket.write(`GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\n${lines.join('\r\n')}\r\n\r\n`)
  return socket
}

describe('the live view of a camera', () => {
  it('changes its views on one connection, down to a part of the sensor', async () => {
    const { frames, said, ask, socket } = await watch('(quality: PREVIEW)')
    await until(() => frames.length > 0)
    expect(frames[0]).toMatchObject({ view: 0, width: SENSOR / 2, height: SENSOR / 2, roi: [0, 0, SENSOR, SENSOR] })
    await ask(5, '(quality: FAST, roi: { x: 101, y: 200, width: 50, height: 20 }, compression: LZ4)')
    const cut = await until(() => frames.find(({ view }) => view === 5))
    expect(cut).toMatchObject({ width: 13, height: 5, roi: [100, 200, 52, 20] })
    await ask(0)
    await until(() => said.some(({ view, state }) => view === 0 && state === 'CLOSED'))
    const closed = frames.length
    await until(() => frames.length > closed + 3)
    expect(frames.slice(closed).every(({ view }) => view === 5)).toBe(true)
    socket.close()
  })

  it('of one who stands still changes nothing for another one, nor for what is recorded', async () => {
    const stalled = await stalledViewer()
    const lively = await watch('(quality: FULL, maxRateHz: 60)')
    type Run = { readonly state: string; readonly datasets: readonly { readonly state: string; readonly rows: number; readonly dropped: number }[] }
    const { startRun } = await query<{ startRun: { id: string } }>(
      lab.url,
      'mutation ($input: RunInput!) { startRun(input: $input) { ... on Run { id } ... on Problem { message } } }',
      { input: { plan: { record: { detectors: [{ role: 'camera' }], frames: 150 } } } },
    )
    const run = await until(
      async () => {
        const { run: now } = await query<{ run: Run }>(lab.url, 'query ($id: ID!) { run(id: $id) { state datasets { state rows dropped } } }', {
          id: startRun.id,
        })
        return ['COMPLETED', 'FAILED'].includes(now.state) && now.datasets[0]?.state !== 'RECORDING' ? now : undefined
      },
      { deadlineMs: 40_000, everyMs: 100 },
    )
    expect(run).toMatchObject({ state: 'COMPLETED', datasets: [{ state: 'COMPLETE', rows: 150, dropped: 0 }] })
    const before = lively.frames.length
    await until(() => lively.frames.length > before + 30, { deadlineMs: 30_000 }) // 15 MB, more than may wait for the other one
    const missed = lively.frames.at(-1)?.skipped // a busy machine may cost it some
    expect(stalled.bytesRead).toBeLessThan(1_000_000)
    lively.socket.close()

    // Once it reads again it is told what it missed, and the pictures are whole.
    let tail = Buffer.alloc(0)
    let skipped = 0
    stalled.on('data', (bytes) => {
      tail = Buffer.concat([tail.subarray(-200), bytes])
      for (let at = tail.indexOf('FMYK'); at >= 0 && at + 104 <= tail.length; at = tail.indexOf('FMYK', at + 1))
        skipped = Math.max(skipped, tail.readUInt32LE(at + 96))
    })
    stalled.resume()
    await until(() => skipped > (missed ?? 0), { what: 'a count of what was skipped that is above that of the other one' })
    stalled.destroy()
  })
})

describe('one subscription to the frames of a camera', () => {
  type Notice = { readonly sequence: number; readonly width: number }
  async function ask(mutation: string): Promise<void> {
    const { answer } = await query<{ answer: { message?: string } }>(
      lab.url,
      `mutation ($id: ID!) { answer: ${mutation} { __typename ... on Problem { message } } }`,
      { id: camera },
    )
    expect(answer.message).toBeUndefined()
  }
  const readOut = (width: number, binning = 1): Promise<void> =>
    ask(`configureCamera(input: { deviceId: $id, roi: { x: 0, y: 0, width: ${width}, height: 64 }, binning: ${binning} })`)

  it('goes on with the new frames when the camera is set otherwise, and when it is connected again', async () => {
    const notices: Notice[] = []
    let over: unknown
    const frames = subscribe<{ frames: Notice }>(
      lab.url,
      'subscription ($id: ID!) { frames(deviceId: $id, quality: FAST, maxRateHz: 60) { sequence width } }',
      {
        id: camera,
      },
    )
    const listening = (async () => {
      for await (const { frames: notice } of frames) notices.push(notice)
      over = 'it ended'
    })().catch((error: unknown) => {
      over = error
    })
    closers.push(() => frames.return())
    const shows = (width: number): Promise<true> =>
      until(
        () => {
          if (over !== undefined) throw over
          return notices.at(-1)?.width === width
        },
        { what: `frames that are ${width} pixels wide` },
      )

    await shows(SENSOR / 4)
    await readOut(64)
    await shows(16)
    await readOut(128, 2)
    await readOut(256, 2)
    await shows(32)
    await ask('disconnectDevice(id: $id)')
    await ask('connectDevice(id: $id)')
    await until(async () => {
      const { device } = await query<{ device: { connection: string } }>(lab.url, 'query ($id: ID!) { device(id: $id) { connection } }', { id: camera })
      return device.connection === 'CONNECTED'
    })
    await readOut(96)
    await ask('startLive(deviceId: $id)')
    await shows(24)
    await ask(`configureCamera(input: { deviceId: $id, roi: { x: 0, y: 0, width: ${SENSOR}, height: ${SENSOR} } })`)
    await shows(SENSOR / 4)
    await frames.return()
    await listening
  }, 60_000)
})

describe('the programs of docs/live-view.md', () => {
  let page: string
  let python: Python
  const block = (language: string): string => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'ms').exec(page)?.[1] ?? ''

  beforeAll(async () => {
    page = await readFile(path.join(ROOT, 'docs/live-view.md'), 'utf8')
    python = await pythonWith(['numpy', 'websockets', 'lz4'])
  })

  /** Its output once there is `wanted` in it. */
  async function printed(program: ChildProcessByStdio<null, Readable, Readable>, wanted: RegExp): Promise<RegExpExecArray> {
    let output = ''
    for (const stream of [program.stdout, program.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    const ended = once(program, 'exit')
    try {
      return await until(
        () => {
          if (program.exitCode !== null) throw new Error(output)
          return wanted.exec(output)
        },
        { what: 'a frame' },
      )
    } finally {
      program.kill()
      await ended
    }
  }

  it('show frames, in JavaScript', async () => {
    const file = path.join(folder, 'live-view.mjs')
    await writeFile(file, block('js'))
    await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'))
    const program = spawn(process.execPath, [file, lab.url, 'camera'], { stdio: ['ignore', 'pipe', 'pipe'] })
    await printed(program, /frame \d+: 128 x 128, from 0, 0 of the sensor on, mean [1-9]\d+\.\d, 0 skipped/)
  })

  it('show frames, in Python', async ({ skip }) => {
    const executable = python.executable ?? skip(python.why)
    const file = path.join(folder, 'live_view.py')
    await writeFile(file, block('python'))
    const program = spawn(executable, [file, lab.url, 'camera'], { stdio: ['ignore', 'pipe', 'pipe'] })
    await printed(program, /frame \d+: 256 x 256, mean [1-9]\d+\.\d, 0 skipped/)
  })
})
