import type { PreparedAcquisition } from '../../../core/acquisition.ts'
import type { Cause } from '../../../core/cause.ts'
import { DEFAULT_ACCEPT_MS } from '../../../core/command.ts'
import type { Manifest } from '../../../core/dataset.ts'
import { asProblem, DeadlineExceeded, type Problem } from '../../../core/errors.ts'
import { uuidv7 } from '../../../core/id.ts'
import type { AxisOrigins, PlanMessage } from '../../../core/plan.ts'
import { messagesOf } from '../../../core/plans/plans.ts'
import type { RowCell } from '../../../core/row.ts'
import { deadline, orAbort } from '../host/deadline.ts'
import type { DeviceHost } from '../host/host.ts'
import type { HostedDevice, Writer } from '../host/hosted-device.ts'
import type { BoundRun } from './bound-plan.ts'
import { bindPlan } from './bound-plan.ts'
import type { ClaimedRun } from './claim.ts'
import type { DatasetEntry } from './dataset-entry.ts'
import { FrameRecording, type FramesPlace } from './frame-recording.ts'
import { measureRow } from './measure.ts'
import { ofDevice } from './of-device.ts'
import { RowLog } from './row-log.ts'
import type { RunEnd } from './run-record.ts'
import { endedByEmergencyStop, RunRecord, RunStopped } from './run-record.ts'
import { prepareScans, ScanRecording } from './scan-recording.ts'
import type { Target } from './settle.ts'
import { settle, waitSeconds } from './settle.ts'
import type { StreamLimits } from './streams.ts'
import { pointsOf, recordStreams } from './streams.ts'
import { TableRecording } from './table-recording.ts'
import { checkTargets, readOrigins } from './targets.ts'

export type Engine = FramesPlace & {
  readonly host: DeviceHost
  readonly log: (message: string) => void
  /** The rows of a run can be followed from now on. */
  readonly onRows: (runId: string, rows: RowLog) => void
  /** The run is over; what is left to do for its datasets may take its time. */
  readonly onRecorded: (dataset: DatasetEntry) => void
}

export type ExecutedRun = { readonly end: RunEnd /** Of the journal's last line about it. */; readonly sequence: number }

const SET_DEADLINE_MS = 60_000 // for the instrument to accept a move, or to confirm a value
const STOP_DEADLINE_MS = 5_000

/** Carries a claimed run out to its end, whatever that is; throws only if the journal cannot be written. `stop` is aborted with RunStopped. */
export async function executeRun(run: ClaimedRun, engine: Engine, stop: AbortSignal): Promise<ExecutedRun> {
  const record = new RunRecord(run, engine.journal, engine.clock)
  record.preparing()
  await engine.journal.flush() // before anything moves: whoever starts after us must know
  let end: RunEnd
  try {
    const bound = bindPlan(run.plan, engine.host)
    await using claim = engine.host.claim(
      run.id,
      run.fence,
      bound.devices.map(({ record: { id } }) => id),
    )
    end = await new Execution(run, engine, bound, record, AbortSignal.any([stop, claim.signal])).carryOut()
  } catch (error) {
    end = failure(error, stop, engine.host)
  }
  const sequence = record.ended(end)
  await engine.journal.flush()
  return { end, sequence }
}

function failure(error: unknown, stop: AbortSignal, host: Pick<DeviceHost, 'stopState'>): RunEnd {
  const reason: unknown = stop.aborted ? stop.reason : error
  if (reason instanceof RunStopped) return reason.end
  const problem = asProblem(reason)
  if (problem.code === 'EMERGENCY_STOPPED') return { ...endedByEmergencyStop(host.stopState), problem: problem.toRecord() }
  return { state: 'FAILED', exitReason: problem.message, problem: problem.toRecord() }
}

class Execution {
  readonly #run: ClaimedRun
  readonly #engine: Engine
  readonly #bound: BoundRun
  readonly #record: RunRecord
  readonly #signal: AbortSignal
  readonly #writer: Writer
  #commanded: number[] = []
  /** What was set since the last settling, by its axis' index. */
  readonly #started = new Map<number, Target>()
  #moved = false
  #table: TableRecording | undefined
  readonly #cameras: FrameRecording[] = []
  readonly #scans: ScanRecording[] = []
  #prepared: readonly PreparedAcquisition[] = []
  #rows: RowLog | undefined

  constructor(run: ClaimedRun, engine: Engine, bound: BoundRun, record: RunRecord, signal: AbortSignal) {
    this.#run = run
    this.#engine = engine
    this.#bound = bound
    this.#record = record
    this.#signal = signal
    const cause: Cause = { kind: 'PLAN', actor: run.actor, sessionId: run.sessionId, runId: run.id }
    this.#writer = { cause, fence: { runId: run.id, number: run.fence } }
  }

  async carryOut(): Promise<RunEnd> {
    let end: RunEnd = { state: 'COMPLETED' }
    try {
      const origins = await readOrigins(this.#bound, this.#signal)
      await checkTargets(this.#bound, origins, this.#signal)
      await this.#prepareScans()
      await this.#configureCameras()
      const lab = this.#engine.host.manifest()
      await this.#openRecordings(lab)
      this.#record.running(this.#bound.outline.totalPoints, lab)
      await this.#engine.journal.flush()
      await this.#interpret(origins)
    } catch (error) {
      end = failure(error, this.#signal, this.#engine.host)
      await this.#stopMotion()
    }
    const broken = await this.#closeRecordings()
    const natives = { cameras: this.#cameras, scans: this.#scans }
    if (this.#cameras.length + this.#scans.length > 0) this.#record.progress(pointsOf(natives)) // the last poll was a moment earlier
    this.#rows?.end()
    return broken !== undefined && end.state === 'COMPLETED' ? failure(broken, this.#signal, this.#engine.host) : end
  }

  async #interpret(origins: AxisOrigins): Promise<void> {
    this.#commanded = [...origins]
    for (const message of messagesOf(this.#bound.plan, origins)) {
      this.#signal.throwIfAborted()
      await this.#carryOut(message)
    }
  }

  async #carryOut(message: PlanMessage): Promise<void> {
    switch (message.do) {
      case 'checkpoint':
        return
      case 'wait':
        return waitSeconds(message.seconds, this.#signal)
      case 'set':
        return this.#set(message.axis, message.value)
      case 'settle':
        await settle([...this.#started.values()], message.settle, this.#signal)
        return this.#started.clear()
      case 'row': {
        const next = (this.#table?.rows ?? 0) + 1
        this.#append(await measureRow(this.#bound, next, this.#commanded, this.#engine.clock, this.#signal))
        return this.#record.progress(next)
      }
      case 'record': {
        const { plan } = this.#bound
        const rate = plan.type === 'record' && plan.arguments.rateHz !== undefined && { rateHz: plan.arguments.rateHz }
        const streams = {
          bound: this.#bound,
          cameras: this.#cameras,
          scans: this.#scans,
          clock: this.#engine.clock,
          onPoints: (points: number) => this.#record.progress(points),
          append: (row: readonly RowCell[]) => this.#append(row),
          onMissed: (ticks: number) => this.#table?.missed(ticks),
        }
        return recordStreams(streams, { ...message, ...rate }, this.#signal)
      }
    }
  }

  async #set(index: number, value: number): Promise<void> {
    const axis = this.#bound.axes[index]
    if (axis === undefined) throw new RangeError(`the plan sets axis ${index} of ${this.#bound.axes.length}`)
    const { device, sets, moves, unit } = axis
    const late = (): Problem => new DeadlineExceeded(`${axis.measured.name} did not take ${value} within ${SET_DEADLINE_MS} ms`, SET_DEADLINE_MS, 'POSSIBLE')
    using limit = deadline(this.#signal, SET_DEADLINE_MS, late)
    this.#moved = true
    this.#started.set(index, { axis, value, stops: device.stops })
    const done = moves ? device.moveTo(value, unit, this.#writer, limit.signal) : device.set(sets.name, value, unit, this.#writer, limit.signal)
    await ofDevice(
      device,
      orAbort(
        done.then(() => undefined),
        limit.signal,
      ),
    )
    this.#commanded[index] = value
  }

  #append(row: readonly RowCell[]): void {
    this.#table?.append(row)
    this.#rows?.append(row)
  }

  async #configureCameras(): Promise<void> {
    const { cause, fence } = this.#writer
    const calls = this.#bound.cameras.flatMap(({ device, exposureSeconds }) =>
      exposureSeconds === undefined ? [] : [{ deviceId: device.record.id, call: { kind: 'configureCamera' as const, exposureSeconds } }],
    )
    if (calls.length === 0) return
    await this.#engine.host.command(
      { requestId: uuidv7(), calls, order: 'sequence', cause, acceptWithinMs: DEFAULT_ACCEPT_MS, ...(fence !== undefined && { fence }) },
      this.#signal,
    )
  }

  /** `frames` is of the cameras, where there is one: what is sampled beside them goes on until they have theirs. */
  async #prepareScans(): Promise<void> {
    const { plan, acquisitions, cameras } = this.#bound
    if (plan.type !== 'record') return
    const { frames, durationSeconds } = plan.arguments
    const limits: StreamLimits = {
      ...(frames !== undefined && cameras.length === 0 && { frames }),
      ...(durationSeconds !== undefined && { durationSeconds }),
    }
    this.#prepared = await Promise.all(acquisitions.map((bound) => ofDevice(bound.device, prepareScans(bound, limits, this.#signal))))
  }

  async #openRecordings(lab: Manifest): Promise<void> {
    for (const { device } of this.#bound.cameras) this.#cameras.push(await FrameRecording.begin(this.#engine, this.#run, device, lab))
    for (const [at, prepared] of this.#prepared.entries()) {
      const bound = this.#bound.acquisitions[at]
      if (bound !== undefined) this.#scans.push(await ScanRecording.begin(this.#engine, this.#run, bound, prepared, lab))
    }
    const hasTable = this.#bound.detectors.length > 0
    if (hasTable) this.#table = await TableRecording.begin(this.#engine, this.#run, this.#bound, lab, (rows) => this.#rows?.written(rows))
    this.#rows = new RowLog(hasTable ? this.#bound.columns : [], this.#table?.entry.path)
    this.#engine.onRows(this.#run.id, this.#rows)
  }

  /** Every one of them, whatever happens to the others. The first failure is the answer. */
  async #closeRecordings(): Promise<unknown> {
    const recordings = [...(this.#table === undefined ? [] : [this.#table]), ...this.#cameras, ...this.#scans]
    const ends = await Promise.allSettled(recordings.map((recording) => recording.end()))
    for (const { entry } of recordings) this.#engine.onRecorded(entry)
    return ends.find((end) => end.status === 'rejected')?.reason
  }

  /** What the run has set in motion must not go on without it; it stands before the devices are free for others. */
  async #stopMotion(): Promise<void> {
    if (!this.#moved) return
    const moving = new Set(this.#bound.axes.filter(({ moves }) => moves).map(({ device }) => device))
    const signal = AbortSignal.timeout(STOP_DEADLINE_MS)
    const stops = await Promise.allSettled([...moving].map((device) => orAbort(stopAndStand(device, signal), signal)))
    for (const stop of stops)
      if (stop.status === 'rejected') this.#engine.log(`an axis of run ${this.#run.number} could not be stopped: ${String(stop.reason)}`)
  }
}

async function stopAndStand(device: HostedDevice, signal: AbortSignal): Promise<void> {
  await device.stop(signal)
  await device.settled(signal)
}
