import { InvalidValue } from '../errors.ts'
import type { AxisOrigins, PlanGenerator, PlanOutline, PlanSpec } from '../plan.ts'
import { count } from './count.ts'
import { linearScan } from './linear-scan.ts'
import { record } from './record.ts'

/** Every plan there is; a test compares this list with the folder. */
export const PLANS = { count, linearScan, record } as const

const MAX_AVERAGE = 10_000 // readings in one value; at the rate of a serial instrument some minutes

/** Throws InvalidValue for what is wrong by itself, without looking at any device. */
export function checkPlan(plan: PlanSpec): void {
  for (const { role, average = 1, rateHz } of plan.arguments.detectors) {
    const path = ['plan', plan.type, 'detectors', role]
    if (!Number.isSafeInteger(average) || average < 1 || average > MAX_AVERAGE)
      throw new InvalidValue(`detector ${role}: average ${average} is not a whole number from 1 to ${MAX_AVERAGE}`, path)
    if (rateHz === undefined) continue
    if (!(rateHz > 0 && Number.isFinite(rateHz))) throw new InvalidValue(`detector ${role}: rateHz ${rateHz} is not more than 0`, path)
    if (plan.type !== 'record') throw new InvalidValue(`detector ${role}: a rate is for the plan record; at each point of a scan one value is read`, path)
    if (average !== 1) throw new InvalidValue(`detector ${role}: what is sampled at a rate is recorded scan by scan, without an average`, path)
  }
  switch (plan.type) {
    case 'count':
      return PLANS.count.check(plan.arguments)
    case 'linearScan':
      return PLANS.linearScan.check(plan.arguments)
    case 'record':
      return PLANS.record.check(plan.arguments)
  }
}

export function outlineOf(plan: PlanSpec): PlanOutline {
  switch (plan.type) {
    case 'count':
      return PLANS.count.outline(plan.arguments)
    case 'linearScan':
      return PLANS.linearScan.outline(plan.arguments)
    case 'record':
      return PLANS.record.outline(plan.arguments)
  }
}

export function messagesOf(plan: PlanSpec, origins: AxisOrigins): PlanGenerator {
  switch (plan.type) {
    case 'count':
      return PLANS.count.messages(plan.arguments, origins)
    case 'linearScan':
      return PLANS.linearScan.messages(plan.arguments, origins)
    case 'record':
      return PLANS.record.messages(plan.arguments, origins)
  }
}
