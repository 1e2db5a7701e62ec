import { connect } from 'node:net'
import { DeadlineExceeded, type Problem, problemFromRecord, StationOffline } from '../core/errors.ts'
import { type Connection, messageConnection } from './connection.ts'
import { type CallName, type ClientMessage, HELLO_DEADLINE_MS, type Hello, type ServerMessage, STREAM_WINDOW, type StreamName } from './protocol.ts'

/** One of the two connections of a link, from the api's side, after the welcome. */
export interface Lane {
  /** Resolves with the reason when the connection is gone. */
  readonly lost: Promise<string>
  call(name: CallName, params: unknown, timeoutMs: number, signal: AbortSignal | undefined): Promise<unknown>
  stream(name: StreamName, params: unknown, signal: AbortSignal): AsyncGenerator<unknown, void, void>
  close(reason: string): void
}

type Peer = { readonly stationId: string; readonly token: string }
type Incoming = Exclude<ServerMessage, { readonly type: 'welcome' }> | { readonly type: 'lost'; readonly reason: string }

export async function openLane(path: string, lane: Hello['lane'], peer: Peer, signal: AbortSignal): Promise<Lane> {
  const receivers = new Map<number, (message: Incoming) => void>()
  const connection = await greet(path, { type: 'hello', protocol: 1, token: peer.token, lane }, peer.stationId, signal, (message) =>
    receivers.get(message.id)?.(message),
  )
  let lastId = 0

  const lost = new Promise<string>((resolve) => {
    whenClosed(connection, (reason) => {
      for (const receive of [...receivers.values()]) receive({ type: 'lost', reason })
      receivers.clear()
      resolve(reason)
    })
  })

  return {
    lost,
    close: (reason) => connection.close(new Error(reason)),

    async call(name, params, timeoutMs, callSignal) {
      refuseIfClosed()
      const id = ++lastId
      let timer: NodeJS.Timeout | undefined
      let onAbort: (() => void) | undefined
      try {
        return await new Promise<unknown>((resolve, reject) => {
          const giveUp = (reason: unknown): void => {
            send({ type: 'cancel', id })
            reject(reason)
          }
          onAbort = () => giveUp(callSignal?.reason)
          callSignal?.addEventListener('abort', onAbort, { once: true })
          timer = setTimeout(() => giveUp(new DeadlineExceeded(`the station did not answer ${name} within ${timeoutMs} ms`, timeoutMs, 'POSSIBLE')), timeoutMs)
          receivers.set(id, (message) => {
            if (message.type === 'result') resolve(message.result)
            else if (message.type === 'problem') reject(problemFromRecord(message.problem))
            else if (message.type === 'lost') reject(offline(`the connection was lost before the station answered ${name}: ${message.reason}`, 'POSSIBLE'))
          })
          send({ type: 'call', id, name, params })
        })
      } finally {
        clearTimeout(timer)
        if (onAbort !== undefined) callSignal?.removeEventListener('abort', onAbort)
        receivers.delete(id)
      }
    },

    async *stream(name, params, streamSignal) {
      refuseIfClosed()
      if (streamSignal.aborted) return
      const id = ++lastId
      // At most STREAM_WINDOW items wait here: the station sends no more before it hears that some are taken.
      const waiting: Incoming[] = []
      let wake = (): void => undefined
      let untold = 0
      const onAbort = (): void => wake()
      receivers.set(id, (message) => {
        waiting.push(message)
        wake()
      })
      streamSignal.addEventListener('abort', onAbort, { once: true })
      send({ type: 'open', id, name, params })
      try {
        while (!streamSignal.aborted) {
          const message = waiting.shift()
          if (message === undefined) {
            await new Promise<void>((resolve) => {
              wake = resolve
            })
            continue
          }
          if (message.type === 'lost') throw offline(`the connection to the station was lost: ${message.reason}`, 'NONE')
          if (message.type === 'end' && message.problem !== undefined) throw problemFromRecord(message.problem)
          if (message.type !== 'item') return
          yield message.item
          untold += 1
          if (untold >= STREAM_WINDOW[name] / 2) {
            send({ type: 'taken', id, count: untold })
            untold = 0
          }
        }
      } finally {
        streamSignal.removeEventListener('abort', onAbort)
        if (receivers.delete(id)) send({ type: 'close', id })
      }
    },
  }

  function send(message: ClientMessage): void {
    connection.send(message)
  }

  function refuseIfClosed(): void {
    if (connection.closed.aborted) throw offline(`the connection to the station was lost: ${reasonOf(connection)}`, 'NONE')
  }

  function offline(message: string, effect: 'NONE' | 'POSSIBLE'): Problem {
    return new StationOffline(message, { stationId: peer.stationId, effect })
  }
}

/** Connects, says hello, and resolves once the right station has said welcome. */
async function greet(
  path: string,
  hello: Hello,
  stationId: string,
  signal: AbortSignal,
  receive: (message: Exclude<ServerMessage, { readonly type: 'welcome' }>) => void,
): Promise<Connection> {
  signal.throwIfAborted()
  return await new Promise<Connection>((resolve, reject) => {
    const connection = messageConnection(connect(path), (message) => {
      const said = message as ServerMessage
      if (said.type !== 'welcome') return receive(said)
      if (said.stationId !== stationId) return connection.close(new Error(`${path} is station ${said.name} (${said.stationId}), not ${stationId}`))
      clearTimeout(deadline)
      resolve(connection)
    })
    const deadline = setTimeout(() => connection.close(new Error(`${path} said no welcome within ${HELLO_DEADLINE_MS} ms`)), HELLO_DEADLINE_MS)
    const onAbort = (): void => connection.close(new Error('closed by this side'))
    signal.addEventListener('abort', onAbort, { once: true })
    whenClosed(connection, (reason) => {
      clearTimeout(deadline)
      signal.removeEventListener('abort', onAbort)
      reject(new Error(reason))
    })
    connection.send(hello)
  })
}

function whenClosed(connection: Connection, then: (reason: string) => void): void {
  const tell = (): void => then(reasonOf(connection))
  if (connection.closed.aborted) tell()
  else connection.closed.addEventListener('abort', tell, { once: true })
}

function reasonOf({ closed }: Connection): string {
  return closed.reason instanceof Error ? closed.reason.message : String(closed.reason)
}
