import { connect } from 'node:net'
import { DeviceOffline, messageOf } from '../../core/errors.ts'
import type { ByteTransport } from './byte-transport.ts'

const CONNECT_WITHIN_MS = 5000 // an instrument on the same network answers in milliseconds
const KEEP_ALIVE_AFTER_MS = 5000 // then the kernel probes, so that a connection whose other end has vanished is found out

/** A byte transport that can also be given up by its user. */
export interface TcpTransport extends ByteTransport {
  lose(why: string): void
}

/** A raw TCP connection. Nagle's delay is off: instruments answer one short message after the other. */
export async function openTcp(place: { readonly host: string; readonly port: number }, signal: AbortSignal): Promise<TcpTransport> {
  const name = `tcp://${place.host.includes(':') ? `[${place.host}]` : place.host}:${place.port}`
  const offline = (why: string) => new DeviceOffline(`${name}: ${why}`, {})
  signal.throwIfAborted()
  const socket = connect({ host: place.host, port: place.port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_AFTER_MS })
  const lost = new AbortController()
  const lose = (why: string): void => {
    if (!lost.signal.aborted) lost.abort(offline(why))
    socket.destroy()
  }
  socket.on('error', (error) => lose(messageOf(error)))
  socket.on('end', () => lose('the other end closed the connection'))
  socket.on('close', () => lose('closed'))
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => lose(`did not answer within ${CONNECT_WITHIN_MS} ms`), CONNECT_WITHIN_MS)
    const onAbort = (): void => lose('given up')
    const finish = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      lost.signal.removeEventListener('abort', onLost)
    }
    const onLost = (): void => {
      finish()
      reject(lost.signal.reason)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    lost.signal.addEventListener('abort', onLost, { once: true })
    socket.once('connect', () => {
      finish()
      resolve()
    })
  })

  return {
    lost: lost.signal,
    lose,
    onBytes: (listener) => {
      socket.removeAllListeners('data')
      socket.on('data', listener)
    },
    write: (bytes) =>
      new Promise((resolve, reject) => {
        if (lost.signal.aborted) return reject(lost.signal.reason)
        socket.write(bytes, (error) => {
          if (error) reject(lost.signal.aborted ? lost.signal.reason : offline(messageOf(error)))
          else resolve()
        })
      }),
    [Symbol.asyncDispose]: async () => {
      if (!lost.signal.aborted) lost.abort(offline('closed'))
      if (socket.closed) return
      await new Promise<void>((resolve) => {
        socket.once('close', () => resolve())
        socket.destroy()
      })
    },
  }
}
