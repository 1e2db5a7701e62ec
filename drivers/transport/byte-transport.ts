import { SerialPort } from 'serialport'
import { DeviceOffline, type Problem } from '../../core/errors.ts'
import { withoutThreads } from './without-threads.ts'

/** Bytes both ways: the first swap point. A serial port here; a test gives a pair in memory. */
export interface ByteTransport extends AsyncDisposable {
  /** Resolves when the operating system has the bytes. Calls keep their order. */
  write(bytes: Uint8Array): Promise<void>
  /** One listener; bytes that come before there is one are dropped. */
  onBytes(listener: (bytes: Uint8Array) => void): void
  /** Aborted, with a DeviceOffline that says why, when the port is lost or closed. */
  readonly lost: AbortSignal
}

export type FlowControl = 'hardware' | 'software' | 'none'
export type SerialOptions = {
  readonly path: string
  readonly baudRate: number
  /** RTS/CTS, XON/XOFF or none. */
  readonly flowControl: FlowControl
  /** Default 8. */
  readonly dataBits?: 7 | 8
  /** Default none. */
  readonly parity?: 'none' | 'even' | 'odd'
  /** Default 1. */
  readonly stopBits?: 1 | 2
}

const LOOK_EVERY_MS = 500 // whether the port is still there; while it is gone, its reader asks again and again
const HUNG_UP = /input\/output error/i // EIO: what the kernel answers for a line that hung up, and for no other

const OPEN_TIMEOUT_MS = 5000 // opening a port is immediate; a driver that hangs must not hold the station

/** Exclusive (flock): two owners of one line would read each other's replies. */
export async function openSerial(options: SerialOptions, signal: AbortSignal): Promise<ByteTransport> {
  signal.throwIfAborted()
  const port = new SerialPort({
    path: options.path,
    baudRate: options.baudRate,
    dataBits: options.dataBits ?? 8,
    parity: options.parity ?? 'none',
    stopBits: options.stopBits ?? 1,
    rtscts: options.flowControl === 'hardware',
    xon: options.flowControl === 'software',
    xoff: options.flowControl === 'software',
    autoOpen: false,
  })
  const lost = new AbortController()
  let watch: NodeJS.Timeout | undefined
  const lose = (why: string): void => {
    clearInterval(watch)
    if (!lost.signal.aborted) lost.abort(offline(`${options.path}: ${why}`))
  }
  // Without an error listener an unplugged port ends the process.
  port.on('error', (error) => lose(error.message))
  port.on('close', (error: Error | null) => lose(error?.message ?? 'closed'))
  await settled((done) => port.open(done), options.path, signal)
  withoutThreads(port.port)
  // What the instrument said before we were here is nobody's reply.
  await settled((done) => port.flush(done), options.path, signal)
  // A port that goes between two reads reads as empty for ever, and nobody says that it went: the modem lines tell.
  watch = setInterval(() => {
    port.get((error) => {
      if (error === null || !HUNG_UP.test(error.message)) return
      lose('the port is gone')
      if (port.isOpen) port.close()
    })
  }, LOOK_EVERY_MS)

  return {
    lost: lost.signal,
    onBytes: (listener) => {
      port.removeAllListeners('data')
      port.on('data', listener)
    },
    write: (bytes) =>
      new Promise((resolve, reject) => {
        if (lost.signal.aborted) return reject(lost.signal.reason)
        const onLost = (): void => reject(lost.signal.reason)
        lost.signal.addEventListener('abort', onLost, { once: true })
        port.write(bytes, (error) => {
          lost.signal.removeEventListener('abort', onLost)
          if (error) reject(offline(`${options.path}: ${error.message}`))
          else resolve()
        })
      }),
    [Symbol.asyncDispose]: async () => {
      lose('closed')
      if (port.isOpen) await new Promise<void>((resolve) => port.close(() => resolve()))
    },
  }
}

function offline(message: string): Problem {
  return new DeviceOffline(message, {})
}

/** A callback of the port as a promise with a deadline. */
async function settled(start: (done: (error: Error | null) => void) => void, path: string, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => finish(new Error(`did not open within ${OPEN_TIMEOUT_MS} ms`)), OPEN_TIMEOUT_MS)
    const onAbort = (): void => finish(new Error('given up'))
    const finish = (error: Error | null): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      if (error) reject(offline(`${path}: ${error.message}`))
      else resolve()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    start(finish)
  })
}
