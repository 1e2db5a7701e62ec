import { Client, cacheExchange, fetchExchange } from '@urql/core'
import { createClient, type Client as StreamClient } from 'graphql-ws'
import { backoffMs } from './backoff.ts'
import { Store } from './store.ts'

export type ConnectionState = { readonly phase: 'CONNECTING' | 'LIVE' | 'LOST'; readonly sinceMs: number; readonly attempt: number }

/** Queries and mutations go over HTTP, streams over one WebSocket that is kept up for as long as the page is open. */
export type Connection = {
  readonly queries: Client
  readonly streams: StreamClient
  readonly state: Store<ConnectionState>
  retryNow(): void
  close(): void
}

const PING_EVERY_MS = 5000
const PONG_WITHIN_MS = 4000 // a half-dead network is found out within nine seconds instead of minutes

export function openConnection(origin: string = location.origin): Connection {
  const state = new Store<ConnectionState>({ phase: 'CONNECTING', sinceMs: Date.now(), attempt: 0 })
  const move = (phase: ConnectionState['phase'], attempt: number) => {
    const now = state.get()
    if (now.phase !== phase || now.attempt !== attempt) state.set({ phase, attempt, sinceMs: now.phase === phase ? now.sinceMs : Date.now() })
  }
  let skipWait = (): void => undefined
  let socket: WebSocket | undefined
  let pongTimer: ReturnType<typeof setTimeout> | undefined
  const streams = createClient({
    url: `${origin.replace(/^http/, 'ws')}/graphql`,
    lazy: false,
    keepAlive: PING_EVERY_MS,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    retryWait: (attempt) => {
      move('LOST', attempt + 1)
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, backoffMs(attempt))
        skipWait = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    },
    onNonLazyError: () => move('LOST', state.get().attempt),
    on: {
      opened: (opened) => {
        socket = opened instanceof WebSocket ? opened : undefined
      },
      connected: () => move('LIVE', 0),
      closed: () => {
        clearTimeout(pongTimer)
        move('LOST', state.get().attempt)
      },
      ping: (received) => {
        if (!received) pongTimer = setTimeout(() => socket?.close(4408, 'No answer to a ping'), PONG_WITHIN_MS)
      },
      pong: (received) => {
        if (received) clearTimeout(pongTimer)
      },
    },
  })
  const queries = new Client({
    url: `${origin}/graphql`,
    exchanges: [cacheExchange, fetchExchange],
    preferGetMethod: false,
    requestPolicy: 'cache-and-network',
  })
  return { queries, streams, state, retryNow: () => skipWait(), close: () => void streams.dispose() }
}
