import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Problem } from '../../../core/errors.ts'
import { asProblem, LimitViolation, PlanRejected } from '../../../core/errors.ts'
import { checkValue } from '../../../core/parameter.ts'
import type { AxisOrigins } from '../../../core/plan.ts'
import { messagesOf } from '../../../core/plans/plans.ts'
import { convert } from '../../../core/unit.ts'
import type { BoundAxis, BoundRun } from './bound-plan.ts'
import { freshReadings, numberOf } from './measure.ts'

const MESSAGES_PER_TURN = 1000 // a stop must never wait behind a million points
const MAX_REASONS = 10 // of a refused plan; one wrong end of a scan is many points

/** Where each axis stands now, in the axis' unit; read from the instruments. */
export async function readOrigins({ axes }: Pick<BoundRun, 'axes'>, signal: AbortSignal): Promise<AxisOrigins> {
  const readings = await freshReadings(axes, signal)
  return axes.map((axis) => convert(withinLimits(axis, numberOf(readings(axis), axis)), axis.spec.unit, axis.unit))
}

/** An axis that rests on its limit measures a little beyond it now and then; going back there must not be refused. */
function withinLimits({ device, spec: { deadband = 0, step = 0 }, moves }: BoundAxis, measured: number): number {
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = (moves ? device.handle?.motion?.limits() : undefined) ?? {}
  const inside = Math.min(maximum, Math.max(minimum, measured))
  return Math.abs(inside - measured) <= Math.max(deadband, step) ? inside : measured
}

/** Walks the whole plan without moving anything. Throws the one problem, or PlanRejected with the first few. */
export async function checkTargets(run: BoundRun, origins: AxisOrigins, signal: AbortSignal): Promise<void> {
  const problems = new Map<string, Problem>()
  let walked = 0
  for (const message of messagesOf(run.plan, origins)) {
    if (++walked % MESSAGES_PER_TURN === 0) {
      await nextTurn()
      signal.throwIfAborted()
    }
    const axis = message.do === 'set' ? run.axes[message.axis] : undefined
    if (message.do !== 'set' || axis === undefined) continue
    try {
      checkTarget(axis, message.value)
    } catch (error) {
      const problem = asProblem(error, 'NONE').with({ deviceId: axis.device.record.id })
      problems.set(problem.message, problem)
      if (problems.size >= MAX_REASONS) break
    }
  }
  const [first, ...more] = problems.values()
  if (first === undefined) return
  throw more.length === 0 ? first : new PlanRejected([...problems.keys()])
}

function checkTarget({ device, spec, sets, moves, unit }: BoundAxis, value: number): void {
  if (!moves) {
    checkValue(sets, value, unit)
    return
  }
  const { minimum, maximum } = device.handle?.motion?.limits() ?? {}
  const position = convert(value, unit, spec.unit)
  if ((minimum !== undefined && position < minimum) || (maximum !== undefined && position > maximum))
    throw new LimitViolation(`${device.record.name}.${spec.name}`, position, minimum, maximum, spec.unit)
}
