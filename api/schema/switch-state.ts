import type { Reading } from '../../core/reading.ts'
import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import type { Device } from '../loaders.ts'
import { QualityEnum } from './enums.ts'

/** What the parameter of a shutter or of an emission says now. */
type SwitchState = Pick<Reading, 'quality' | 'reason'> & { readonly value: boolean | null; readonly time: Reading['time'] | null }

export const ShutterStateRef = builder.objectRef<SwitchState>('ShutterState').implement({
  fields: (t) => ({
    open: t.boolean({ nullable: true, description: 'null while nobody can say.', resolve: ({ value }) => value }),
    quality: t.field({ type: QualityEnum, resolve: ({ quality }) => quality }),
    time: t.field({ type: 'Time', nullable: true, resolve: ({ time }) => time }),
    reason: t.string({ nullable: true, description: 'Why there is no value, or why it is doubtful.', resolve: ({ reason }) => reason ?? null }),
  }),
})

export const EmissionStateRef = builder.objectRef<SwitchState>('EmissionState').implement({
  fields: (t) => ({
    on: t.boolean({ nullable: true, description: 'null while nobody can say.', resolve: ({ value }) => value }),
    quality: t.field({ type: QualityEnum, resolve: ({ quality }) => quality }),
    time: t.field({ type: 'Time', nullable: true, resolve: ({ time }) => time }),
    reason: t.string({ nullable: true, description: 'Why there is no value, or why it is doubtful.', resolve: ({ reason }) => reason ?? null }),
  }),
})

/** null where the device has none, or was never connected. */
export function switchStateOf(device: Device, facet: 'shutterParameter' | 'emissionParameter', { stations }: Context): SwitchState | null {
  const name = stations.device(device)?.[facet]
  if (name === undefined) return null
  const reading = stations.find(device.stationId)?.reading(device.id, name, 'reading')
  if (reading === undefined) return { value: null, quality: 'BAD', time: null, reason: 'it was never read' }
  const { value, quality, time, reason } = reading
  return { value: typeof value === 'boolean' ? value : null, quality, time, ...(reason !== undefined && { reason }) }
}
