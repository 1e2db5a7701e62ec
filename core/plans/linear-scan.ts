import { InvalidValue } from '../errors.ts'
import type { Axis, AxisOrigins, Detector, Plan, Settle } from '../plan.ts'
import { MAX_AXES, MAX_POINTS } from '../plan.ts'

export type LinearScanArguments = {
  readonly axes: readonly Axis[]
  readonly num: number
  readonly detectors: readonly Detector[]
  readonly settle?: Settle
  readonly after: 'STAY' | 'RETURN'
}

/** Moves its axes together along a straight line, in `num` equal steps from start to stop, both included, and reads the detectors at each point. */
export const linearScan: Plan<LinearScanArguments> = {
  type: 'linearScan',
  title: 'Linear scan',
  description: 'Moves one axis, or several together, along a line and reads the detectors at each point.',

  check({ axes, num, detectors, settle }) {
    const at = (...path: string[]): string[] => ['plan', 'linearScan', ...path]
    if (axes.length < 1 || axes.length > MAX_AXES) throw new InvalidValue(`a linear scan moves 1 to ${MAX_AXES} axes, not ${axes.length}`, at('axes'))
    if (!Number.isSafeInteger(num) || num < 1 || num > MAX_POINTS)
      throw new InvalidValue(`num: ${num} is not a whole number from 1 to ${MAX_POINTS}`, at('num'))
    if (detectors.length === 0) throw new InvalidValue('a linear scan needs at least one detector', at('detectors'))
    for (const [index, axis] of axes.entries())
      if (!Number.isFinite(axis.start) || !Number.isFinite(axis.stop))
        throw new InvalidValue(`axis ${axis.role}: start and stop must be finite`, at('axes', String(index)))
    for (const [name, value] of Object.entries(settle ?? {}))
      if (value !== undefined && !(value >= 0)) throw new InvalidValue(`settle.${name}: ${value} is less than 0`, at('settle', name))
  },

  outline({ axes, num, detectors }) {
    const moved = axes.map(({ role, parameter, start, stop, unit, relative }) => {
      const what = parameter === undefined ? role : `${role}.${parameter}`
      return `${what} ${relative ? 'by ' : ''}${start} … ${stop}${unit === undefined ? '' : ` ${unit}`}`
    })
    const read = detectors.map(({ role }) => role).join(', ')
    return { axes, detectors, totalPoints: num, shape: [num], summary: `linear scan of ${moved.join(', ')} in ${num} points, reading ${read}`, canPause: false }
  },

  *messages({ axes, num, settle = {}, after }, origins: AxisOrigins) {
    for (let point = 0; point < num; point += 1) {
      yield { do: 'checkpoint' }
      for (const [index, axis] of axes.entries()) yield { do: 'set', axis: index, value: linePoint(axis, point, num, origins[index] ?? 0) }
      yield { do: 'settle', settle }
      yield { do: 'row' }
    }
    if (after === 'STAY') return
    for (const index of axes.keys()) yield { do: 'set', axis: index, value: origins[index] ?? 0 }
    yield { do: 'settle', settle }
  },
}

/** Computed from the ends each time, so that no error adds up and the last point is exactly `stop`. */
export function linePoint(axis: Axis, point: number, num: number, origin: number): number {
  const fraction = num === 1 ? 0 : point / (num - 1)
  const line = axis.start * (1 - fraction) + axis.stop * fraction
  const value = Math.min(Math.max(line, Math.min(axis.start, axis.stop)), Math.max(axis.start, axis.stop)) // rounding must not lead over an end, which may be a limit
  return axis.relative ? origin + value : value
}
