import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { type WebSocket, WebSocketServer } from 'ws'
import { messageOf } from '../../core/errors.ts'
import type { FrameTaps } from '../frames/taps.ts'
import type { FrameRequest, FrameTickets } from '../frames/ticket.ts'
import { FrameViewer } from '../frames/viewer.ts'
import { closeSockets } from './close-sockets.ts'

const MAX_PAYLOAD_BYTES = 4096 // of what a viewer says: one ticket
const POLICY_VIOLATION = 1008 // RFC 6455
const MAX_REASON_BYTES = 123 // RFC 6455: of a close frame

/** A viewer that has not answered a ping by then is cut off: it stands still, or is gone. What it may hold until then has a bound. */
const ALIVE_MS = 30_000

export interface FramesSocket extends AsyncDisposable {
  /** False for a ticket that is not good: the caller refuses the connection. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): boolean
}

export type FramesSocketOptions = { readonly tickets: FrameTickets; readonly taps: FrameTaps; readonly log: Logger; readonly aliveMs?: number }

/** Pixels for eyes, one message a frame, any number of views on one connection: docs/live-view.md. A viewer that does not keep up holds up nobody. */
export function createFramesSocket({ tickets, taps, log, aliveMs = ALIVE_MS }: FramesSocketOptions): FramesSocket {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_PAYLOAD_BYTES, perMessageDeflate: false })
  return {
    accept(request, socket, head) {
      const first = tickets.check(new URLSearchParams(request.url?.split('?')[1]).get('ticket'))
      if (first === undefined) return false
      sockets.handleUpgrade(request, socket, head, (client) => serve(client, first))
      return true
    },
    [Symbol.asyncDispose]: () => closeSockets(sockets),
  }

  function serve(socket: WebSocket, first: FrameRequest): void {
    const viewer = new FrameViewer(socket, { tickets, taps, log })
    const alive = cutOffWhenSilent(socket, aliveMs)
    socket.on('error', (error) => log.debug({ error: error.message }, 'the WebSocket of a viewer broke'))
    socket.once('close', () => {
      clearInterval(alive)
      viewer.close()
    })
    socket.on('message', (data, isBinary) => {
      try {
        if (isBinary) throw new Error('a binary message; a viewer says JSON')
        viewer.receive(String(data))
      } catch (error) {
        socket.close(POLICY_VIOLATION, messageOf(error).slice(0, MAX_REASON_BYTES))
      }
    })
    viewer.show(0, first)
  }
}

function cutOffWhenSilent(socket: WebSocket, aliveMs: number): NodeJS.Timeout {
  let answered = true
  socket.on('pong', () => {
    answered = true
  })
  return setInterval(() => {
    if (!answered) return socket.terminate()
    answered = false
    socket.ping()
  }, aliveMs)
}
