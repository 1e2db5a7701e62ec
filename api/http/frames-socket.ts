import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { type WebSocket, WebSocketServer } from 'ws'
import { encodeFrame, FRAME_HEADER_BYTES } from '../frames/header.ts'
import type { FrameTaps } from '../frames/taps.ts'
import type { FrameTickets, FrameView } from '../frames/ticket.ts'
import { closeSockets } from './close-sockets.ts'

/** Bytes that may wait for one viewer: two frames of a large camera. Beyond three quarters of it frames are skipped for this viewer, and counted. */
const VIEWER_BUFFER_BYTES = 16 * 1024 * 1024
const SKIP_ABOVE = 0.75
const MAX_PAYLOAD_BYTES = 1024 // a viewer says nothing

export interface FramesSocket extends AsyncDisposable {
  /** False for a ticket that is not good: the caller refuses the connection. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
}

/** Pixels for eyes, one message a frame (frames/header.ts). A viewer that does not keep up sees fewer frames and holds up nobody. */
export function createFramesSocket(tickets: FrameTickets, taps: FrameTaps, log: Logger): FramesSocket {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_PAYLOAD_BYTES, perMessageDeflate: false })
  return {
    accept(request, socket, head) {
      const view = tickets.check(new URLSearchParams(request.url?.split('?')[1]).get('ticket'))
      if (view === undefined) return false
      sockets.handleUpgrade(request, socket, head, (client) => show(client, view))
      return true
    },
    [Symbol.asyncDispose]: () => closeSockets(sockets),
  }

  function show(socket: WebSocket, view: FrameView): void {
    let skipped = 0
    const unwatch = taps.watch(view, ({ header, pixels }) => {
      if (socket.readyState !== socket.OPEN) return
      if (socket.bufferedAmount + FRAME_HEADER_BYTES + pixels.byteLength > VIEWER_BUFFER_BYTES * SKIP_ABOVE && socket.bufferedAmount > 0) {
        skipped += 1
        return
      }
      socket.send(encodeFrame(header, pixels, skipped))
    })
    socket.on('error', (error) => log.debug({ error: error.message }, 'the WebSocket of a viewer broke'))
    socket.once('close', unwatch)
  }
}
