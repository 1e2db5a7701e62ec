import { HardwareFault, messageOf } from '../../core/errors.ts'
import type { ParameterValue } from '../../core/reading.ts'
import { formatRfc3339, type WallNs } from '../../core/time.ts'
import type { TurnBy } from './motions.ts'
import type { CALIBRATION_METHODS, CALIBRATION_STATES } from './parameters.ts'

export const SWEEP = [-7, 14] as const // degrees
const LIMIT_SECONDS = 180

/** Turns a little back and forth until the switch was passed. Throws HardwareFault when it was not. */
export async function sweep(report: CalibrationReport, turn: TurnBy): Promise<void> {
  const startMs = performance.now()
  const seconds = (): number => (performance.now() - startMs) / 1000
  const before = report.passes
  const found = (): boolean => report.passes > before
  report.begin()
  try {
    for (const degrees of SWEEP) if (!found()) await turn(degrees, () => found() || seconds() > LIMIT_SECONDS)
  } catch (error) {
    report.end(seconds(), { reason: messageOf(error), method: 'exception' })
    throw error
  }
  const reason = `the recalibration switch was not found within ${-SWEEP[0]} deg`
  report.end(seconds(), found() ? undefined : { reason, method: 'sweep' })
  if (!found()) throw new HardwareFault(reason, 'DONE', { instrumentCode: 'NO_SWITCH' })
}

/** What is known of the last calibration. */
export class CalibrationReport {
  #status: (typeof CALIBRATION_STATES)[number] = 'unknown'
  #method: (typeof CALIBRATION_METHODS)[number] = 'none'
  #error = ''
  #seconds: number | undefined
  #passedAt: WallNs | undefined
  #passes = 0

  /** How often the switch was passed since the connection. */
  get passes(): number {
    return this.#passes
  }

  passed(at: WallNs): void {
    this.#passes += 1
    this.#passedAt = at
    if (this.#status === 'running') return // the sweep reports it
    this.#status = 'ok'
    this.#method = 'live_switch'
    this.#error = ''
  }

  set(): void {
    this.#status = 'ok'
    this.#method = 'set'
    this.#error = ''
  }

  begin(): void {
    this.#status = 'running'
    this.#method = 'sweep'
    this.#error = ''
  }

  end(seconds: number, failure?: { readonly reason: string; readonly method: 'sweep' | 'exception' }): void {
    this.#seconds = seconds
    this.#status = failure === undefined ? 'ok' : 'degraded'
    this.#method = failure?.method ?? 'sweep'
    this.#error = failure?.reason ?? ''
  }

  /** undefined: not a parameter of this report, or not known. */
  read(name: string): ParameterValue | undefined {
    switch (name) {
      case 'calibration_status':
        return this.#status
      case 'calibration_method':
        return this.#method
      case 'calibration_error':
        return this.#error
      case 'calibration_duration':
        return this.#seconds
      case 'last_calibration_at':
        return this.#passedAt === undefined ? undefined : formatRfc3339(this.#passedAt)
    }
    return undefined
  }
}
