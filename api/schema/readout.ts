import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import type { Device } from '../loaders.ts'
import { parameterOf } from '../parameters.ts'
import { ParameterRef, type ParameterSource, ReadingRef } from '../refs.ts'
import { readingOf, unitArg } from './reading.ts'

export const ReadoutRef = builder.objectRef<ParameterSource>('Readout').implement({
  description: 'The main quantity.',
  fields: (t) => ({
    value: t.field({ type: ReadingRef, nullable: true, args: unitArg, resolve: (parameter, { unit }, context) => readingOf(parameter, unit, context) }),
    unit: t.string({ nullable: true, resolve: ({ spec }) => spec.unit ?? null }),
    parameter: t.field({ type: ParameterRef, description: 'Whose reading it is.', resolve: (parameter) => parameter }),
  }),
})

export async function readoutOf(device: Device, context: Context): Promise<ParameterSource | null> {
  const name = context.stations.device(device)?.readoutParameter
  return name === undefined ? null : ((await parameterOf(device, name, context)) ?? null)
}
