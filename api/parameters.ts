import type { ParameterSpec } from '../core/parameter.ts'
import type { Context } from './context.ts'
import { splitParameterId } from './global-id.ts'
import type { ParameterSource } from './refs.ts'

type DeviceLike = { readonly id: string; readonly stationId: string }

export function parameterSource({ id, stationId }: DeviceLike, spec: ParameterSpec): ParameterSource {
  return { id: `${id}/${spec.name}`, device: { id, stationId }, spec }
}

/** From the station as it is now; from the database for a device that is not connected since this api started. */
export async function parametersOf(device: DeviceLike, context: Pick<Context, 'stations' | 'load'>): Promise<readonly ParameterSource[]> {
  const live = context.stations.device(device)?.parameters ?? []
  if (live.length > 0) return live.map(({ spec }) => parameterSource(device, spec))
  const stored = await context.load.parametersOfDevice.load(device.id)
  return stored.map(({ spec }) => parameterSource(device, spec as unknown as ParameterSpec))
}

export async function parameterOf(device: DeviceLike, name: string, context: Pick<Context, 'stations' | 'load'>): Promise<ParameterSource | undefined> {
  return (await parametersOf(device, context)).find(({ spec }) => spec.name === name)
}

export async function parameterById(id: string, context: Pick<Context, 'stations' | 'load'>): Promise<ParameterSource | undefined> {
  const { deviceId, name } = splitParameterId(id)
  const device = await context.load.device.load(deviceId)
  return device && (await parameterOf(device, name, context))
}
