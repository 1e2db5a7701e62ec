import type { ParameterSpec } from '../../core/parameter.ts'
import type { Context } from '../context.ts'
import type { Device } from '../loaders.ts'
import { parameterSource, parametersOf } from '../parameters.ts'
import type { ParameterSource } from '../refs.ts'

export type StateSource = { readonly device: Device; readonly parameter: ParameterSource }

/** Devices (removed ones too) and parameters by "<device id>/<name>": as their station says, and what only the database still knows. */
export async function sourcesOf(deviceIds: Iterable<string>, context: Context): Promise<ReadonlyMap<string, StateSource>> {
  const sources = await Promise.all(
    [...new Set(deviceIds)].map(async (id) => {
      const device = await context.load.device.load(id)
      if (device === undefined) return []
      const stored = (await context.load.parametersOfDevice.load(id)).map(({ spec }) => parameterSource(device, spec as unknown as ParameterSpec))
      const live = await parametersOf(device, context)
      return [...stored, ...live].map((parameter): [string, StateSource] => [parameter.id, { device, parameter }])
    }),
  )
  return new Map(sources.flat())
}
