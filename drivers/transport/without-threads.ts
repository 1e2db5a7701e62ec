import { readSync, writeSync } from 'node:fs'

/** What a port of Linux or macOS is made of; one of Windows is another thing. */
type PolledPort = {
  /** Non-blocking; null once it is closed. */
  readonly fd: number | null
  /** Closing ends what waits, with an error that has `canceled`. */
  readonly poller: { once(event: 'readable', listener: (error: Error | null) => void): unknown }
  read(buffer: Buffer, offset: number, length: number): Promise<{ readonly buffer: Buffer; readonly bytesRead: number }>
  write(buffer: Buffer): Promise<void>
}

const NOT_NOW = new Set(['EAGAIN', 'EWOULDBLOCK', 'EINTR'])

/**
 * Lets an opened serial port read and write where it stands, when the kernel says that it can. By itself it sends a thread of the pool for each, and for what an
 * instrument says twice, the first time to find nothing: that was most of what an idle station did, and a stop waited behind every slow use of the pool.
 */
export function withoutThreads(port: object | undefined): void {
  if (!isPolled(port)) return
  const writeLater = port.write.bind(port)
  port.read = async (buffer, offset, length) => {
    for (;;) {
      await readable(port)
      const bytesRead = now(() => readSync(opened(port), buffer, offset, length, null))
      if (bytesRead > 0) return { buffer, bytesRead }
    }
  }
  port.write = async (buffer) => {
    const written = now(() => writeSync(opened(port), buffer))
    if (written < buffer.length) await writeLater(buffer.subarray(written)) // the line is slow, or its flow is held
  }
}

function isPolled(port: object | undefined): port is PolledPort {
  return port !== undefined && 'poller' in port && 'fd' in port
}

function readable(port: PolledPort): Promise<void> {
  return new Promise((resolve, reject) => {
    opened(port)
    port.poller.once('readable', (error) => (error === null ? resolve() : reject(error)))
  })
}

/** `canceled`: the stream takes it for no loss. */
function opened({ fd }: PolledPort): number {
  if (fd === null) throw Object.assign(new Error('the port is closed'), { canceled: true })
  return fd
}

/** 0 where it cannot be done now. */
function now(transfer: () => number): number {
  try {
    return transfer()
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOT_NOW.has(String(error.code))) return 0
    throw error
  }
}
