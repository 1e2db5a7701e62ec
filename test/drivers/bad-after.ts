import { expect } from 'vitest'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import type { Fault } from '../../drivers/simulation/simulation.ts'

/**
 * What may be made of a reply that suffered `fault`: nothing, and of a late one also the `truth`, where this process was held up itself and found it there when
 * it looked. Never anything else.
 */
export function expectBadAfter(fault: Fault, measured: Measured | undefined, truth: ParameterValue): void {
  if (fault.kind === 'late' && measured !== undefined && 'value' in measured) expect(measured).toEqual({ value: truth })
  else expect(measured, fault.kind).toHaveProperty('bad')
}
