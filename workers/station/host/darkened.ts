import type { Cause } from '../../../core/cause.ts'
import { HardwareFault } from '../../../core/errors.ts'
import type { Measured, Reading } from '../../../core/reading.ts'
import type { Clock } from '../../../core/time.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import { deadline, orAbort } from './deadline.ts'

/** What lets light out, as it was before a stop that may have ended it, and who stopped: what differs afterwards is a change with that cause. */
export type Darkened = { readonly before: ReadonlyMap<string, Reading>; readonly cause: Cause }

const LOOK_WITHIN_MS = 1_000 // before a device is made safe; what does not answer by then is made safe unseen

/** The parameters that an emergency stop or makeSafe changes without a set. */
export function lightOf({ shutter, emission }: Pick<DeviceHandle, 'shutter' | 'emission'>): readonly string[] {
  return [...new Set([shutter, emission].flatMap((facet) => (facet === undefined ? [] : [facet.parameter])))]
}

/** From the instrument; without what it does not tell. Never throws: whatever comes next is safer than what is. */
export async function lookAtLight(handle: DeviceHandle, clock: Clock, connection: AbortSignal): Promise<ReadonlyMap<string, Reading>> {
  const names = lightOf(handle)
  if (names.length === 0) return new Map()
  using limit = deadline(connection, LOOK_WITHIN_MS, () => new HardwareFault(`no answer within ${LOOK_WITHIN_MS} ms`, 'NONE'))
  const measured = await orAbort(handle.read(names, limit.signal), limit.signal).catch((): ReadonlyMap<string, Measured> => new Map())
  const time = clock.wallNs()
  return new Map(
    [...measured].flatMap(([name, one]): (readonly [string, Reading])[] =>
      'bad' in one ? [] : [[name, { time, quality: one.quality ?? 'GOOD', value: one.value }]],
    ),
  )
}

/** Those that have another value now. Nobody can say so of one that was not known before. */
export function darkenedBy(
  { before }: Darkened,
  now: (name: string) => Reading | undefined,
): readonly (readonly [name: string, old: Reading, next: Reading])[] {
  return [...before].flatMap(([name, old]) => {
    const next = now(name)
    return next?.value === undefined || old.value === undefined || next.value === old.value ? [] : [[name, old, next] as const]
  })
}
