import type { Actor } from '../../../core/cause.ts'
import type { EmergencyStopState } from '../../../core/device.ts'
import { EmergencyStopped, messageOf } from '../../../core/errors.ts'
import { acquisition, stationQueue } from '../../../core/job.ts'
import type { Clock } from '../../../core/time.ts'
import type { QueueState, RunRowsItem } from '../../../link/protocol.ts'
import type { QueueConnection, QueueWorker, WorkQueue } from '../../../link/queues.ts'
import { openQueue, openWorker, queueJob } from '../../../link/queues.ts'
import type { Database } from '../../../prisma/client.ts'
import { Bell } from '../host/bell.ts'
import type { DeviceHost } from '../host/host.ts'
import type { Journal } from '../journal/journal.ts'
import type { ClaimedRun } from './claim.ts'
import { claimRun, countWaitingSince, failLateRuns, strayRuns, unclaimRun, waitingRuns } from './claim.ts'
import type { DatasetEntry } from './dataset-entry.ts'
import { executeRun } from './engine.ts'
import { QueueHold } from './queue-hold.ts'
import type { LeftBehind } from './recovery.ts'
import { recoverInterrupted } from './recovery.ts'
import type { RunEnd } from './run-record.ts'
import { endedByEmergencyStop, RunStopped, stopReason } from './run-record.ts'
import { RunRows } from './run-rows.ts'

/** The station's queue of runs, and the one that is under way. */
export interface Runs extends AsyncDisposable {
  readonly queueState: QueueState
  /** No further run starts, not even one that is being claimed; the one under way goes on. */
  hold(actor: Actor, reason: string | undefined): Promise<QueueState>
  /** Throws EmergencyStopped while the emergency stop is active. */
  release(actor: Actor): Promise<QueueState>
  /** false: that run is not under way here. It ends ABORTED with its rows kept. */
  abort(runId: string, actor: Actor, reason: string | undefined): boolean
  rows(runId: string, fromRow: number, signal: AbortSignal): AsyncIterable<RunRowsItem>
  onChange(listener: (queue: QueueState) => void): () => void
}

export type RunsOptions = {
  readonly host: DeviceHost
  readonly journal: Journal
  readonly database: Pick<Database, 'pool'>
  readonly queueConnection: QueueConnection
  readonly stationId: string
  readonly dataDir: string
  readonly frameFileBytes: number
  readonly clock: Clock
  readonly log: (message: string) => void
  /** How often the database is asked for runs that the queue has lost. */
  readonly sweepMs?: number
}

const SWEEP_MS = 5_000

/** Brings back what a dead process left behind, then serves. Waits for neither the database nor the queue. */
export async function startRuns(options: RunsOptions): Promise<Runs> {
  const left = await recoverInterrupted(options, options.log)
  const runs = new StationRuns(options, left)
  await runs.begin()
  return runs
}

class StationRuns implements Runs {
  readonly #options: RunsOptions
  readonly #hold: QueueHold
  readonly #rows: RunRows
  readonly #queue: WorkQueue
  readonly #worker: QueueWorker
  readonly #closing = new AbortController()
  readonly #listeners = new Set<(queue: QueueState) => void>()
  readonly #stopListening: () => void
  /** There may be something to dispatch. */
  readonly #work = new Bell()
  /** One run at a time, whoever dispatches it. */
  #lane: Promise<unknown> = Promise.resolve()
  #active: { readonly run: ClaimedRun; readonly stop: AbortController } | undefined
  /** Turns of the lane that are not over: of a run that is being claimed, carried out or given back. */
  #turns = 0
  #hashing: Promise<unknown> = Promise.resolve()
  #sweeping: Promise<void> = Promise.resolve()
  /** The journal's last line about any run: what the database must hold before its rows are compared with ours. */
  #lastRunLine: number
  #lastProblem = ''

  constructor(options: RunsOptions, { runs: interrupted, datasets }: LeftBehind) {
    const { host, journal, database, dataDir, clock, stationId, queueConnection, log } = options
    this.#options = options
    this.#lastRunLine = journal.last
    this.#hold = new QueueHold({ journal, clock, log }, 'the station has just started and does not know yet what waits')
    if (interrupted > 0) this.#hold.hold(`the station ended in the middle of ${interrupted === 1 ? 'a run' : `${interrupted} runs`}`)
    if (host.stopState.active) this.#hold.hold(stopReason(host.stopState))
    this.#rows = new RunRows(database, dataDir)
    const name = stationQueue(stationId)
    this.#queue = openQueue(name, queueConnection, log)
    // The job only dispatches. Its signal is not passed on: closing the worker is not what ends a run.
    const job = queueJob(acquisition, ({ runId }) => this.#dispatch(runId))
    this.#worker = openWorker(name, [job], { concurrency: 1, connection: queueConnection, log, paused: true })
    for (const dataset of datasets) this.#hashLater(dataset)
    this.#stopListening = host.onEmergencyStop((state) => this.#emergencyStopped(state))
  }

  async begin(): Promise<void> {
    await this.#options.journal.flush()
    await this.#trySweep()
    this.#apply()
    this.#sweeping = this.#sweepForEver()
  }

  get queueState(): QueueState {
    const { held, reason } = this.#hold
    return { held, ...(reason !== undefined && { reason }), ...(this.#active !== undefined && { activeRunId: this.#active.run.id }) }
  }

  async hold(actor: Actor, reason: string | undefined): Promise<QueueState> {
    this.#hold.hold(`held by ${actor.name}${because(reason)}`)
    this.#apply()
    await this.#options.journal.flush()
    return this.queueState
  }

  async release(actor: Actor): Promise<QueueState> {
    const { host, journal, log } = this.#options
    if (host.stopState.active) throw new EmergencyStopped('release the emergency stop before the queue goes on')
    this.#hold.release()
    this.#apply()
    await journal.flush()
    log(`the queue of runs goes on, released by ${actor.name}`)
    this.#work.ring()
    return this.queueState
  }

  abort(runId: string, actor: Actor, reason: string | undefined): boolean {
    if (this.#active?.run.id !== runId) return false
    const cause = { kind: actor.kind, actor: actor.name, runId, ...(reason !== undefined && { reason }) } as const
    this.#stopActive({ state: 'ABORTED', exitReason: `aborted by ${actor.name}${because(reason)}`, cause })
    return true
  }

  rows(runId: string, fromRow: number, signal: AbortSignal): AsyncIterable<RunRowsItem> {
    return this.#rows.follow(runId, fromRow, signal)
  }

  onChange(listener: (queue: QueueState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return
    this.#closing.abort()
    this.#stopListening()
    this.#interruptActive()
    await Promise.all([this.#lane, this.#sweeping, this.#hashing, this.#worker.close()])
    await this.#queue[Symbol.asyncDispose]()
    await this.#options.journal.flush()
  }

  #emergencyStopped(state: EmergencyStopState): void {
    if (!state.active) return
    this.#stopActive(endedByEmergencyStop(state))
    this.#hold.hold(stopReason(state))
    this.#apply()
  }

  #interruptActive(): void {
    if (this.#active === undefined) return
    this.#stopActive({ state: 'INTERRUPTED', exitReason: 'the station was stopped in the middle of it' })
    this.#hold.hold(`the station was stopped in the middle of run ${this.#active.run.number}`)
  }

  /** The first reason stays. */
  #stopActive(end: RunEnd): void {
    this.#active?.stop.abort(new RunStopped(end))
  }

  #apply(): void {
    if (this.#hold.held) this.#worker.pause()
    else this.#worker.resume()
    for (const listener of this.#listeners) listener(this.queueState)
  }

  /** Resolves when the run is over, or at once if it is not to be run: by then somebody else has it, or it stays QUEUED and is found again. */
  #dispatch(runId: string): Promise<void> {
    this.#turns += 1
    const turn = this.#lane
      .then(() => this.#claimAndRun(runId))
      .finally(() => {
        this.#turns -= 1
      })
    this.#lane = turn.catch(() => undefined) // told to the dispatcher
    return turn
  }

  async #claimAndRun(runId: string): Promise<void> {
    const { database, stationId, log } = this.#options
    if (this.#closing.signal.aborted || this.#hold.held) return
    const run = await claimRun(database.pool, stationId, runId)
    if (run === undefined) return
    if (this.#hold.held && !this.#closing.signal.aborted) {
      log(`run ${run.number} waits on: the queue was held while it was being claimed`)
      return await unclaimRun(database.pool, run)
    }
    const stop = new AbortController()
    this.#active = { run, stop }
    if (this.#closing.signal.aborted) this.#interruptActive() // while the claim was under way
    this.#apply()
    log(`run ${run.number} begins`)
    try {
      const engine = {
        ...this.#options,
        onRows: this.#rows.begin.bind(this.#rows),
        onRecorded: (dataset: DatasetEntry) => this.#hashLater(dataset),
      }
      const { end, sequence } = await executeRun(run, engine, stop.signal)
      this.#lastRunLine = sequence
      log(`run ${run.number} is ${end.state.toLowerCase()}${because(end.exitReason)}`)
    } finally {
      this.#active = undefined
      this.#apply()
      this.#work.ring()
    }
  }

  /** Large files, one after the other, beside whatever the station does. */
  #hashLater(dataset: DatasetEntry): void {
    const { signal } = this.#closing
    this.#hashing = this.#hashing
      .then(() => dataset.hash(signal))
      .catch((error: unknown) => this.#options.log(`${dataset.path} has no checksum: ${String(error)}`))
  }

  async #sweepForEver(): Promise<void> {
    const { signal } = this.#closing
    const timer = setInterval(() => this.#work.ring(), this.#options.sweepMs ?? SWEEP_MS)
    while (!signal.aborted) {
      await this.#work.rung(signal)
      if (!signal.aborted) await this.#trySweep()
    }
    clearInterval(timer)
  }

  async #trySweep(): Promise<void> {
    try {
      await this.#sweep()
      this.#lastProblem = ''
    } catch (error) {
      const problem = messageOf(error)
      if (problem !== this.#lastProblem) this.#options.log(`waiting runs cannot be looked for: ${problem}`)
      this.#lastProblem = problem
    }
  }

  /** The database is the truth of what waits: what the queue has lost, or cannot be asked about, is dispatched from here. The claim keeps it single. */
  async #sweep(): Promise<void> {
    const { database, stationId } = this.#options
    const { pool } = database
    if (this.#hold.undecided) {
      const waiting = await countWaitingSince(pool, stationId, process.uptime())
      if (waiting > 0) this.#hold.hold(`the station was restarted while ${waiting === 1 ? 'a run' : `${waiting} runs`} waited`)
      else this.#hold.decided()
      this.#apply()
    }
    await failLateRuns(pool, stationId)
    await this.#interruptStrays()
    if (this.#hold.held || this.#active !== undefined) return
    for (const { id, jobId } of await waitingRuns(pool, stationId)) {
      if (jobId !== null && (await this.#waitsInQueue(jobId))) continue
      // Not waited for: sweeps go on while the run is under way, and its end begins the next one.
      this.#dispatch(id).catch((error: unknown) => this.#options.log(`run ${id} could not be dispatched: ${String(error)}`))
      return
    }
  }

  /** A queue that is away has no say; and a job that it calls active while its run is QUEUED was taken by a process that is gone. */
  async #waitsInQueue(jobId: string): Promise<boolean> {
    try {
      return (await this.#queue.state(jobId)) === 'waiting'
    } catch {
      return false
    }
  }

  async #interruptStrays(): Promise<void> {
    const { database, stationId, journal, clock } = this.#options
    if (this.#turns > 0) return // a claim on its way there or back looks like a stray
    const lane = this.#lane
    const strays = await strayRuns(database.pool, stationId, this.#lastRunLine)
    if (lane !== this.#lane) return // another began meanwhile
    for (const { id, fence, number, sessionId } of strays)
      this.#lastRunLine = journal.append({
        type: 'run',
        time: clock.wallNs(),
        runId: id,
        fence,
        number,
        sessionId,
        state: 'INTERRUPTED',
        points: 0,
        exitReason: 'its claim was lost on the way; nothing has moved',
      })
  }
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`
}
