import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import { query } from '../test/harness/graphql.ts'
import { percentile } from './report.ts'

/**
 * Everybody who looks at the lab while it records, in a process of their own: viewers of the camera as the dashboard is one, a viewer that never reads its
 * socket, and dashboards that follow all readings and ask. Counts from one message of the parent to the next, and answers with the counts.
 */
const READINGS_RATE_HZ = 10 // as the dashboard asks for
const ASK_AGAIN_MS = 100
const HEADER = { magic: 0x4b594d46, sequence: 8, timeNs: 16, skipped: 96 } as const

const { URL: url = '', DEVICE_ID: deviceId = '', QUALITY: quality = 'PREVIEW' } = process.env
const viewerCount = Number(process.env['VIEWERS'])
const stalledCount = Number(process.env['STALLED'])
const dashboards = Number(process.env['DASHBOARDS'])
const rateHz = Number(process.env['RATE_HZ'])

export type ViewerCounts = { readonly frames: number; readonly bytes: number; readonly skipped: number; readonly p50Ms: number; readonly p99Ms: number }
export type ClientsCounts = {
  readonly viewers: readonly ViewerCounts[]
  readonly queries: { readonly count: number; readonly p50Ms: number; readonly p99Ms: number }
  readonly readingsEvents: number
}

const DEVICES = `{ devices(first: 50) { edges { node { id name connection capabilities parameters { id name unit reading { time quality number text boolean } } } } } }`
const READINGS = `subscription ($select: [ParameterSelector!]!, $rate: Float) {
  readings(select: $select, delivery: LATEST, maxRateHz: $rate) { cursor dropped series { parameterId start offsetsMs numbers } }
}`
const TICKET =
  'query ($id: ID!, $quality: FrameQuality, $rate: Float) { device(id: $id) { camera { ticket(quality: $quality, maxRateHz: $rate) { url protocol } } } }'

type Ticket = { readonly device: { readonly camera: { readonly ticket: { readonly url: string; readonly protocol: string } } } }
type Devices = { readonly devices: { readonly edges: readonly { readonly node: { readonly id: string } }[] } }

async function openViewer(): Promise<WebSocket> {
  const { device } = await query<Ticket>(url, TICKET, { id: deviceId, quality, rate: rateHz })
  const { ticket } = device.camera
  const socket = new WebSocket(new URL(ticket.url, url.replace(/^http/, 'ws')), ticket.protocol)
  socket.on('error', (error) => process.stderr.write(`a viewer's socket failed: ${error.message}\n`))
  return socket
}

class Viewer {
  #frames = 0
  #bytes = 0
  #skipped = 0
  #skippedBefore = 0
  #latenciesMs: number[] = []

  see(message: Buffer): void {
    if (message.readUInt32LE(0) !== HEADER.magic) throw new Error('a message is no frame')
    this.#frames += 1
    this.#bytes += message.byteLength
    this.#skipped = message.readUInt32LE(HEADER.skipped)
    this.#latenciesMs.push(Date.now() - Number(message.readBigInt64LE(HEADER.timeNs) / 1_000_000n))
  }

  take(): ViewerCounts {
    const counts = {
      frames: this.#frames,
      bytes: this.#bytes,
      skipped: this.#skipped - this.#skippedBefore,
      p50Ms: percentile(this.#latenciesMs, 0.5),
      p99Ms: percentile(this.#latenciesMs, 0.99),
    }
    this.#frames = this.#bytes = 0
    this.#skippedBefore = this.#skipped
    this.#latenciesMs = []
    return counts
  }
}

const viewers: Viewer[] = []
for (let index = 0; index < viewerCount; index += 1) {
  const viewer = new Viewer()
  const socket = await openViewer()
  socket.on('message', (message: Buffer, isBinary) => {
    if (isBinary) viewer.see(message)
  })
  viewers.push(viewer)
}
for (let index = 0; index < stalledCount; index += 1) {
  const socket = await openViewer()
  socket.once('message', () => socket.pause()) // from here on its buffers fill: here, in the kernel and in the api
}

let readingsEvents = 0
let latenciesMs: number[] = []
const { devices } = await query<Devices>(url, DEVICES)
const select = devices.edges.map(({ node }) => ({ deviceId: node.id }))
for (let index = 0; index < dashboards; index += 1) {
  createClient({ url: `${url.replace(/^http/, 'ws')}/graphql`, webSocketImpl: WebSocket, lazy: false }).subscribe(
    { query: READINGS, variables: { select, rate: READINGS_RATE_HZ } },
    {
      next: ({ errors }) => {
        if (errors !== undefined) process.stderr.write(`a subscription failed: ${JSON.stringify(errors)}\n`)
        readingsEvents += 1
      },
      error: (error) => process.stderr.write(`a subscription failed: ${JSON.stringify(error)}\n`),
      complete: () => undefined,
    },
  )
  void ask()
}

/** As a person who looks: the next question waits for the answer to the one before. */
async function ask(): Promise<void> {
  for (;;) {
    const start = performance.now()
    try {
      await query(url, DEVICES)
      latenciesMs.push(performance.now() - start)
    } catch (error) {
      process.stderr.write(`a query failed: ${String(error)}\n`)
    }
    await pause(ASK_AGAIN_MS)
  }
}

function take(): ClientsCounts {
  const counts = {
    viewers: viewers.map((viewer) => viewer.take()),
    queries: { count: latenciesMs.length, p50Ms: percentile(latenciesMs, 0.5), p99Ms: percentile(latenciesMs, 0.99) },
    readingsEvents,
  }
  readingsEvents = 0
  latenciesMs = []
  return counts
}

process.on('message', () => process.send?.(take()))
process.on('disconnect', () => process.exit(0))
process.send?.('ready')
