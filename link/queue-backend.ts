import type { JobsOptions } from 'bullmq'
import { createPostgresBackend, Queue, Worker } from 'bullmq'
import pg from 'pg'

/**
 * BullMQ's classes on either server. Their types differ by server, and only these few methods are used, so both are seen through these interfaces.
 */

/** Where the queues are. PostgreSQL unless a Redis is given. */
export type QueueConnection = { readonly redisUrl: string } | { readonly databaseUrl: string }

export interface BullQueue extends BullPeer {
  add(name: string, payload: object, options: JobsOptions): Promise<unknown>
  remove(jobId: string): Promise<number>
  getJobState(jobId: string): Promise<string>
}

export interface BullWorker extends BullPeer {
  pause(doNotWaitActive: boolean): Promise<void>
  resume(): Promise<void>
  isPaused(): boolean
  isRunning(): boolean
}

interface BullPeer {
  on(event: 'error', listener: (error: Error) => void): unknown
  waitUntilReady(): Promise<unknown>
  close(force?: boolean): Promise<void>
  /** For a server that is away. */
  disconnect(): Promise<void>
}

export interface BullJob {
  readonly id?: string | undefined
  readonly name: string
  readonly data: unknown
  moveToWait(token: string): Promise<unknown>
}

export type BullProcess = (job: BullJob, token: string | undefined) => Promise<void>
export type BullWorkerOptions = { readonly autorun: false; readonly concurrency: number; readonly lockDuration: number; readonly maxStalledCount: number }

export const RETRY_MS = 1_000 // between attempts to reach the queue's server; one that comes back is used within two of these

const STALLED_CHECK_MS = 5_000 // a dead worker's job is noticed this long after its lock has ended
const POSTGRES_SCHEMA = 'bullmq'
const POSTGRES_CONNECTIONS = 2 // of each queue and worker, beside its LISTEN connection; more would only wait for each other
const CONNECT_TIMEOUT_MS = 5_000 // a server that does not answer by then is away
const TABLES_DEADLINE_MS = 20_000 // the first connection of all makes the tables, which takes seconds on the embedded database

export function connectQueue(name: string, connection: QueueConnection, onError: (error: Error) => void): Promise<BullQueue> {
  const options = { skipMetasUpdate: true }
  // A producer fails at once while Redis is away: a person waits for the answer.
  const queue: BullQueue =
    'redisUrl' in connection
      ? new Queue(name, { ...options, connection: { ...redis(connection.redisUrl), enableOfflineQueue: false, maxRetriesPerRequest: 1 } })
      : new Queue(name, { ...options, connection: postgres(connection.databaseUrl) }, createPostgresBackend)
  return ready(queue, connection, onError)
}

export function connectWorker(
  name: string,
  process: BullProcess,
  connection: QueueConnection,
  options: BullWorkerOptions,
  onError: (error: Error) => void,
): Promise<BullWorker> {
  const common = { ...options, runRetryDelay: RETRY_MS, stalledInterval: STALLED_CHECK_MS }
  const worker: BullWorker =
    'redisUrl' in connection
      ? new Worker(name, process, { ...common, connection: { ...redis(connection.redisUrl), maxRetriesPerRequest: null } })
      : new Worker(name, process, { ...common, connection: postgres(connection.databaseUrl) }, createPostgresBackend)
  return ready(worker, connection, onError)
}

function redis(url: string): { url: string; retryStrategy: () => number } {
  return { url, retryStrategy: () => RETRY_MS }
}

/** `migrate`: whoever comes first makes the tables, under BullMQ's own lock; afterwards it finds nothing to do. */
function postgres(url: string): {
  connectionString: string
  schema: string
  migrate: true
  max: number
  connectionTimeoutMillis: number
  keepAlive: true
  Client: typeof pg.Client
} {
  return {
    connectionString: url,
    schema: POSTGRES_SCHEMA,
    migrate: true,
    max: POSTGRES_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    Client: GuardedClient,
  }
}

/**
 * BullMQ takes connections out of its pool without listening to their errors: one that breaks in its hands would end the process. The query that runs on
 * it fails all the same.
 */
class GuardedClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config)
    this.on('error', () => undefined)
  }
}

/** BullMQ remembers a failed first connection for ever, so what did not get ready is thrown away and made anew by the caller. */
async function ready<Peer extends BullPeer>(peer: Peer, connection: QueueConnection, onError: (error: Error) => void): Promise<Peer> {
  peer.on('error', onError)
  try {
    await withDeadline(peer.waitUntilReady(), 'redisUrl' in connection ? CONNECT_TIMEOUT_MS : TABLES_DEADLINE_MS, 'no answer')
    return peer
  } catch (error) {
    void peer.close(true).catch(onError)
    throw error
  }
}

export async function withDeadline<Answer>(answer: Promise<Answer>, deadlineMs: number, otherwise: string): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${otherwise} within ${deadlineMs} ms`)), deadlineMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
