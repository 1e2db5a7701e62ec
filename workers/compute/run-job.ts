import { setTimeout as pause } from 'node:timers/promises'
import { asProblem, Conflict, messageOf, Problem } from '../../core/errors.ts'
import type { Database } from '../../prisma/client.ts'
import type { ComputeJob, JobOutcome } from '../jobs/job.ts'
import type { Cancellations, JobWatch } from './cancellations.ts'
import type { ClaimedJob, Ending } from './job-row.ts'
import { claimJob, endJob, letGo, tellJob, writeProgress } from './job-row.ts'
import { ProgressReport } from './progress-report.ts'

const DATABASE_RETRY_MS = 1_000
const DATABASE_DEADLINE_MS = 10 * 60_000 // how long finished work waits for a database that is away before it is given up

export type JobRunner = { readonly database: Database; readonly dataDir: string; readonly cancellations: Cancellations; readonly log: (line: string) => void }

/**
 * One dispatch of one job, true in its row from the claim to the end. Throws a Problem for what failed for good, another error for what may be tried again,
 * and the signal's reason when the process stops.
 */
export async function runJob(job: ComputeJob, jobId: string, stopping: AbortSignal, runner: JobRunner): Promise<void> {
  const claimed = await untilTold(() => claimJob(runner.database, jobId), stopping, runner.log)
  if (claimed === undefined) return
  using watch = runner.cancellations.watch(claimed)
  await new Attempt(job, claimed, watch, stopping, runner).run()
}

class Attempt {
  readonly #job: ComputeJob
  readonly #claimed: ClaimedJob
  readonly #watch: JobWatch
  readonly #stopping: AbortSignal
  readonly #runner: JobRunner
  readonly #report: ProgressReport

  constructor(job: ComputeJob, claimed: ClaimedJob, watch: JobWatch, stopping: AbortSignal, runner: JobRunner) {
    this.#job = job
    this.#claimed = claimed
    this.#watch = watch
    this.#stopping = stopping
    this.#runner = runner
    this.#report = new ProgressReport(claimed.log, (...news) => writeProgress(runner.database, claimed, ...news), runner.log)
  }

  async run(): Promise<void> {
    try {
      const outcome = await this.#work()
      await this.#report.close()
      await this.#complete(outcome)
    } catch (error) {
      await this.#report.close()
      await this.#fail(error)
    }
  }

  async #work(): Promise<JobOutcome> {
    const { id: jobId, attempt, name, payload } = this.#claimed
    const { database, dataDir } = this.#runner
    if (attempt > this.#job.attempts) throw new Conflict(`it was begun ${this.#job.attempts} times and its worker ended each time`, { jobId })
    await untilTold(() => tellJob(database.prisma, this.#claimed, `${name} started`), this.#stopping, this.#runner.log)
    return this.#job.run(payload, {
      jobId,
      attempt,
      database,
      dataDir,
      signal: AbortSignal.any([this.#stopping, this.#watch.signal]),
      progress: (fraction, text) => this.#report.set(fraction, text),
      log: (line) => this.#report.log(line),
    })
  }

  async #complete(outcome: JobOutcome): Promise<void> {
    try {
      if (await this.#end({ state: 'COMPLETED', summary: outcome.summary }, outcome)) return
    } catch (error) {
      await outcome.undo()
      throw error
    }
    await outcome.undo()
    await this.#end({ state: 'CANCELLED', summary: 'cancelled when it was nearly done' }) // or lost: then this changes nothing
  }

  async #fail(error: unknown): Promise<void> {
    const { id, attempt } = this.#claimed
    if (this.#watch.standing === 'lost') return this.#runner.log(`job ${id} was taken over by another worker`)
    if (this.#watch.standing === 'cancelled') return void (await this.#end({ state: 'CANCELLED', summary: 'cancelled' }))
    const interrupted = this.#stopping.aborted
    if (interrupted || (!(error instanceof Problem) && attempt < this.#job.attempts)) {
      this.#report.log(interrupted ? 'interrupted: the worker stops' : `failed, will be tried again: ${messageOf(error)}`)
      await untilTold(() => letGo(this.#runner.database, this.#claimed, !interrupted, this.#report.lines), this.#stopping, this.#runner.log)
      throw error
    }
    const problem = asProblem(error, 'NONE')
    this.#report.log(problem.message)
    await this.#end({ state: 'FAILED', summary: problem.message, problem: problem.toRecord() })
    throw problem
  }

  #end(ending: Ending, outcome?: JobOutcome): Promise<boolean> {
    const { database, log } = this.#runner
    return untilTold(() => endJob(database, this.#claimed, ending, this.#report.lines, (tx) => outcome?.commit(tx)), this.#stopping, log)
  }
}

/** What the database must be told is told when it is back. */
async function untilTold<Answer>(ask: () => Promise<Answer>, stopping: AbortSignal, log: (line: string) => void): Promise<Answer> {
  const deadline = performance.now() + DATABASE_DEADLINE_MS
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (stopping.aborted || performance.now() > deadline || isRefusal(error)) throw error
      log(`the database did not take it, trying again: ${messageOf(error)}`)
      await pause(DATABASE_RETRY_MS, undefined, { signal: stopping })
    }
  }
}

const NO_CONNECTION: readonly string[] = ['P2024', 'P2028'] // Prisma: no connection from the pool in time, the transaction could not be begun or ended

/** The database is there and says no: a constraint, a missing row. Prisma's P2xxx. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return /^P2\d{3}$/.test(code) && !NO_CONNECTION.includes(code)
}
