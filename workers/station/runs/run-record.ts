import type { Cause } from '../../../core/cause.ts'
import type { Manifest } from '../../../core/dataset.ts'
import type { EmergencyStopState } from '../../../core/device.ts'
import type { ProblemRecord } from '../../../core/errors.ts'
import type { RunState } from '../../../core/run.ts'
import type { Clock } from '../../../core/time.ts'
import { causeOfStop } from '../host/emergency-stop.ts'
import type { Journal } from '../journal/journal.ts'
import type { ClaimedRun } from './claim.ts'

/** How a run ended, and who or what ended it. */
export type RunEnd = {
  readonly state: Extract<RunState, 'COMPLETED' | 'ABORTED' | 'FAILED' | 'INTERRUPTED'>
  readonly exitReason?: string
  readonly problem?: ProblemRecord
  readonly cause?: Cause
}

/** What an emergency stop makes of the run under way. */
export function endedByEmergencyStop(stop: EmergencyStopState): RunEnd {
  return { state: 'ABORTED', exitReason: stopReason(stop), cause: causeOfStop(stop) }
}

export function stopReason({ by, reason }: { readonly by?: string | undefined; readonly reason?: string | undefined }): string {
  return `emergency stop${by === undefined ? '' : ` by ${by}`}${reason === undefined ? '' : `: ${reason}`}`
}

/** Why a run ends although nothing has failed; also the reason of the signal that ends it from outside. */
export class RunStopped extends Error {
  override readonly name = 'RunStopped'
  readonly end: RunEnd

  constructor(end: RunEnd) {
    super(end.exitReason ?? end.state)
    this.end = end
  }
}

const PROGRESS_MS = 200 // five times a second: what eyes can follow; each is a line of the journal

/** The journal's lines about one claim of a run. */
export class RunRecord {
  readonly #run: ClaimedRun
  readonly #journal: Journal
  readonly #clock: Clock
  #points = 0
  #totalPoints: number | undefined
  #toldMs = 0
  #state: RunState = 'QUEUED'

  constructor(run: ClaimedRun, journal: Journal, clock: Clock) {
    this.#run = run
    this.#journal = journal
    this.#clock = clock
  }

  preparing(): void {
    this.#tell('PREPARING')
  }

  running(totalPoints: number | undefined, manifest: Manifest): void {
    this.#totalPoints = totalPoints
    this.#tell('RUNNING', { manifest })
  }

  /** Throttled; the end tells the last number in any case. */
  progress(points: number): void {
    const nowMs = performance.now()
    const due = points !== this.#points && nowMs - this.#toldMs >= PROGRESS_MS
    this.#points = points
    if (!due) return
    this.#toldMs = nowMs
    this.#tell(this.#state)
  }

  /** The sequence of its last line. */
  ended({ state, ...how }: RunEnd): number {
    return this.#tell(state, how)
  }

  #tell(state: RunState, more: Omit<RunEnd, 'state'> & { readonly manifest?: Manifest } = {}): number {
    this.#state = state
    const { id, fence, number, sessionId } = this.#run
    const total = this.#totalPoints !== undefined && { totalPoints: this.#totalPoints }
    return this.#journal.append({
      type: 'run',
      time: this.#clock.wallNs(),
      runId: id,
      fence,
      number,
      sessionId,
      state,
      points: this.#points,
      ...total,
      ...more,
    })
  }
}
