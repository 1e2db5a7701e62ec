/** What an axis can count in (SN, "ESP300 User's Manual", section 3), as the controller numbers it. */
export type AxisUnit = {
  readonly code: number
  /** As people choose it. */
  readonly name: string
  /** UCUM. Counts and steps have no scale that this driver could know. */
  readonly ucum: string
  /** Half a micrometre, or what is like it: below it a standing servo hunts. */
  readonly deadband: number
}

const unit = (code: number, name: string, ucum: string, deadband: number): AxisUnit => ({ code, name, ucum, deadband })

export const AXIS_UNITS: readonly AxisUnit[] = [
  unit(0, 'encoder-count', '{count}', 5),
  unit(1, 'motor-step', '{step}', 1),
  unit(2, 'mm', 'mm', 5e-4),
  unit(3, 'um', 'um', 0.5),
  unit(4, 'inch', '[in_i]', 2e-5),
  unit(5, 'milli-inch', '[mil_i]', 0.02),
  unit(6, 'micro-inch', '10*-6.[in_i]', 20),
  unit(7, 'deg', 'deg', 5e-4),
  unit(8, 'gradian', 'gon', 5e-4),
  unit(9, 'rad', 'rad', 1e-5),
  unit(10, 'mrad', 'mrad', 0.01),
  unit(11, 'urad', 'urad', 10),
]

export const UNIT_NAMES: readonly string[] = AXIS_UNITS.map(({ name }) => name)

export function unitNamed(name: unknown): AxisUnit | undefined {
  return AXIS_UNITS.find((candidate) => candidate.name === name)
}

export const UNIT = /^\d{1,2}$/

/** undefined: not one of the manual's. */
export function parseUnit(reply: string): AxisUnit | undefined {
  return UNIT.test(reply) ? AXIS_UNITS.find(({ code }) => code === Number(reply)) : undefined
}
