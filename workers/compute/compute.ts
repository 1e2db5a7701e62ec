import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../../core/errors.ts'
import { COMPUTE_QUEUE, embeddingJob } from '../../core/job.ts'
import type { QueueConnection } from '../../link/queues.ts'
import { openQueue, openWorker } from '../../link/queues.ts'
import { openDatabase } from '../../prisma/client.ts'
import { COMPUTE_JOBS } from '../jobs/index.ts'
import type { ComputeJob } from '../jobs/job.ts'
import { openCancellations } from './cancellations.ts'
import { requestDueEmbedding } from './embedding-due.ts'
import { runJob } from './run-job.ts'
import { addForgotten, removeLeftovers } from './sweep.ts'

/** `online`: connected to its queue, as far as is known. */
export type Compute = AsyncDisposable & { readonly online: boolean }
export type ComputeConfig = { readonly dataDir: string; readonly databaseUrl: string; readonly redisUrl: string | undefined }
export type ComputeParts = { readonly log: (line: string) => void; readonly jobs?: readonly ComputeJob[]; readonly lockMs?: number }

const CONCURRENT_JOBS = 2 // a small export need not wait for a large one; the disk is the limit of both
const SWEEP_MS = 10_000 // how long a job that the queue has lost waits at most

/** A compute worker: any number may run, on this machine or others that see the same data folder. */
export async function startCompute(config: ComputeConfig, { log, jobs = COMPUTE_JOBS, lockMs }: ComputeParts): Promise<Compute> {
  const { dataDir, databaseUrl, redisUrl } = config
  const database = openDatabase(databaseUrl, { name: 'compute', onError: ({ message }) => log(`database: ${message}`) })
  const connection: QueueConnection = redisUrl === undefined ? { databaseUrl } : { redisUrl }
  const cancellations = openCancellations(database, databaseUrl, log)
  const runner = { database, dataDir, cancellations, log }
  const queue = openQueue(COMPUTE_QUEUE, connection, log)
  const worker = openWorker(
    COMPUTE_QUEUE,
    jobs.map((job) => ({ ...job, run: (_payload, { jobId, signal }) => runJob(job, jobId, signal, runner) })),
    { concurrency: CONCURRENT_JOBS, connection, log, ...(lockMs !== undefined && { lockMs }) },
  )
  const closing = new AbortController()
  const sweeping = sweep()

  async function sweep(): Promise<void> {
    const { signal } = closing
    let cleared = false
    while (!signal.aborted) {
      try {
        if (!cleared) {
          const removed = await removeLeftovers(database, dataDir)
          if (removed > 0) log(`${removed} unfinished exports removed`)
          cleared = true
        }
        if (jobs.some(({ name }) => name === embeddingJob.name)) await requestDueEmbedding(database)
        const added = await addForgotten(database, queue, jobs)
        if (added > 0) log(`${added} jobs that the queue did not know added`)
      } catch (error) {
        log(`sweep: ${messageOf(error)}`)
      }
      await pause(SWEEP_MS, undefined, { signal }).catch(() => undefined) // closing ends the loop
    }
  }

  async function close(): Promise<void> {
    closing.abort()
    await worker.close()
    await sweeping
    for (const part of [queue, cancellations, database]) await part[Symbol.asyncDispose]()
  }

  let closed: Promise<void> | undefined
  return {
    get online() {
      return worker.online
    },
    [Symbol.asyncDispose]() {
      closed ??= close()
      return closed
    },
  }
}
