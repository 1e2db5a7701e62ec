/**
 * Every failure that a person can act on, in one place because each must be rebuilt on the far side of a wire.
 * `effect` says whether the hardware may have acted: it decides whether trying again is safe.
 */

export type Effect = 'NONE' | 'POSSIBLE' | 'DONE'

export type ProblemCode =
  | 'STATION_OFFLINE'
  | 'DEVICE_BUSY'
  | 'INVALID_QUERY'
  | 'LIMIT_EXCEEDED'
  | 'INVALID_VALUE'
  | 'LIMIT_VIOLATION'
  | 'READ_ONLY'
  | 'INCOMPATIBLE_UNIT'
  | 'NOT_FOUND'
  | 'NOT_SUPPORTED'
  | 'DEVICE_OFFLINE'
  | 'INTERLOCK_BLOCKED'
  | 'LEASE_HELD'
  | 'EMERGENCY_STOPPED'
  | 'HARDWARE_FAULT'
  | 'DEADLINE_EXCEEDED'
  | 'FORBIDDEN'
  | 'CONFLICT'
  | 'PLAN_REJECTED'
  | 'STORAGE_FULL'

/** The facts a client needs beside the message. Plain values only: they travel over the station link and into the run's row. */
export type ProblemFacts = {
  readonly path?: readonly string[]
  readonly given?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly unit?: string
  readonly parameter?: string
  readonly givenUnit?: string
  readonly expectedUnit?: string
  readonly what?: string
  readonly capability?: string
  readonly deviceId?: string
  readonly stationId?: string
  readonly runId?: string
  readonly sessionId?: string
  readonly jobId?: string
  readonly presetId?: string
  /** RFC 3339. */
  readonly since?: string
  readonly instrumentCode?: string
  readonly effect?: Effect
  readonly deadlineMs?: number
  readonly needed?: string
  readonly limit?: string
  readonly reasons?: readonly string[]
  readonly neededBytes?: number
  readonly freeBytes?: number
}

export type ProblemRecord = { readonly code: ProblemCode; readonly message: string; readonly facts: ProblemFacts }

export class Problem extends Error {
  readonly code: ProblemCode
  readonly facts: ProblemFacts

  constructor(code: ProblemCode, message: string, facts: ProblemFacts = {}, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    this.facts = facts
  }

  /** NONE unless the problem says otherwise: refused before any hardware was spoken to. */
  get effect(): Effect {
    return this.facts.effect ?? 'NONE'
  }

  toRecord(): ProblemRecord {
    return { code: this.code, message: this.message, facts: this.facts }
  }

  /** Adds facts that only an outer layer knows, such as the device. */
  with(facts: ProblemFacts): Problem {
    return new Problem(this.code, this.message, { ...this.facts, ...facts }, { cause: this })
  }
}

export function problemFromRecord(record: ProblemRecord): Problem {
  return new Problem(record.code, record.message, record.facts)
}

/** The words of anything that was thrown. A connect to a name with several addresses fails with an AggregateError, which has none of its own. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ')
  return error instanceof Error ? error.message || error.name : String(error)
}

/** A Problem as it is; anything else is a fault of ours or of the hardware, with what is known of its effect. */
export function asProblem(error: unknown, effect: Effect = 'POSSIBLE'): Problem {
  if (error instanceof Problem) return error
  return new Problem('HARDWARE_FAULT', messageOf(error), { effect }, { cause: error })
}

export class InvalidValue extends Problem {
  constructor(message: string, path: readonly string[]) {
    super('INVALID_VALUE', message, { path })
  }
}

export class LimitViolation extends Problem {
  constructor(parameter: string, given: number, minimum: number | undefined, maximum: number | undefined, unit: string | undefined) {
    const shown = unit === undefined ? '' : ` ${unit}`
    const range = `${minimum ?? '-∞'} … ${maximum ?? '∞'}${shown}`
    super('LIMIT_VIOLATION', `${parameter}: ${given}${shown} is outside ${range}`, {
      parameter,
      given,
      ...(minimum !== undefined && { minimum }),
      ...(maximum !== undefined && { maximum }),
      ...(unit !== undefined && { unit }),
    })
  }
}

export class ReadOnlyParameter extends Problem {
  constructor(parameter: string) {
    super('READ_ONLY', `${parameter} can only be read`, { parameter })
  }
}

export class IncompatibleUnit extends Problem {
  constructor(givenUnit: string, expectedUnit: string) {
    super('INCOMPATIBLE_UNIT', `${givenUnit} cannot be converted to ${expectedUnit}`, { givenUnit, expectedUnit })
  }
}

export class NotFound extends Problem {
  constructor(what: string) {
    super('NOT_FOUND', `there is no ${what}`, { what })
  }
}

export class NotSupported extends Problem {
  constructor(message: string, capability?: string) {
    super('NOT_SUPPORTED', message, capability === undefined ? {} : { capability })
  }
}

export class DeviceOffline extends Problem {
  constructor(message: string, facts: ProblemFacts) {
    super('DEVICE_OFFLINE', message, facts)
  }
}

export class StationOffline extends Problem {
  constructor(message: string, facts: ProblemFacts) {
    super('STATION_OFFLINE', message, facts)
  }
}

export class DeviceBusy extends Problem {
  constructor(message: string, facts: ProblemFacts) {
    super('DEVICE_BUSY', message, facts)
  }
}

export class EmergencyStopped extends Problem {
  constructor(message: string, facts: ProblemFacts = {}) {
    super('EMERGENCY_STOPPED', message, facts)
  }
}

export class HardwareFault extends Problem {
  constructor(message: string, effect: Effect, facts: ProblemFacts = {}, options?: ErrorOptions) {
    super('HARDWARE_FAULT', message, { ...facts, effect }, options)
  }
}

export class DeadlineExceeded extends Problem {
  constructor(message: string, deadlineMs: number, effect: Effect) {
    super('DEADLINE_EXCEEDED', message, { deadlineMs, effect })
  }
}

export class Forbidden extends Problem {
  constructor(message: string, needed: string) {
    super('FORBIDDEN', message, { needed })
  }
}

export class Conflict extends Problem {
  constructor(message: string, facts: ProblemFacts = {}) {
    super('CONFLICT', message, facts)
  }
}

export class PlanRejected extends Problem {
  constructor(reasons: readonly string[]) {
    super('PLAN_REJECTED', `the plan was not accepted: ${reasons.join('; ')}`, { reasons })
  }
}

export class StorageFull extends Problem {
  constructor(neededBytes: number, freeBytes: number) {
    super('STORAGE_FULL', `${neededBytes} bytes are needed and ${freeBytes} are free`, { neededBytes, freeBytes })
  }
}
