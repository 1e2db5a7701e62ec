import { InvalidValue, LimitViolation, ReadOnlyParameter } from './errors.ts'
import type { ParameterValue } from './reading.ts'
import { convert } from './unit.ts'

export type ParameterKind = 'FLOAT' | 'INTEGER' | 'BOOLEAN' | 'TEXT' | 'ENUM' | 'LIST'
export type Access = 'READ_ONLY' | 'READ_WRITE' | 'WRITE_ONLY'

/** What a driver says of one of its parameters. Limits and step are in `unit`, a UCUM code. */
export type ParameterSpec = {
  readonly name: string
  readonly description: string
  readonly kind: ParameterKind
  readonly access: Access
  readonly unit?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly step?: number
  readonly choices?: readonly string[]
  /** A reading enters the history when it differs from the last one there by more than this, in `unit`. Default 0: every change. */
  readonly deadband?: number
  /** How often the station reads it. Absent: read at connect, after a set, and on request. */
  readonly pollMs?: number
  /** Polled at this interval instead while the device is busy (an axis moves). */
  readonly busyPollMs?: number
  /**
   * It comes by itself, each reading with the time of what was measured (a frame); the station does not ask for it. Every reading enters the history: a series of
   * all frames tells more than its changes.
   */
  readonly streamed?: true
}

/** Of a driver's connection settings and a plan's or command's arguments. */
export type SettingSpec = {
  readonly name: string
  readonly kind: ParameterKind
  readonly description: string
  readonly required: boolean
  readonly unit?: string
  readonly default?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly choices?: readonly string[]
}

export const MAX_TEXT_LENGTH = 4096 // longer texts are files, not settings
export const MAX_LIST_LENGTH = 1000 // a waveform longer than this is a dataset

/**
 * Checks access, kind, unit, range and choices, before any hardware is spoken to, and returns the value in the parameter's own unit.
 * Throws ReadOnlyParameter, InvalidValue, IncompatibleUnit or LimitViolation.
 */
export function checkValue(spec: ParameterSpec, given: ParameterValue, givenUnit?: string): ParameterValue {
  if (spec.access === 'READ_ONLY') throw new ReadOnlyParameter(spec.name)
  const refuse = (allowed: string): never => {
    throw new InvalidValue(`${spec.name}: ${describe(given)} is not allowed; ${allowed}`, [spec.name])
  }
  const inUnit = (number: number): number => convert(number, givenUnit ?? spec.unit, spec.unit)
  const inRange = (value: number): number => {
    if ((spec.minimum !== undefined && value < spec.minimum) || (spec.maximum !== undefined && value > spec.maximum))
      throw new LimitViolation(spec.name, value, spec.minimum, spec.maximum, spec.unit)
    return value
  }
  switch (spec.kind) {
    case 'FLOAT':
    case 'INTEGER': {
      if (typeof given !== 'number' || !Number.isFinite(given)) return refuse('give a finite number')
      const value = inUnit(given)
      if (spec.kind === 'INTEGER' && !Number.isSafeInteger(value)) return refuse('give a whole number')
      return inRange(value)
    }
    case 'BOOLEAN':
      return typeof given === 'boolean' ? given : refuse('give true or false')
    case 'ENUM':
      return typeof given === 'string' && spec.choices?.includes(given) === true ? given : refuse(`choose one of ${spec.choices?.join(', ')}`)
    case 'TEXT':
      return typeof given === 'string' && given.length <= MAX_TEXT_LENGTH ? given : refuse(`give a text of at most ${MAX_TEXT_LENGTH} characters`)
    case 'LIST':
      return Array.isArray(given) && given.length <= MAX_LIST_LENGTH && given.every((item) => Number.isFinite(item))
        ? given.map((item) => inRange(inUnit(item)))
        : refuse(`give a list of at most ${MAX_LIST_LENGTH} finite numbers`)
  }
}

/** Whether `next` is worth a line of history after `last`. */
export function exceedsDeadband(
  { deadband = 0 }: Pick<ParameterSpec, 'deadband'>,
  last: ParameterValue | undefined,
  next: ParameterValue | undefined,
): boolean {
  if (typeof last === 'number' && typeof next === 'number') return Math.abs(next - last) > deadband
  if (Array.isArray(last) && Array.isArray(next)) return last.length !== next.length || last.some((item, at) => Math.abs(item - next[at]) > deadband)
  return last !== next
}

function describe(value: ParameterValue): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value)
}
