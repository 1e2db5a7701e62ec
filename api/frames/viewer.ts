import type { Logger } from 'pino'
import type { WebSocket } from 'ws'
import { messageOf } from '../../core/errors.ts'
import { MAX_PICTURE_BYTES } from '../../link/protocol.ts'
import type { TappedFrame } from './follow.ts'
import { encodeHeader, FRAME_HEADER_BYTES } from './header.ts'
import type { FrameTaps } from './taps.ts'
import type { FrameRequest, FrameTickets } from './ticket.ts'

const FRAMES_WAITING = 4 // of each view: for eyes the newest counts, so that only a few may wait for a viewer
const MIN_BUFFER_BYTES = 2 * 1024 * 1024 // a short pause of its network costs no small frames
const MAX_BUFFER_BYTES = 64 * 1024 * 1024 // what one viewer of many large ones may cost an api
const SKIP_ABOVE = 0.75
/** A page with this many pictures is full; each costs the station a tap of its own, unless others look at the same. */
export const MAX_VIEWS = 16

/** What a viewer may say: the ticket of a view to begin, or to put in the place of the one of that number; without a ticket the view ends. */
type Wish = { readonly view: number; readonly ticket?: string }
/** What it is told, each before the first frame that follows from it. */
type Answer =
  | { readonly view: number; readonly state: 'OPEN' | 'CLOSED' }
  | { readonly view: number; readonly state: 'WAITING' | 'REFUSED'; readonly message: string }

type Shown = {
  readonly stop: () => void
  /** Of its newest frame. */
  readonly bytes: () => number
}

/** One connection, with the views that it asked for. It skips frames when it is slow, for itself alone, and counts them. */
export class FrameViewer {
  readonly #socket: WebSocket
  readonly #tickets: FrameTickets
  readonly #taps: FrameTaps
  readonly #log: Logger
  readonly #shown = new Map<number, Shown>()

  constructor(socket: WebSocket, { tickets, taps, log }: { readonly tickets: FrameTickets; readonly taps: FrameTaps; readonly log: Logger }) {
    this.#socket = socket
    this.#tickets = tickets
    this.#taps = taps
    this.#log = log
  }

  /** Takes the place of what view `number` showed. */
  show(number: number, request: FrameRequest): void {
    this.#shown.get(number)?.stop()
    let skipped = 0
    let bytes = 0
    let waitsFor: string | undefined
    this.#tell({ view: number, state: 'OPEN' })
    const stop = this.#taps.watch(request, {
      frame: ({ header, pixels }) => {
        if (waitsFor !== undefined) this.#tell({ view: number, state: 'OPEN' })
        waitsFor = undefined
        bytes = FRAME_HEADER_BYTES + pixels.byteLength
        if (this.#isFull()) skipped += 1
        else this.#send({ header, pixels }, number, skipped)
      },
      waiting: (message) => {
        if (message !== waitsFor) this.#tell({ view: number, state: 'WAITING', message })
        waitsFor = message
      },
    })
    this.#shown.set(number, { stop, bytes: () => bytes })
  }

  /** A text message of the viewer. One that is none of ours ends the connection, by the caller: it throws. */
  receive(text: string): void {
    if (this.#socket.bufferedAmount > MAX_BUFFER_BYTES + MAX_PICTURE_BYTES) throw new Error('what it is told is not read')
    const wish = parseWish(text)
    if (wish.ticket === undefined) {
      this.#shown.get(wish.view)?.stop()
      this.#shown.delete(wish.view)
      return this.#tell({ view: wish.view, state: 'CLOSED' })
    }
    const request = this.#tickets.check(wish.ticket)
    if (request === undefined) return this.#refuse(wish.view, 'the ticket is not good, or too old: ask Camera.ticket for another')
    if (!this.#shown.has(wish.view) && this.#shown.size >= MAX_VIEWS) return this.#refuse(wish.view, `${MAX_VIEWS} views are open on this connection already`)
    this.show(wish.view, request)
  }

  close(): void {
    for (const { stop } of this.#shown.values()) stop()
    this.#shown.clear()
  }

  #isFull(): boolean {
    const ofEach = [...this.#shown.values()].reduce((sum, { bytes }) => sum + bytes(), 0)
    const room = Math.min(MAX_BUFFER_BYTES, Math.max(MIN_BUFFER_BYTES, FRAMES_WAITING * ofEach))
    return this.#socket.bufferedAmount > SKIP_ABOVE * room
  }

  /** One message in two fragments: the pixels are the same bytes for every viewer, not a copy each. */
  #send({ header, pixels }: TappedFrame, view: number, skipped: number): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    this.#socket.send(encodeHeader(header, view, skipped), { fin: false, binary: true })
    this.#socket.send(pixels, { fin: true, binary: true })
  }

  #refuse(view: number, message: string): void {
    this.#log.debug({ view, message }, 'a view of frames was refused')
    this.#tell({ view, state: 'REFUSED', message })
  }

  #tell(answer: Answer): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(answer))
  }
}

function parseWish(text: string): Wish {
  let said: unknown
  try {
    said = JSON.parse(text)
  } catch (error) {
    throw new Error(`a message that is no JSON: ${messageOf(error)}`, { cause: error })
  }
  const { view, ticket = undefined } = (typeof said === 'object' && said !== null ? said : {}) as { readonly view?: unknown; readonly ticket?: unknown }
  if (!Number.isInteger(view) || Number(view) < 0 || Number(view) > MAX_VIEW_NUMBER) throw new Error(`view: a whole number from 0 to ${MAX_VIEW_NUMBER}`)
  if (ticket !== undefined && typeof ticket !== 'string') throw new Error('ticket: a text, or absent to end the view')
  return { view: Number(view), ...(ticket !== undefined && { ticket }) }
}

const MAX_VIEW_NUMBER = 0xffff // what the header has room for
