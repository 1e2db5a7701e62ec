import type { Client } from 'urql'
import { decodeFrame, type Frame } from '../../model/frame-header.ts'
import { backoffMs } from '../../state/backoff.ts'
import { TICKET } from './documents.ts'

export type FrameSink = { readonly frame: (frame: Frame) => void; readonly problem: (message: string | undefined) => void }

const PREVIEW_RATE_HZ = 30

/** Frames of one camera over the binary WebSocket, with a new ticket for every connection, until the signal aborts. */
export async function followFrames(client: Client, deviceId: string, sink: FrameSink, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const { data, error } = await client
      .query(TICKET, { id: deviceId, quality: 'PREVIEW', maxRateHz: PREVIEW_RATE_HZ }, { requestPolicy: 'network-only' })
      .toPromise()
    const ticket = data?.device?.camera?.ticket
    if (signal.aborted) return
    if (ticket === undefined) sink.problem(error?.graphQLErrors[0]?.message ?? error?.message ?? 'The camera gives no frames now.')
    else {
      const seen = await readSocket(ticket.url, ticket.protocol, sink, signal)
      if (seen > 0) attempt = 0
    }
    if (!signal.aborted) await pause(backoffMs(attempt), signal)
  }
}

/** How many frames came before the socket closed. */
function readSocket(url: string, protocol: string, sink: FrameSink, signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    let seen = 0
    const address = new URL(url, location.href)
    if (address.protocol.startsWith('http')) address.protocol = address.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = protocol === '' ? new WebSocket(address) : new WebSocket(address, protocol)
    socket.binaryType = 'arraybuffer'
    const close = () => socket.close()
    signal.addEventListener('abort', close, { once: true })
    socket.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer)) return
      try {
        sink.frame(decodeFrame(data))
        seen += 1
        sink.problem(undefined)
      } catch (error) {
        sink.problem(error instanceof Error ? error.message : 'A frame could not be read.')
      }
    }
    socket.onclose = ({ reason }) => {
      signal.removeEventListener('abort', close)
      if (!signal.aborted && reason !== '') sink.problem(reason)
      resolve(seen)
    }
  })
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
