import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { NS_PER_MS } from '../../core/time.ts'
import { deferred } from '../deferred.ts'
import type { EngineWorkerData, EngineWorkerMessage } from './engine-worker.ts'

/**
 * The embedded database: an engine in a worker thread that is ended and started again when it fails or when a statement outlives its deadline. Committed
 * rows survive both; open transactions are lost, and every client connects again.
 */

/** No statement of ours takes a second; the engine can do nothing else meanwhile, and cannot be interrupted. */
export const STATEMENT_DEADLINE_MS = 60_000
const WATCH_EVERY_MS = 250
const START_DEADLINE_MS = 60_000 // the first start makes the data folder; 2 to 3 s on a slow disk
const CLOSE_DEADLINE_MS = 7_000 // the farewells of the clients, then what the engine has to write; within the supervisor's STOP_DEADLINE_MS
const FIRST_RESTART_MS = 100
const MAX_RESTART_MS = 5_000

export type EmbeddedDatabaseOptions = {
  readonly dataDir: string
  readonly socketFolder: string
  readonly say: (line: string) => void
  readonly statementDeadlineMs?: number
}

/** Resolves once it serves; rejects when it cannot be opened at all. */
export async function startEmbeddedDatabase(options: EmbeddedDatabaseOptions): Promise<AsyncDisposable> {
  // only its owner may enter the folder: the wire server trusts whoever connects
  await mkdir(options.socketFolder, { recursive: true, mode: 0o700 })
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 })
  const stopping = new AbortController()
  let engine = await startEngine(options)

  const kept = (async () => {
    let restartMs = FIRST_RESTART_MS
    while (!stopping.signal.aborted) {
      const started = performance.now()
      const reason = await engine.ended
      if (stopping.signal.aborted) return
      if (performance.now() - started > MAX_RESTART_MS) restartMs = FIRST_RESTART_MS
      options.say(`the database engine ended (${reason}) and starts again`)
      for (;;) {
        await pause(restartMs, undefined, { signal: stopping.signal }).catch(() => undefined) // aborted: checked below
        if (stopping.signal.aborted) return
        restartMs = Math.min(restartMs * 2, MAX_RESTART_MS)
        try {
          engine = await startEngine(options)
          break
        } catch (error) {
          options.say(`the database engine does not start: ${error instanceof Error ? error.message : String(error)}`)
        }
      }
    }
  })()

  return {
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await engine.close()
      await kept
      await engine.close() // the one that was being started meanwhile; nothing otherwise
      await rm(options.socketFolder, { recursive: true, force: true })
    },
  }
}

type RunningEngine = {
  /** Why it ended. */
  readonly ended: Promise<string>
  close(): Promise<void>
}

async function startEngine(options: EmbeddedDatabaseOptions): Promise<RunningEngine> {
  const deadlineMs = options.statementDeadlineMs ?? STATEMENT_DEADLINE_MS
  const busySince = new SharedArrayBuffer(BigInt64Array.BYTES_PER_ELEMENT)
  const socketPath = path.join(options.socketFolder, '.s.PGSQL.5432')
  await rm(socketPath, { force: true }) // left by an engine that was ended; whoever starts us holds the lock on the data folder
  const data: EngineWorkerData = { dataDir: options.dataDir, socketPath, busySince }
  const worker = new Worker(new URL(`./engine-worker${path.extname(import.meta.filename)}`, import.meta.url), { workerData: data })

  let reason = 'without a word'
  const serving = deferred<void>()
  const closed = deferred<void>()
  const ended = new Promise<string>((resolve) => {
    worker.once('exit', () => {
      clearInterval(watch)
      resolve(reason)
      serving.reject(new Error(reason))
      closed.resolve()
    })
  })
  const fail = (why: string): void => {
    reason = why
    void worker.terminate()
  }
  worker.on('error', (error) => {
    reason = error.message
  })
  worker.on('message', (message: EngineWorkerMessage) => {
    if (message.type === 'serving') serving.resolve()
    else if (message.type === 'closed') closed.resolve()
    else fail(message.reason)
  })
  const since = new BigInt64Array(busySince)
  const watch = setInterval(() => {
    const busy = Atomics.load(since, 0)
    if (busy !== 0n && process.hrtime.bigint() - busy > BigInt(deadlineMs) * NS_PER_MS) fail(`a statement ran longer than ${deadlineMs} ms`)
  }, WATCH_EVERY_MS)
  const starting = setTimeout(() => fail(`it did not serve within ${START_DEADLINE_MS} ms`), START_DEADLINE_MS)
  try {
    await serving.promise
  } finally {
    clearTimeout(starting)
  }

  return {
    ended,
    async close() {
      worker.postMessage('close')
      const late = setTimeout(() => closed.resolve(), CLOSE_DEADLINE_MS)
      await closed.promise
      clearTimeout(late)
      await worker.terminate()
    },
  }
}
