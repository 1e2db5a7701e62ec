import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import type { Device } from '../loaders.ts'
import { parameterOf } from '../parameters.ts'
import { ParameterRef, type ParameterSource, ReadingRef } from '../refs.ts'
import { currentReading, readingOf } from './reading.ts'

type WavelengthSource = { readonly measured: ParameterSource | undefined; readonly set: ParameterSource | undefined }

const UNIT = 'nm' // of drivers; the arguments give others

const nanometres = builder.args((t) => ({ unit: t.string({ defaultValue: UNIT }) }))

export const WavelengthStateRef = builder.objectRef<WavelengthSource>('WavelengthState').implement({
  fields: (t) => ({
    parameter: t.field({
      type: ParameterRef,
      nullable: true,
      description: 'The one that is measured, where the instrument can.',
      resolve: ({ measured }) => measured ?? null,
    }),
    setpointParameter: t.field({ type: ParameterRef, nullable: true, description: 'The one that tunes it.', resolve: ({ set }) => set ?? null }),
    value: t.field({ type: ReadingRef, nullable: true, args: nanometres, resolve: ({ measured }, { unit }, context) => readingOf(measured, unit, context) }),
    setpoint: t.field({
      type: ReadingRef,
      nullable: true,
      description: 'What the instrument says it was set to; while it does not say, what was asked for.',
      args: nanometres,
      resolve: ({ set }, { unit }, context) => readingOf(set, unit, context) ?? (set === undefined ? null : currentReading(set, 'setpoint', unit, context)),
    }),
    minimum: t.float({ nullable: true, resolve: ({ set }) => set?.spec.minimum ?? null }),
    maximum: t.float({ nullable: true, resolve: ({ set }) => set?.spec.maximum ?? null }),
    unit: t.string({ description: 'Of minimum and maximum.', resolve: ({ set }) => set?.spec.unit ?? UNIT }),
  }),
})

/** null where the device cannot be tuned, or was never connected. */
export async function wavelengthOf(device: Device, context: Context): Promise<WavelengthSource | null> {
  const wavelength = context.stations.device(device)?.wavelength
  if (wavelength === undefined) return null
  return { measured: await parameterOf(device, wavelength.parameter, context), set: await parameterOf(device, wavelength.setpointParameter, context) }
}
