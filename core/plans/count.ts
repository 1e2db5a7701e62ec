import { InvalidValue } from '../errors.ts'
import type { Detector, Plan } from '../plan.ts'
import { MAX_POINTS } from '../plan.ts'

export type CountArguments = { readonly detectors: readonly Detector[]; readonly num: number; readonly delaySeconds?: number }

/** Read the detectors `num` times, `delaySeconds` apart. */
export const count: Plan<CountArguments> = {
  type: 'count',
  title: 'Count',
  description: 'Reads the detectors a number of times without moving anything.',

  check({ detectors, num, delaySeconds }) {
    if (detectors.length === 0) throw new InvalidValue('count needs at least one detector', ['plan', 'count', 'detectors'])
    if (!Number.isSafeInteger(num) || num < 1 || num > MAX_POINTS)
      throw new InvalidValue(`num: ${num} is not a whole number from 1 to ${MAX_POINTS}`, ['plan', 'count', 'num'])
    if (delaySeconds !== undefined && !(delaySeconds >= 0))
      throw new InvalidValue(`delaySeconds: ${delaySeconds} is less than 0`, ['plan', 'count', 'delaySeconds'])
  },

  outline({ detectors, num }) {
    return { axes: [], detectors, totalPoints: num, shape: [num], summary: `count ${num} × ${detectors.map(({ role }) => role).join(', ')}`, canPause: false }
  },

  *messages({ num, delaySeconds = 0 }) {
    for (let point = 0; point < num; point += 1) {
      yield { do: 'checkpoint' }
      if (point > 0 && delaySeconds > 0) yield { do: 'wait', seconds: delaySeconds }
      yield { do: 'row' }
    }
  },
}
