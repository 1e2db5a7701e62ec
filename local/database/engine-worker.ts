import { parentPort, workerData } from 'node:worker_threads'
import { makeDataFolder, openEngine } from './engine.ts'
import { serveWire } from './wire-server.ts'

/** The engine and its wire server, in a thread of their own, so that the process can end a statement that does not end by itself. */
export type EngineWorkerData = {
  readonly dataDir: string
  readonly socketPath: string
  /** One 64-bit number: the moment at which the engine became busy, by process.hrtime, which all threads share; 0 while it rests. */
  readonly busySince: SharedArrayBuffer
}
export type EngineWorkerMessage = { readonly type: 'serving' } | { readonly type: 'closed' } | { readonly type: 'failed'; readonly reason: string }

/** When the supervisor was killed, every process stops at once: a station still stores what it saw, and BullMQ's goodbyes end in a crash when nobody listens. */
const FAREWELL_MS = 4_000

async function serve({ dataDir, socketPath, busySince }: EngineWorkerData): Promise<void> {
  const since = new BigInt64Array(busySince)
  const tell = (message: EngineWorkerMessage): void => parentPort?.postMessage(message)
  await makeDataFolder(dataDir)
  const engine = await openEngine({ dataDir, onBusy: (busy) => Atomics.store(since, 0, busy ? process.hrtime.bigint() : 0n) })
  const server = await serveWire(engine, {
    listen: { path: socketPath },
    farewellMs: FAREWELL_MS,
    onFailure: (error) => tell({ type: 'failed', reason: error.message }),
  })
  tell({ type: 'serving' })
  parentPort?.once('message', async () => {
    await server[Symbol.asyncDispose]()
    await engine[Symbol.asyncDispose]()
    tell({ type: 'closed' })
  })
}

await serve(workerData as EngineWorkerData)
