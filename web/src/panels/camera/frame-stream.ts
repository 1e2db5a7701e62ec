import type { Client } from 'urql'
import type { Frame } from '../../model/frame-header.ts'
import type { HistogramSummary } from '../../model/histogram.ts'
import type { Levels } from '../../model/levels.ts'
import type { Rect } from '../../model/picture-geometry.ts'
import { backoffMs } from '../../state/backoff.ts'
import { TICKET } from './documents.ts'
import type { FromPixelWorker, ToPixelWorker } from './pixel-messages.ts'

/** What of a camera is to be seen. `roi` in sensor pixels; undefined: all that the camera takes. */
export type View = {
  readonly quality: 'FULL' | 'PREVIEW' | 'FAST'
  readonly maxRateHz: number
  /** LZ4 on the way: for a slow network. */
  readonly isPacked: boolean
  readonly roi: Rect | undefined
}

export type FrameSink = {
  readonly frame: (frame: Frame, received: number, skipped: number) => void
  readonly histogram: (summary: HistogramSummary) => void
  /** Why nothing comes, or why what was asked for is not shown; undefined when all is well. */
  readonly problem: (message: string | undefined) => void
}

/** Frames of one camera over one binary WebSocket (docs/live-view.md), which a worker reads. */
export class FrameStream {
  readonly #client: Client
  readonly #deviceId: string
  readonly #sink: FrameSink
  readonly #worker = new Worker(new URL('./pixel-worker.ts', import.meta.url), { type: 'module' })
  #view: View | undefined
  #following: AbortController | undefined
  #connections = 0
  /** The one that is open now, or being opened. */
  #connection: { readonly id: number; readonly closed: (received: number) => void } | undefined
  #isUnreadable = false

  constructor(client: Client, deviceId: string, sink: FrameSink) {
    this.#client = client
    this.#deviceId = deviceId
    this.#sink = sink
    this.#worker.addEventListener('message', ({ data }: MessageEvent<FromPixelWorker>) => this.#hear(data))
  }

  /** From the first call on it connects, again and again where that is needed; a later call changes what is shown, on the same connection. */
  show(view: View): void {
    this.#view = view
    if (this.#following === undefined) {
      this.#following = new AbortController()
      void this.#follow(this.#following.signal)
    } else if (this.#connection !== undefined) void this.#change(this.#following.signal)
  }

  /** No more frames until the next show(); what was counted of the last one can still be asked for. */
  pause(): void {
    this.#following?.abort()
    this.#following = undefined
    this.#connection?.closed(0)
    this.#tell({ kind: 'disconnect' })
  }

  /** The last frame has been drawn. */
  next(): void {
    this.#tell({ kind: 'next' })
  }

  /** Levels by hand, which the histogram's axis has to show. */
  level(levels: Levels | undefined): void {
    this.#tell({ kind: 'levels', levels })
  }

  close(): void {
    this.pause()
    this.#worker.terminate()
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      const asked = this.#view
      const given = await this.#ticket(signal)
      if (signal.aborted) return
      if (given !== undefined) {
        const closed = this.#connect(given.url, given.protocol)
        if (asked !== this.#view) void this.#change(signal)
        if ((await closed) > 0) attempt = 0
      }
      if (!signal.aborted) await pause(backoffMs(attempt), signal)
    }
  }

  /** How many frames came before the connection closed. */
  #connect(url: URL, protocol: string): Promise<number> {
    this.#connections += 1
    const id = this.#connections
    this.#tell({ kind: 'connect', id, url: url.href, protocol })
    return new Promise((resolve) => {
      const closed = (received: number) => {
        if (this.#connection?.id === id) this.#connection = undefined
        resolve(received)
      }
      this.#connection = { id, closed }
    })
  }

  async #change(signal: AbortSignal): Promise<void> {
    const asked = this.#view
    const given = await this.#ticket(signal)
    if (given === undefined || asked !== this.#view || signal.aborted) return // what was asked for since has its own turn
    this.#tell({ kind: 'say', text: JSON.stringify({ view: 0, ticket: given.url.searchParams.get('ticket') }) })
  }

  async #ticket(signal: AbortSignal): Promise<{ readonly url: URL; readonly protocol: string } | undefined> {
    if (this.#view === undefined) return undefined
    const { quality, maxRateHz, isPacked, roi } = this.#view
    const variables = { id: this.#deviceId, quality, maxRateHz, roi: roi ?? null, compression: isPacked ? ('LZ4' as const) : ('NONE' as const) }
    const { data, error } = await this.#client.query(TICKET, variables, { requestPolicy: 'network-only' }).toPromise()
    const given = data?.device?.camera?.ticket
    if (given === undefined) {
      if (!signal.aborted) this.#sink.problem(error?.graphQLErrors[0]?.message ?? error?.message ?? 'The camera gives no frames now.')
      return undefined
    }
    const url = new URL(given.url, location.href)
    if (url.protocol.startsWith('http')) url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    return { url, protocol: given.protocol }
  }

  #hear(message: FromPixelWorker): void {
    if (message.kind === 'histogram') this.#sink.histogram(message.summary)
    else if (message.kind === 'closed') {
      if (message.id !== this.#connection?.id) return
      if (message.reason !== '') this.#sink.problem(message.reason)
      this.#connection.closed(message.received)
    } else if (this.#following === undefined) {
      if (message.kind === 'frame') this.next() // it was under way when the pause came: nobody draws it, and the worker waits for that before it gives another
    } else if (message.kind === 'frame') {
      if (this.#isUnreadable) this.#sink.problem(undefined)
      this.#isUnreadable = false
      this.#sink.frame(message.frame, message.received, message.skipped)
    } else if (message.kind === 'said') this.#sink.problem(messageIn(message.text))
    else {
      this.#isUnreadable = true
      this.#sink.problem(message.message)
    }
  }

  #tell(message: ToPixelWorker): void {
    this.#worker.postMessage(message)
  }
}

/** `{"view":0,"state":"WAITING","message":"…"}`; without a message all is well. */
function messageIn(text: string): string | undefined {
  const said: unknown = JSON.parse(text)
  return typeof said === 'object' && said !== null && 'message' in said ? String(said.message) : undefined
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done, { once: true })
  })
}
