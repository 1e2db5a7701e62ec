import { Socket } from 'node:net'
import modbus from 'modbus-serial'
import { DeadlineExceeded, DeviceOffline, type Effect, HardwareFault, Problem } from '../core/errors.ts'
import { problemOf } from './exchange-queue.ts'

/** Sixteen-bit registers: the second swap point. */
export interface RegisterBus extends AsyncDisposable {
  /** Holding registers, function 3. One call is outstanding at a time; the caller sees to it. */
  read(at: number, count: number, signal: AbortSignal): Promise<readonly number[]>
  /** One holding register, function 6. */
  write(at: number, value: number, signal: AbortSignal): Promise<void>
  /** Aborted, with a DeviceOffline that says why, when the connection is lost or closed. */
  readonly lost: AbortSignal
}

export type TcpOptions = { readonly host: string; readonly port: number; readonly unit: number; readonly timeoutMs: number }

const CONNECT_TIMEOUT_MS = 3000 // a PLC on the same network answers in milliseconds; an absent one must not hold the station

/** The socket is ours, not the library's: after a reset the library's own `close` event never comes. */
export async function connectModbus(options: TcpOptions, signal: AbortSignal): Promise<RegisterBus> {
  const where = `${options.host}:${options.port}`
  const socket = new Socket()
  const lost = new AbortController()
  const lose = (why: string): void => {
    if (!lost.signal.aborted) lost.abort(new DeviceOffline(`${where}: ${why}`, {}))
    socket.destroy()
  }
  socket.on('error', (error) => lose(error.message))
  socket.on('close', () => lose('the connection was closed'))
  await connected(socket, options, lose, lost.signal, signal)
  const client = new modbus.default()
  client.on('error', (error) => lose(String(error)))
  await client.linkTCP(socket, { port: options.port })
  client.setID(options.unit)
  client.setTimeout(options.timeoutMs)

  const call = async <T>(what: string, effect: Effect, request: () => Promise<T>, caller: AbortSignal): Promise<T> => {
    if (lost.signal.aborted) throw lost.signal.reason
    if (caller.aborted) throw problemOf(caller, 'NONE')
    try {
      return await untilAborted(request(), [lost.signal, caller], effect)
    } catch (error) {
      throw problemOfModbus(error, what, options.timeoutMs, effect)
    }
  }
  return {
    lost: lost.signal,
    read: async (at, count, caller) => {
      const { data } = await call(`reading registers ${at} to ${at + count - 1}`, 'NONE', () => client.readHoldingRegisters(at, count), caller)
      return data
    },
    write: async (at, value, caller) => {
      await call(`writing ${value} to register ${at}`, 'POSSIBLE', () => client.writeRegister(at, value), caller)
    },
    [Symbol.asyncDispose]: async () => lose('closed'),
  }
}

async function connected(socket: Socket, options: TcpOptions, lose: (why: string) => void, lost: AbortSignal, signal: AbortSignal): Promise<void> {
  const timer = setTimeout(() => lose(`did not answer within ${CONNECT_TIMEOUT_MS} ms`), CONNECT_TIMEOUT_MS)
  const onAbort = (): void => lose('given up')
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    if (signal.aborted) lose('given up')
    await untilAborted(
      new Promise<void>((resolve) => {
        socket.once('connect', resolve)
        if (!lost.aborted) socket.connect({ host: options.host, port: options.port, noDelay: true, keepAlive: true })
      }),
      [lost],
      'NONE',
    )
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
  }
}

/** The promise, or the first signal's problem. */
async function untilAborted<T>(promise: Promise<T>, signals: readonly AbortSignal[], effect: Effect): Promise<T> {
  const listening: (() => void)[] = []
  try {
    return await new Promise<T>((resolve, reject) => {
      for (const signal of signals) {
        const onAbort = (): void => reject(problemOf(signal, effect === 'NONE' ? 'NONE' : 'POSSIBLE'))
        if (signal.aborted) onAbort()
        signal.addEventListener('abort', onAbort, { once: true })
        listening.push(() => signal.removeEventListener('abort', onAbort))
      }
      promise.then(resolve, reject)
    })
  } finally {
    for (const stop of listening) stop()
  }
}

/** An exception code is the PLC's own word that it did nothing; silence is not. */
function problemOfModbus(error: unknown, what: string, timeoutMs: number, effect: Effect): Problem {
  if (error instanceof Problem) return error.code === 'DEVICE_OFFLINE' ? error.with({ effect }) : error
  const { message, errno, modbusCode } = (typeof error === 'object' && error !== null ? error : { message: String(error) }) as {
    readonly message?: string
    readonly errno?: string
    readonly modbusCode?: number
  }
  if (errno === 'ETIMEDOUT') return new DeadlineExceeded(`${what}: no answer within ${timeoutMs} ms`, timeoutMs, effect)
  if (modbusCode !== undefined) return new HardwareFault(`${what}: ${message}`, 'NONE', { instrumentCode: String(modbusCode) })
  return new HardwareFault(`${what}: ${message ?? 'failed'}`, effect)
}
