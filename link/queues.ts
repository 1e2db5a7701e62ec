import { setTimeout as pause } from 'node:timers/promises'
import { UnrecoverableError, WaitingError } from 'bullmq'
import { messageOf, Problem } from '../core/errors.ts'
import type { JobContract } from '../core/job.ts'
import type { BullJob, BullQueue, BullWorker, QueueConnection } from './queue-backend.ts'
import { connectQueue, connectWorker, RETRY_MS, withDeadline } from './queue-backend.ts'

export type { QueueConnection } from './queue-backend.ts'

/**
 * BullMQ behind one small interface, on Redis or on PostgreSQL. A queue only dispatches: rows of the database say what there is to do and how far it is,
 * so losing the queue loses nothing, and its events (which BullMQ can lose on PostgreSQL) are not used at all.
 */

export type QueueLog = (message: string) => void

export type AddOptions = {
  /** Also the identity of the row; adding what is there already changes nothing. */
  readonly jobId: string
  /** Larger goes first; 0 is normal. */
  readonly priority: number
}

/** absent: never added, or finished: a queue forgets what is over. */
type QueuedState = 'waiting' | 'active' | 'absent'

/** Each call rejects with QueueAway when the queue's server does not answer in time; what was asked may then still be done. */
export interface WorkQueue extends AsyncDisposable {
  readonly name: string
  add<Payload extends object>(contract: JobContract<Payload>, payload: Payload, options: AddOptions): Promise<void>
  /** False if it was not there, or runs already. */
  remove(jobId: string): Promise<boolean>
  state(jobId: string): Promise<QueuedState>
  has(jobId: string): Promise<boolean>
}

export type WorkContext = {
  readonly jobId: string
  /** Fires when the worker closes. */
  readonly signal: AbortSignal
}

/** One kind of job and what does it; made by queueJob. */
export type QueueJob = Pick<JobContract<unknown>, 'name' | 'maxStalledCount'> & { run(payload: unknown, context: WorkContext): Promise<void> }

export interface QueueWorker extends AsyncDisposable {
  readonly name: string
  /** Takes no further job; what runs goes on. */
  pause(): void
  resume(): void
  readonly paused: boolean
  /** Connected to the queue's server, as far as is known. */
  readonly online: boolean
  /** Fires the signal of what runs, waits for it and gives the queue back what is not done, at most CLOSE_DEADLINE_MS. */
  close(): Promise<void>
}

export type WorkerSettings = {
  readonly concurrency: number
  readonly connection: QueueConnection
  readonly log: QueueLog
  readonly paused?: boolean
  /** A job whose worker does not renew its lock by then has stalled: its worker is dead, or the queue's server was away. */
  readonly lockMs?: number
}

export class QueueAway extends Error {
  override readonly name = 'QueueAway'
}

const CALL_DEADLINE_MS = 5_000 // a person's request hangs no longer on a queue that is away
const CLOSE_DEADLINE_MS = 5_000 // within the supervisor's STOP_DEADLINE_MS
const LOCK_MS = 30_000 // long enough for a blocked event loop, short enough that a person still waits for a dead worker's job
const LOWEST_PRIORITY = 2_097_152 // BullMQ's are 1 (first) to 2^21 (last); without one (0) a job would overtake all that have one
const NORMAL_PRIORITY = LOWEST_PRIORITY / 2

/** A Problem is an answer and is not tried again; any other error may be, as the contract says. */
export function queueJob<Payload>(contract: JobContract<Payload>, run: (payload: Payload, context: WorkContext) => Promise<void>): QueueJob {
  return { name: contract.name, maxStalledCount: contract.maxStalledCount, run: (payload, context) => run(contract.parse(payload), context) }
}

/** Connects at the first call, and again after a call that failed. */
export function openQueue(name: string, connection: QueueConnection, log: QueueLog): WorkQueue {
  let connected: Promise<BullQueue> | undefined
  let closed = false

  function connect(): Promise<BullQueue> {
    connected ??= connectQueue(name, connection, (error) => log(`queue ${name}: ${error.message}`)).catch((error: unknown) => {
      connected = undefined
      throw error
    })
    return connected
  }

  async function call<Answer>(ask: (queue: BullQueue) => Promise<Answer>): Promise<Answer> {
    if (closed) throw new QueueAway(`queue ${name} is closed`)
    try {
      const queue = await connect()
      return await withDeadline(ask(queue), CALL_DEADLINE_MS, 'no answer')
    } catch (error) {
      throw new QueueAway(`queue ${name} is away: ${messageOf(error)}`, { cause: error })
    }
  }

  async function state(jobId: string): Promise<QueuedState> {
    const known = await call((queue) => queue.getJobState(jobId))
    if (known === 'active') return 'active'
    return known === 'unknown' || known === 'completed' || known === 'failed' ? 'absent' : 'waiting'
  }

  return {
    name,
    state,
    has: async (jobId) => (await state(jobId)) !== 'absent',
    async add(contract, payload, { jobId, priority }) {
      const options = { jobId, priority: bullPriority(priority), attempts: contract.attempts, removeOnComplete: true, removeOnFail: true }
      await call((queue) => queue.add(contract.name, payload, options))
    },
    async remove(jobId) {
      if ((await state(jobId)) !== 'waiting') return false
      return call(async (queue) => (await queue.remove(jobId)) === 1)
    },
    async [Symbol.asyncDispose]() {
      closed = true
      const queue = await connected?.catch(() => undefined) // never connected: nothing to close
      try {
        await queue?.close()
      } catch (error) {
        // Redis is asked for its leave, which it cannot give while it is away. BullMQ waits for ever for the end of a connection that is not there.
        log(`queue ${name}: ${messageOf(error)}`)
        void queue?.disconnect().catch((late: unknown) => log(`queue ${name}: ${messageOf(late)}`))
      }
    },
  }
}

/** Begins to work once the queue's server can be reached, and goes on by itself after the server was away. */
export function openWorker(name: string, jobs: readonly QueueJob[], settings: WorkerSettings): QueueWorker {
  return new Worker(name, jobs, settings)
}

class Worker implements QueueWorker {
  readonly name: string
  readonly #jobs: readonly QueueJob[]
  readonly #settings: WorkerSettings
  readonly #closing = new AbortController()
  readonly #running = new Map<string, Promise<void>>()
  readonly #started: Promise<void>
  #bull: BullWorker | undefined
  #paused: boolean
  #resting: NodeJS.Timeout | undefined
  #lastSaid = ''

  constructor(name: string, jobs: readonly QueueJob[], settings: WorkerSettings) {
    this.name = name
    this.#jobs = jobs
    this.#settings = settings
    this.#paused = settings.paused ?? false
    this.#started = this.#start()
  }

  get paused(): boolean {
    return this.#paused
  }

  get online(): boolean {
    return this.#bull !== undefined && this.#resting === undefined
  }

  pause(): void {
    this.#paused = true
    this.#apply()
  }

  resume(): void {
    this.#paused = false
    this.#apply()
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(new Error(`the worker of queue ${this.name} closes`))
    clearTimeout(this.#resting)
    await this.#started
    if (this.#bull !== undefined) await (this.#resting === undefined ? this.#closeInOrder(this.#bull) : this.#closeAway(this.#bull))
  }

  /** BullMQ ends its waiting for a job, and then waits until each that it was given is done or back: also one whose giving was still on its way. */
  async #closeInOrder(bull: BullWorker): Promise<void> {
    if (await endsInTime(bull.close())) return
    this.#say('what runs did not end in time, or the server does not answer: its connections are cut')
    void bull.disconnect().catch((error: unknown) => this.#say(messageOf(error)))
  }

  /** Nothing can be given back to a server that is away: what was given stalls there. */
  async #closeAway(bull: BullWorker): Promise<void> {
    await endsInTime(Promise.allSettled(this.#running.values()))
    await bull.close(true)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #start(): Promise<void> {
    const { signal } = this.#closing
    const { connection, concurrency, lockMs = LOCK_MS } = this.#settings
    const maxStalledCount = Math.max(0, ...this.#jobs.map((job) => job.maxStalledCount))
    const options = { autorun: false, concurrency, lockDuration: lockMs, maxStalledCount } as const
    while (!signal.aborted) {
      try {
        this.#bull = await connectWorker(
          this.name,
          (job, token) => this.#process(job, token),
          connection,
          options,
          (error) => this.#rest(error),
        )
        return this.#apply()
      } catch (error) {
        this.#say(messageOf(error))
        await pause(RETRY_MS, undefined, { signal }).catch(() => undefined) // closing ends the loop
      }
    }
  }

  /**
   * While its server is away BullMQ asks again without a pause and fills the log; so the worker rests after each error. What runs is not touched: its
   * outcome is in its own row, and the queue, if it could not be told, repeats a job that then finds its row finished.
   */
  #rest(error: Error): void {
    this.#say(error.message)
    if (this.#resting !== undefined || this.#closing.signal.aborted) return
    this.#resting = setTimeout(() => {
      this.#resting = undefined
      this.#apply()
    }, RETRY_MS)
    this.#apply()
  }

  #apply(): void {
    const bull = this.#bull
    if (bull === undefined || this.#closing.signal.aborted) return
    const rest = this.#paused || this.#resting !== undefined
    if (rest && !bull.isPaused()) void bull.pause(true).catch((error: unknown) => this.#say(messageOf(error)))
    if (!rest && (bull.isPaused() || !bull.isRunning())) void bull.resume() // its errors come as 'error' events
  }

  async #process(job: BullJob, token: string | undefined): Promise<void> {
    const { id: jobId } = job
    if (jobId === undefined || token === undefined) throw new UnrecoverableError(`a job of queue ${this.name} has no id`)
    // A BullMQ worker that already waits for a job takes one more after its pause, or its closing.
    if (this.#paused || this.#closing.signal.aborted) return putBack(job, token)
    this.#lastSaid = ''
    try {
      await this.#once(job, jobId)
    } catch (error) {
      if (this.#closing.signal.aborted) return putBack(job, token)
      throw error
    }
  }

  /** A job whose lock could not be renewed counts as stalled and comes again while it still runs here: it is the same work. */
  #once(job: BullJob, jobId: string): Promise<void> {
    const running = this.#running.get(jobId)
    if (running !== undefined) return running
    const done = this.#run(job, jobId).finally(() => this.#running.delete(jobId))
    this.#running.set(jobId, done)
    return done
  }

  async #run(job: BullJob, jobId: string): Promise<void> {
    const work = this.#jobs.find(({ name }) => name === job.name)
    if (work === undefined) throw new UnrecoverableError(`queue ${this.name} has no job named ${job.name}`)
    try {
      await work.run(job.data, { jobId, signal: this.#closing.signal })
    } catch (error) {
      if (error instanceof Problem) throw new UnrecoverableError(error.message)
      throw error
    }
  }

  /** An outage is a line in the log, not one each second. */
  #say(message: string): void {
    if (message === this.#lastSaid) return
    this.#lastSaid = message
    this.#settings.log(`queue ${this.name}: ${message}`)
  }
}

/** For another worker, or for this one when it goes on. */
async function putBack(job: BullJob, token: string): Promise<never> {
  await job.moveToWait(token)
  throw new WaitingError()
}

async function endsInTime(work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => true), pause(CLOSE_DEADLINE_MS, false, { ref: false })])
}

/** Ours: larger first, 0 normal. BullMQ's: smaller first, 0 before all. */
export function bullPriority(priority: number): number {
  return Math.min(LOWEST_PRIORITY, Math.max(1, NORMAL_PRIORITY - Math.trunc(priority)))
}
