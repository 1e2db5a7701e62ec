import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { asProblem, InvalidValue, NotFound, Problem } from '../core/errors.ts'
import { socketPath } from './address.ts'
import { CannotStart } from './child.ts'
import { type Connection, messageConnection } from './connection.ts'
import {
  type CallName,
  type ClientMessage,
  HELLO_DEADLINE_MS,
  type Hello,
  type LinkHandler,
  type ServerMessage,
  STREAM_WINDOW,
  type StreamName,
  type Welcome,
} from './protocol.ts'

export type LinkServerOptions = {
  /** unix:<path>. */
  readonly address: string
  readonly token: string
  readonly station: Omit<Welcome, 'type'>
  readonly handler: LinkHandler
  readonly log: (line: string) => void
}

const MAX_CONNECTIONS = 64 // two for each api; thirty api processes before one station is a mistake
const MAX_OPEN = 4096 // calls and streams under way on one connection; each has a deadline or a reader behind it
const SOCKET_MODE = 0o600 // the token is the second lock, the file's mode the first

/** Listens for apis. The token must be said first; calls and streams of all connections are served side by side. */
export async function listenForLinks(options: LinkServerOptions): Promise<AsyncDisposable> {
  const path = socketPath(options.address)
  await removeAbandonedSocket(options.address)
  const peers = new Map<Socket, Connection>()
  const server = createServer((socket) => {
    const connection = serve(socket, options)
    peers.set(socket, connection)
    socket.on('close', () => peers.delete(socket))
  })
  server.maxConnections = MAX_CONNECTIONS
  server.listen(path)
  await once(server, 'listening')
  await chmod(path, SOCKET_MODE)
  return {
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const connection of peers.values()) connection.close(new Error('the station stops'))
      await closed
    },
  }
}

/** A socket file that nobody answers on is left over from a killed station; one that answers belongs to a living one: CannotStart. */
export async function removeAbandonedSocket(address: string): Promise<void> {
  const path = socketPath(address)
  const probe = connect(path)
  const answered = await new Promise<boolean>((resolve) => {
    probe.once('connect', () => resolve(true))
    probe.once('error', () => resolve(false))
  })
  probe.destroy()
  if (answered) throw new CannotStart(`another station already listens on ${path}`)
  await rm(path, { force: true })
}

function serve(socket: Socket, options: LinkServerOptions): Connection {
  let lane: Hello['lane'] | undefined
  const work = new Map<number, Work>()
  const connection = messageConnection(socket, (message) => {
    if (lane === undefined) lane = greet(message)
    else receive(message as ClientMessage)
  })
  const unknown = setTimeout(() => connection.close(new Error(`no hello within ${HELLO_DEADLINE_MS} ms`)), HELLO_DEADLINE_MS)
  connection.closed.addEventListener('abort', () => {
    clearTimeout(unknown)
    for (const { controller } of work.values()) controller.abort(connection.closed.reason)
    if (lane === undefined) options.log(`refused a connection to the station link: ${describe(connection.closed.reason)}`)
  })
  return connection

  function send(message: ServerMessage): void {
    connection.send(message)
  }

  function greet(message: unknown): Hello['lane'] | undefined {
    const hello = message as Partial<Hello> | null
    if (hello?.type !== 'hello' || hello.protocol !== 1 || (hello.lane !== 'calls' && hello.lane !== 'streams') || !sameText(hello.token, options.token)) {
      connection.close(new Error('the hello was not that of this lab'))
      return undefined
    }
    clearTimeout(unknown)
    send({ type: 'welcome', ...options.station })
    return hello.lane
  }

  function receive(message: ClientMessage): void {
    if (typeof message !== 'object' || message === null || !('id' in message) || !Number.isSafeInteger(message.id))
      return connection.close(new Error('a message that is none of the link'))
    switch (message.type) {
      case 'call':
      case 'open': {
        const { id, name, params } = message
        if (work.has(id)) return connection.close(new Error(`the number ${id} is in use`))
        const problem = refusal(message)
        if (problem !== undefined) return send({ type: message.type === 'call' ? 'problem' : 'end', id, problem: problem.toRecord() })
        const entry = newWork()
        work.set(id, entry)
        const ending = message.type === 'call' ? answer(id, name as CallName, params, entry) : pump(id, name as StreamName, params, entry)
        void ending.finally(() => work.delete(id))
        return
      }
      case 'taken':
        return work.get(message.id)?.taken(message.count)
      case 'cancel':
      case 'close':
        return work.get(message.id)?.controller.abort(new Error('the caller gave up'))
      default:
        return connection.close(new Error('a message that is none of the link'))
    }
  }

  function refusal(message: { readonly type: 'call' | 'open'; readonly name: string }): Problem | undefined {
    if (work.size >= MAX_OPEN)
      return new Problem('LIMIT_EXCEEDED', `${MAX_OPEN} calls and streams are open on this connection already`, { limit: `${MAX_OPEN} open` })
    if (message.type === 'call' ? lane !== 'calls' : lane !== 'streams') return new InvalidValue(`${message.name} belongs on the other lane`, ['lane'])
    const offered = message.type === 'call' ? options.handler.calls : options.handler.streams
    return Object.hasOwn(offered, message.name) ? undefined : new NotFound(`${message.type === 'call' ? 'call' : 'stream'} ${message.name} on this station`)
  }

  async function answer(id: number, name: CallName, params: unknown, { controller }: Work): Promise<void> {
    try {
      const call = options.handler.calls[name] as (params: unknown, signal: AbortSignal) => Promise<unknown>
      send({ type: 'result', id, result: await call(params, controller.signal) })
    } catch (error) {
      send({ type: 'problem', id, problem: asProblem(error).toRecord() })
    }
  }

  async function pump(id: number, name: StreamName, params: unknown, entry: Work): Promise<void> {
    const { signal } = entry.controller
    try {
      const open = options.handler.streams[name] as (params: unknown, signal: AbortSignal) => AsyncIterable<unknown>
      let window = STREAM_WINDOW[name]
      for await (const item of open(params, signal)) {
        if (signal.aborted) return
        send({ type: 'item', id, item })
        window -= 1
        // The next item is only asked for when the reader and the socket can take it, so that the source's own bounds apply.
        while (window <= 0) window += await entry.credit()
        await connection.drained(signal)
      }
      send({ type: 'end', id })
    } catch (error) {
      if (!signal.aborted) send({ type: 'end', id, problem: asProblem(error, 'NONE').toRecord() })
    }
  }
}

/** One call or stream under way. */
type Work = {
  readonly controller: AbortController
  taken(count: number): void
  /** Waits until the reader has taken at least one item, and says how many since the last time. */
  credit(): Promise<number>
}

function newWork(): Work {
  const controller = new AbortController()
  let taken = 0
  let wake = (): void => undefined
  controller.signal.addEventListener('abort', () => wake())
  return {
    controller,
    taken(count) {
      if (!Number.isSafeInteger(count) || count < 1) return
      taken += count
      wake()
    },
    async credit() {
      while (taken === 0) {
        controller.signal.throwIfAborted()
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const count = taken
      taken = 0
      return count
    },
  }
}

function sameText(given: unknown, expected: string): boolean {
  if (typeof given !== 'string') return false
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function describe(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason)
}
