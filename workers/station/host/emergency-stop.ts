import type { Actor, Cause } from '../../../core/cause.ts'
import type { DeviceStopResult } from '../../../core/command.ts'
import type { EmergencyStopState } from '../../../core/device.ts'
import { asProblem, EmergencyStopped, HardwareFault } from '../../../core/errors.ts'
import { type Clock, formatRfc3339 } from '../../../core/time.ts'
import type { Journal } from '../journal/journal.ts'
import { deadline, orAbort } from './deadline.ts'
import type { StopReport } from './host.ts'
import type { StationDevice } from './station-device.ts'

const CONFIRM_WITHIN_MS = 2_000 // the answer says by then which devices were not seen to stand

export type EmergencyStopOptions = {
  readonly journal: Pick<Journal, 'append' | 'flush' | 'memory'>
  readonly clock: Clock
  readonly devices: () => Iterable<StationDevice>
  /** Everything that is under way must end now, with this reason. Called before the first byte is sent. */
  readonly interrupt: (reason: EmergencyStopped) => void
  readonly onChange: () => void
  readonly log: (line: string) => void
}

/** The latch: once pressed, nothing is started on this station until a person releases it, over restarts too. */
export class EmergencyStop {
  readonly #options: EmergencyStopOptions
  readonly #listeners = new Set<(state: EmergencyStopState) => void>()
  #state: EmergencyStopState

  constructor(options: EmergencyStopOptions) {
    this.#options = options
    this.#state = options.journal.memory.emergencyStop?.state ?? { active: false }
  }

  get state(): EmergencyStopState {
    return this.#state
  }

  /** Who stopped, and why, for whatever the stop changes. */
  get cause(): Cause {
    return causeOfStop(this.#state)
  }

  onStop(listener: (state: EmergencyStopState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Throws EmergencyStopped while the latch is set. */
  permit(): void {
    if (this.#state.active) throw this.#problem('NONE')
  }

  /** First the latch, then the bytes on every wire at once, then everything else. */
  async stop(actor: Actor, reason: string | undefined, elapsedMs: number): Promise<StopReport> {
    const arrived = performance.now() - elapsedMs
    const { clock } = this.#options
    this.#state = { active: true, by: actor.name, at: clock.wallNs(), ...(reason !== undefined && { reason }) }
    this.#options.interrupt(this.#problem('POSSIBLE'))
    using confirming = deadline(
      new AbortController().signal,
      CONFIRM_WITHIN_MS,
      () => new HardwareFault(`not confirmed within ${CONFIRM_WITHIN_MS} ms`, 'POSSIBLE'),
    )
    const stopping = [...this.#options.devices()]
      .filter((device) => device.stoppable)
      .map((device) => stopDevice(device, this.cause, arrived, confirming.signal))
    for (const listener of this.#listeners) listener(this.#state)
    this.#options.onChange()
    const [devices] = await Promise.all([Promise.all(stopping), this.#keep(confirming.signal)])
    return { state: this.#state, devices, elapsedMs: performance.now() - arrived }
  }

  async release(actor: Actor, reason: string | undefined): Promise<EmergencyStopState> {
    const { journal, clock } = this.#options
    const pressed = this.#state
    if (!pressed.active) return pressed
    const released: EmergencyStopState = { active: false, by: actor.name, at: clock.wallNs(), ...(reason !== undefined && { reason }) }
    journal.append({ type: 'emergencyStop', state: released })
    await journal.flush()
    if (this.#state !== pressed) return this.#state // pressed again meanwhile: nobody has released that one
    this.#state = released
    this.#options.onChange()
    return released
  }

  /** A disk that is full or hangs must not refuse a stop; it costs the latch its memory over a restart, and is said. */
  async #keep(signal: AbortSignal): Promise<void> {
    const { journal, log } = this.#options
    try {
      journal.append({ type: 'emergencyStop', state: this.#state })
      await orAbort(journal.flush(), signal)
    } catch (error) {
      log(`the emergency stop is not in the journal: ${asProblem(error).message}`)
    }
  }

  #problem(effect: 'NONE' | 'POSSIBLE'): EmergencyStopped {
    const { by, at, reason } = this.#state
    const since = at === undefined ? undefined : formatRfc3339(at)
    const words = [`stopped by ${by ?? 'somebody'}`, since && `at ${since}`, reason && `because ${reason}`].filter(Boolean).join(' ')
    return new EmergencyStopped(`the emergency stop is active: ${words}; release it first`, { effect, ...(since !== undefined && { since }) })
  }
}

export function causeOfStop({ by, reason }: EmergencyStopState): Cause {
  return { kind: 'EMERGENCY_STOP', ...(by !== undefined && { actor: by }), ...(reason !== undefined && { reason }) }
}

async function stopDevice(device: StationDevice, cause: Cause, arrived: number, signal: AbortSignal): Promise<DeviceStopResult> {
  const deviceId = device.record.id
  let sentMs: number | undefined
  try {
    const { confirmed } = await device.emergencyStop(cause, signal)
    sentMs = performance.now() - arrived
    const stands = await orAbort(confirmed, signal)
    return { deviceId, sentMs, confirmed: stands, ...(stands && { confirmedMs: performance.now() - arrived }) }
  } catch (error) {
    return { deviceId, ...(sentMs !== undefined && { sentMs }), confirmed: false, problem: asProblem(error).with({ deviceId }).toRecord() }
  }
}
