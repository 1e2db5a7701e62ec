import type { JobContract } from '../../core/job.ts'
import type { Database, Transaction } from '../../prisma/client.ts'

/** What a job may use while it runs. */
export type JobContext = {
  readonly jobId: string
  /** 1 at first; larger when a worker died before. */
  readonly attempt: number
  readonly database: Database
  readonly dataDir: string
  /** Fires when a person cancels the job, when another worker has taken it over, and when the process stops. */
  readonly signal: AbortSignal
  /** From 0 to 1; may be called as often as one likes. */
  progress(fraction: number, text?: string): void
  /** A line for people. */
  log(line: string): void
}

/** What a job has made, ready to be seen: `commit` in the transaction that completes the job, `undo` when that never comes. */
export type JobOutcome = {
  readonly summary: string
  commit(tx: Transaction): Promise<void>
  undo(): Promise<void>
}

/** One file each in this folder, listed in index.ts. It throws a Problem for what a person can act on; anything else may be tried again. */
export type ComputeJob = Pick<JobContract<unknown>, 'name' | 'attempts' | 'maxStalledCount'> & {
  run(payload: unknown, context: JobContext): Promise<JobOutcome>
}

export function defineJob<Payload>(contract: JobContract<Payload>, run: (payload: Payload, context: JobContext) => Promise<JobOutcome>): ComputeJob {
  return {
    name: contract.name,
    attempts: contract.attempts,
    maxStalledCount: contract.maxStalledCount,
    run: (payload, context) => run(contract.parse(payload), context),
  }
}
