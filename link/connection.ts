import type { Socket } from 'node:net'
import { encodeParts, MessageReader } from './codec.ts'
import { MAX_MESSAGE_BYTES } from './protocol.ts'

/** One socket of the link, as messages. Both ends use it. */
export interface Connection {
  /** What is sent within one turn of the event loop leaves in one write. */
  send(message: unknown): void
  /** Resolves at once unless the socket holds more than it should; rejects when it closes or the signal fires. */
  drained(signal: AbortSignal): Promise<void>
  /** Aborted when the socket is gone; its reason says why. */
  readonly closed: AbortSignal
  close(reason: Error): void
}

/** Unsent bytes beyond which senders that can wait do (streams). The kernel's own buffer comes before it. */
const HIGH_WATER_BYTES = 1024 * 1024
/** A peer that lets this much pile up is not reading: answers cannot wait, so the connection is given up. */
const MAX_UNSENT_BYTES = 4 * MAX_MESSAGE_BYTES

export function messageConnection(socket: Socket, receive: (message: unknown) => void): Connection {
  const closed = new AbortController()
  const reader = new MessageReader(MAX_MESSAGE_BYTES)
  let waiting: (() => void)[] = []
  let corked = false

  const close = (reason: Error): void => {
    if (closed.signal.aborted) return
    closed.abort(reason)
    socket.destroy()
    wake()
  }
  const wake = (): void => {
    const woken = waiting
    waiting = []
    for (const resolve of woken) resolve()
  }

  socket.on('data', (chunk: Buffer) => {
    try {
      for (const message of reader.push(chunk)) {
        if (closed.signal.aborted) return
        receive(message)
      }
    } catch (error) {
      close(error instanceof Error ? error : new Error(String(error)))
    }
  })
  socket.on('drain', wake)
  socket.on('error', close)
  socket.on('close', () => close(new Error('the other side closed the connection')))

  return {
    closed: closed.signal,
    close,
    send(message) {
      if (closed.signal.aborted) return
      if (!corked) {
        corked = true
        socket.cork()
        queueMicrotask(() => {
          corked = false
          socket.uncork()
        })
      }
      for (const part of encodeParts(message)) socket.write(part)
      if (socket.writableLength > MAX_UNSENT_BYTES) close(new Error(`the other side left ${socket.writableLength} bytes unread`))
    },
    async drained(signal) {
      while (socket.writableLength > HIGH_WATER_BYTES) {
        closed.signal.throwIfAborted()
        signal.throwIfAborted()
        await new Promise<void>((resolve) => {
          const done = (): void => {
            signal.removeEventListener('abort', done)
            resolve()
          }
          signal.addEventListener('abort', done, { once: true })
          waiting.push(done)
        })
      }
      closed.signal.throwIfAborted()
      signal.throwIfAborted()
    },
  }
}
