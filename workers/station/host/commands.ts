import { isDeepStrictEqual } from 'node:util'
import { type CommandAnswer, type CommandCall, type CommandReading, type CommandRequest, completeWithin, type Pace } from '../../../core/command.ts'
import { asProblem, Conflict, DeadlineExceeded, HardwareFault, InvalidValue, type Problem, problemFromRecord } from '../../../core/errors.ts'
import type { JournalEntry } from '../../../core/journal.ts'
import type { Clock } from '../../../core/time.ts'
import type { Journal } from '../journal/journal.ts'
import { deadline, orAbort } from './deadline.ts'
import type { Writer } from './hosted-device.ts'
import type { Note } from './note.ts'
import { ProgressBook } from './progress.ts'
import type { StationDevice } from './station-device.ts'
import type { Step } from './step.ts'
import { prepare } from './steps.ts'

export type CommandsOptions = {
  readonly journal: Pick<Journal, 'append' | 'flush' | 'answerFor' | 'callsFor'>
  readonly clock: Clock
  /** Throws NotFound. */
  readonly device: (deviceId: string) => StationDevice
  readonly permit: (device: StationDevice, writer: Writer) => void
  readonly permitRelease: (device: StationDevice, writer: Writer) => void
  readonly note: Note
}

const MAX_CALLS = 256 // of one request; a longer list is a plan

/** One command that is being accepted, or has been and is not done. */
type Active = {
  readonly controller: AbortController /** What it changes; none before it is accepted. */
  deviceIds: ReadonlySet<string>
  readonly isStop: boolean
}

type Accepted = { readonly steps: readonly Step[]; readonly changes: boolean }

/**
 * Carries out requests: everything is checked before the first call is written; it is in the journal before the hardware acts, and its outcome before it
 * is answered. A caller who goes away after acceptance changes nothing: the command ends by itself or at its deadline, and its key gives the answer.
 */
export class Commands {
  readonly progress = new ProgressBook()
  readonly #options: CommandsOptions
  readonly #active = new Set<Active>()
  readonly #byKey = new Map<string, { readonly calls: CommandRequest['calls']; readonly answer: Promise<CommandAnswer> }>()

  constructor(options: CommandsOptions) {
    this.#options = options
  }

  /** Throws Problems. `signal` counts until the command is accepted. */
  async carryOut(request: CommandRequest, signal: AbortSignal): Promise<CommandAnswer> {
    const key = request.idempotencyKey
    if (key === undefined) return await this.#first(request, signal)
    const underWay = this.#byKey.get(key)
    const first = underWay?.calls ?? this.#options.journal.callsFor(key)
    if (first !== undefined && !isDeepStrictEqual(first, request.calls))
      throw new Conflict('this idempotency key belongs to another command; give each command its own', deviceOf(request))
    if (underWay !== undefined) return await underWay.answer
    const told = this.#options.journal.answerFor(key)
    if (told === 'pending') throw new HardwareFault('this command was accepted before and its outcome is not known', 'POSSIBLE')
    if (told?.problem !== undefined) throw problemFromRecord(told.problem)
    if (told?.answer !== undefined) return told.answer
    const answer = this.#first(request, signal)
    this.#byKey.set(key, { calls: request.calls, answer })
    try {
      return await answer
    } finally {
      this.#byKey.delete(key)
    }
  }

  /** Ends everything that is under way but stops, which are what everybody wants now. */
  interrupt(reason: Problem): void {
    for (const { controller, isStop } of this.#active) if (!isStop) controller.abort(reason)
  }

  isBusy(deviceId: string): boolean {
    for (const { deviceIds } of this.#active) if (deviceIds.has(deviceId)) return true
    return false
  }

  async #first(request: CommandRequest, signal: AbortSignal): Promise<CommandAnswer> {
    const startedMs = performance.now()
    const active: Active = { controller: new AbortController(), deviceIds: new Set(), isStop: isStop(request.calls) }
    const { steps, changes } = await this.#acceptAs(active, request, signal)
    const { requestId } = request
    const completeMs = completeWithin(
      request.completeWithinMs,
      request.calls.map(({ deviceId, call }) => ({ call, device: this.#pace(deviceId) })),
    )
    active.deviceIds = new Set(steps.filter((step) => step.changes).map(({ device }) => device.record.id))
    this.progress.open(requestId)
    const late = (): Problem => new DeadlineExceeded(`not done within ${completeMs} ms; what moved was stopped`, completeMs, 'POSSIBLE')
    const limit = deadline(active.controller.signal, completeMs, late)
    const release = (): void => {
      limit[Symbol.dispose]()
      this.#active.delete(active)
    }

    const work = new Work(request, steps, limit.signal, (readings) => this.progress.moved(requestId, readings))
    let answer: CommandAnswer
    try {
      const results = await work.answered()
      answer = { requestId, state: work.goesOn ? 'ACCEPTED' : 'DONE', results, elapsedMs: performance.now() - startedMs }
      if (changes) await this.#outcome(requestId, { answer })
    } catch (error) {
      // What others of its calls have started goes on to its own end, still within the deadline.
      if (work.goesOn)
        void work
          .finished()
          .catch(() => undefined)
          .finally(release)
      else release()
      const problem = asProblem(error)
      this.progress.failed(requestId, problem)
      if (changes) await this.#outcome(requestId, { problem: problem.toRecord() })
      throw problem
    }
    if (work.goesOn) void this.#follow(request, work, steps).finally(release)
    else {
      release()
      this.progress.done(
        requestId,
        answer.results.flatMap(({ readings }) => readings),
      )
    }
    return answer
  }

  /** From its first moment on within reach of a stop: one that is released again before the acceptance must not let a move slip through. */
  async #acceptAs(active: Active, request: CommandRequest, signal: AbortSignal): Promise<Accepted> {
    this.#active.add(active)
    try {
      return await this.#accept(request, AbortSignal.any([signal, active.controller.signal]))
    } catch (error) {
      this.#active.delete(active)
      throw error
    }
  }

  /** Checked, permitted and in the journal, within acceptWithinMs; nothing has been written to any instrument yet. */
  async #accept(request: CommandRequest, signal: AbortSignal): Promise<Accepted> {
    const { acceptWithinMs, calls, cause, fence } = request
    if (calls.length === 0 || calls.length > MAX_CALLS) throw new InvalidValue(`a command has 1 to ${MAX_CALLS} calls, not ${calls.length}`, ['calls'])
    using accepting = deadline(signal, acceptWithinMs, () => new DeadlineExceeded(`not accepted within ${acceptWithinMs} ms`, acceptWithinMs, 'NONE'))
    const writer: Writer = { cause: { ...cause, requestId: request.requestId }, ...(fence !== undefined && { fence }) }
    const steps: Step[] = []
    for (const { deviceId, call } of calls) {
      try {
        steps.push(await orAbort(this.#prepared(deviceId, call, writer, accepting.signal), accepting.signal))
      } catch (error) {
        throw asProblem(error, 'NONE').with({ deviceId })
      }
    }
    const changes = steps.some((step) => step.changes)
    accepting.signal.throwIfAborted()
    if (changes) await this.#journalled(request, accepting.signal)
    return { steps, changes }
  }

  async #prepared(deviceId: string, call: CommandCall, writer: Writer, signal: AbortSignal): Promise<Step> {
    const { device: find, permit, permitRelease } = this.#options
    const device = find(deviceId)
    return await prepare(call, { device, writer, signal, permit: () => permit(device, writer), permitRelease: () => permitRelease(device, writer) })
  }

  async #journalled({ requestId, idempotencyKey, cause, calls }: CommandRequest, accepting: AbortSignal): Promise<void> {
    const { journal, clock, note } = this.#options
    const entry: JournalEntry = { type: 'command', time: clock.wallNs(), requestId, ...(idempotencyKey !== undefined && { idempotencyKey }), cause, calls }
    if (isStop(calls)) {
      note(entry) // a stop neither waits for the disk nor is refused by it
      return
    }
    journal.append(entry)
    try {
      await orAbort(journal.flush(), accepting)
    } catch (error) {
      const problem = asProblem(error, 'NONE')
      note({ type: 'outcome', time: clock.wallNs(), requestId, problem: problem.toRecord() })
      throw problem
    }
  }

  async #outcome(requestId: string, what: { readonly answer: CommandAnswer } | { readonly problem: ReturnType<Problem['toRecord']> }): Promise<void> {
    const { journal, clock } = this.#options
    try {
      journal.append({ type: 'outcome', time: clock.wallNs(), requestId, ...what })
      await journal.flush()
    } catch (error) {
      throw asProblem(error).with({ effect: 'POSSIBLE' })
    }
  }

  #pace(deviceId: string): Pace {
    const { motion, commands } = this.#options.device(deviceId).handle ?? {}
    return { ...(motion !== undefined && { motion }), ...(commands !== undefined && { commands: commands.specs }) }
  }

  /** The caller has its answer; whoever follows the progress, and the feed, hear of the end. */
  async #follow(request: CommandRequest, work: Work, [first]: readonly Step[]): Promise<void> {
    const { note, clock } = this.#options
    try {
      this.progress.done(request.requestId, await work.finished())
    } catch (error) {
      const problem = asProblem(error)
      this.progress.failed(request.requestId, problem)
      if (first === undefined) return
      const { id, name } = first.device.record
      const summary = `${name}: ${problem.message}`
      note({
        type: 'event',
        event: {
          time: clock.wallNs(),
          kind: 'DEVICE',
          subject: { type: 'Device', id },
          deviceId: id,
          summary,
          cause: request.cause,
        },
      })
    }
  }
}

function deviceOf({ calls }: CommandRequest): { readonly deviceId?: string } {
  const [first] = calls
  return first === undefined ? {} : { deviceId: first.deviceId }
}

function isStop(calls: CommandRequest['calls']): boolean {
  return calls.every(({ call }) => call.kind === 'stop')
}

type Result = CommandAnswer['results'][number]

/** The steps of one command while they are carried out. */
class Work {
  readonly #request: CommandRequest
  readonly #steps: readonly Step[]
  readonly #signal: AbortSignal
  readonly #moved: (readings: readonly CommandReading[]) => void
  #rest: Promise<readonly CommandReading[]>[] = []

  constructor(request: CommandRequest, steps: readonly Step[], signal: AbortSignal, moved: (readings: readonly CommandReading[]) => void) {
    this.#request = request
    this.#steps = steps
    this.#signal = signal
    this.#moved = moved
  }

  /** Whether something is still under way after the answer. */
  get goesOn(): boolean {
    return this.#rest.length > 0
  }

  /** What the caller waits for, one result for each call in the order given. Throws the first problem, once nothing of the command is started any more. */
  async answered(): Promise<readonly Result[]> {
    if (this.#request.order === 'sequence') {
      const results: Result[] = []
      for (const step of this.#steps) results.push(await this.#step(step))
      return results
    }
    const settled = await Promise.allSettled(this.#steps.map((step) => this.#step(step)))
    return settled.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason
      return outcome.value
    })
  }

  /** The readings at the end of what went on. */
  async finished(): Promise<readonly CommandReading[]> {
    const settled = await Promise.allSettled(this.#rest)
    return settled.flatMap((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason
      return outcome.value
    })
  }

  async #step(step: Step): Promise<Result> {
    const deviceId = step.device.record.id
    try {
      this.#signal.throwIfAborted() // a step whose turn comes after the end of the command is not begun
      let readings = await step.start(this.#signal)
      const rest = step.finish?.(this.#signal, this.#moved)
      if (rest !== undefined && step.wait) readings = await rest
      else if (rest !== undefined) {
        rest.catch(() => undefined) // finished() tells it
        this.#rest.push(rest)
      }
      const value = step.value?.()
      return { deviceId, readings, ...(value !== undefined && { value }) }
    } catch (error) {
      throw asProblem(error).with({ deviceId })
    }
  }
}
