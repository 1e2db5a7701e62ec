import type { Reading } from '../../core/reading.ts'
import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import type { Device } from '../loaders.ts'
import { parameterOf } from '../parameters.ts'
import { ParameterRef, type ParameterSource } from '../refs.ts'
import { QualityEnum } from './enums.ts'

/** What the parameter of a shutter or of an emission says now. */
type SwitchState = Pick<Reading, 'quality' | 'reason'> & {
  readonly parameter: ParameterSource | undefined
  readonly value: boolean | null
  readonly time: Reading['time'] | null
}

export const ShutterStateRef = builder.objectRef<SwitchState>('ShutterState').implement({
  fields: (t) => ({
    parameter: t.field({ type: ParameterRef, nullable: true, description: 'The one that opens and closes it.', resolve: ({ parameter }) => parameter ?? null }),
    open: t.boolean({ nullable: true, description: 'null while nobody can say.', resolve: ({ value }) => value }),
    quality: t.field({ type: QualityEnum, resolve: ({ quality }) => quality }),
    time: t.field({ type: 'Time', nullable: true, resolve: ({ time }) => time }),
    reason: t.string({ nullable: true, description: 'Why there is no value, or why it is doubtful.', resolve: ({ reason }) => reason ?? null }),
  }),
})

export const EmissionStateRef = builder.objectRef<SwitchState>('EmissionState').implement({
  fields: (t) => ({
    parameter: t.field({ type: ParameterRef, nullable: true, description: 'The one that switches it.', resolve: ({ parameter }) => parameter ?? null }),
    on: t.boolean({ nullable: true, description: 'null while nobody can say.', resolve: ({ value }) => value }),
    quality: t.field({ type: QualityEnum, resolve: ({ quality }) => quality }),
    time: t.field({ type: 'Time', nullable: true, resolve: ({ time }) => time }),
    reason: t.string({ nullable: true, description: 'Why there is no value, or why it is doubtful.', resolve: ({ reason }) => reason ?? null }),
  }),
})

/** null where the device has none, or was never connected. */
export async function switchStateOf(device: Device, facet: 'shutterParameter' | 'emissionParameter', context: Context): Promise<SwitchState | null> {
  const name = context.stations.device(device)?.[facet]
  if (name === undefined) return null
  const parameter = await parameterOf(device, name, context)
  const reading = context.stations.find(device.stationId)?.reading(device.id, name, 'reading')
  if (reading === undefined) return { parameter, value: null, quality: 'BAD', time: null, reason: 'it was never read' }
  const { value, quality, time, reason } = reading
  return { parameter, value: typeof value === 'boolean' ? value : null, quality, time, ...(reason !== undefined && { reason }) }
}
