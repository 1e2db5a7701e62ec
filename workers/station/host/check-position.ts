import { InvalidValue, LimitViolation } from '../../../core/errors.ts'
import { convert } from '../../../core/unit.ts'
import type { MotionFacet } from '../../../drivers/driver.ts'

/** The position in the axis' own unit. Throws InvalidValue, IncompatibleUnit or LimitViolation, before anything is spoken to. */
export function checkPosition(motion: Pick<MotionFacet, 'unit' | 'limits' | 'positionParameter'>, position: number, unit: string | undefined): number {
  if (!Number.isFinite(position)) throw new InvalidValue(`${position} is not a position; give a finite number`, ['to'])
  const target = convert(position, unit, motion.unit)
  const { minimum, maximum } = motion.limits()
  if ((minimum !== undefined && target < minimum) || (maximum !== undefined && target > maximum))
    throw new LimitViolation(motion.positionParameter, target, minimum, maximum, motion.unit)
  return target
}
