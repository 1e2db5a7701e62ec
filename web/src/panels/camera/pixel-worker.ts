import { decodeFrame, type Frame } from '../../model/frame-header.ts'
import { countPixels, type Span, summarise } from '../../model/histogram.ts'
import type { Levels } from '../../model/levels.ts'
import { SkipCount } from '../../model/skip-count.ts'
import type { FromPixelWorker, ToPixelWorker } from './pixel-messages.ts'

/**
 * Takes frames off the wire, unpacks and counts them beside the page's own thread. It hands over one at a time and keeps the newest: a page that draws slowly
 * sees fewer frames, each of them fresh, instead of all of them late.
 */
const COUNT_EVERY_MS = 125 // eight histograms a second: more cannot be read
const REST = 4 // times as long as a count took, until the next: a large picture must not keep its own frames waiting

let socket: WebSocket | undefined
let newest: Frame | undefined
let isWanted = true
let received = 0
let passed = 0
let notSent = 0
let skips = new SkipCount()
let countAgainMs = Number.NEGATIVE_INFINITY
let counted: { readonly occurrences: Uint32Array; readonly saturated: number } | undefined
let span: Span | undefined
let levels: Levels | undefined

const tell = (message: FromPixelWorker, transfer: Transferable[] = []) => postMessage(message, { transfer })

addEventListener('message', ({ data }: MessageEvent<ToPixelWorker>) => {
  if (data.kind === 'connect') connect(data.id, data.url, data.protocol)
  else if (data.kind === 'say') say(data.text)
  else if (data.kind === 'disconnect') socket?.close()
  else if (data.kind === 'next') {
    isWanted = true
    handOver()
  } else {
    levels = data.levels
    describe()
  }
})

function connect(id: number, url: string, protocol: string): void {
  socket?.close()
  const opened = new WebSocket(url, protocol)
  opened.binaryType = 'arraybuffer'
  socket = opened
  newest = undefined
  received = 0
  passed = 0
  skips = new SkipCount()
  opened.onmessage = ({ data }) => {
    if (opened !== socket) return
    if (data instanceof ArrayBuffer) take(data)
    else tell({ kind: 'said', text: String(data) })
  }
  opened.onclose = ({ reason }) => {
    if (opened !== socket) return
    socket = undefined
    newest = undefined
    tell({ kind: 'closed', id, reason, received })
  }
}

function say(text: string): void {
  const open = socket
  if (open?.readyState === WebSocket.OPEN) open.send(text)
  else if (open?.readyState === WebSocket.CONNECTING) open.addEventListener('open', () => open.send(text), { once: true })
}

function take(message: ArrayBuffer): void {
  received += 1
  if (newest !== undefined) passed += 1
  try {
    newest = decodeFrame(message)
    notSent = skips.of(newest.skipped)
  } catch (error) {
    newest = undefined
    tell({ kind: 'unreadable', message: error instanceof Error ? error.message : 'A frame could not be read.' })
  }
  handOver()
}

function handOver(): void {
  const frame = newest
  if (!isWanted || frame === undefined) return
  isWanted = false
  newest = undefined
  const startMs = performance.now()
  if (startMs >= countAgainMs) {
    counted = { occurrences: countPixels(frame.pixels), saturated: 2 ** frame.bitDepth - 1 }
    describe()
    countAgainMs = startMs + Math.max(COUNT_EVERY_MS, REST * (performance.now() - startMs))
  }
  tell({ kind: 'frame', frame, received, skipped: notSent + passed }, [frame.pixels.buffer])
}

function describe(): void {
  if (counted === undefined) return
  const summary = summarise(counted.occurrences, span, levels, counted.saturated)
  span = summary.span
  tell({ kind: 'histogram', summary })
}
