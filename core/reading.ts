import type { WallNs } from './time.ts'

/** GOOD: the instrument said so now. UNCERTAIN: it may be wrong. STALE: it was so, nobody knows whether it still is. BAD: there is no value. */
export type Quality = 'GOOD' | 'UNCERTAIN' | 'STALE' | 'BAD'
export const QUALITIES = ['GOOD', 'UNCERTAIN', 'STALE', 'BAD'] as const satisfies readonly Quality[]

export type ParameterValue = number | string | boolean | readonly number[]

/** One value of a parameter at one time. `value` is absent exactly when quality is BAD. */
export type Reading = {
  readonly time: WallNs
  readonly quality: Quality
  readonly value?: ParameterValue
  /** Why there is no value, or why it is doubtful. */
  readonly reason?: string
}

/** What a driver measured, before the station stamps it. A failed read is `bad` with its reason; never a made-up number. */
export type Measured = { readonly value: ParameterValue; readonly quality?: 'GOOD' | 'UNCERTAIN' } | { readonly bad: string }
