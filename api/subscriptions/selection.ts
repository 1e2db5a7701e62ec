import { GraphQLError } from 'graphql'
import { NotFound } from '../../core/errors.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import { convert } from '../../core/unit.ts'
import type { Context } from '../context.ts'
import { deviceByGlobalId } from '../devices.ts'
import { parameterId } from '../global-id.ts'
import { parametersOf } from '../parameters.ts'
import type { StationMirror } from '../stations/mirror.ts'
import type { Chosen } from './reading-batch.ts'

export type SelectorGiven = { readonly deviceId: string; readonly names?: readonly string[] | null | undefined; readonly unit?: string | null | undefined }

/** Devices and parameters of one subscription: a whole lab fits, a list made by mistake does not. */
const MAX_SELECTORS = 500

type Selector = { readonly deviceId: string; readonly stationId: string; readonly names: readonly string[] | undefined; readonly unit: string | undefined }

/** What a subscription wants, resolved again whenever a station has changed: parameters are known only once their device was connected. */
export class Selection {
  readonly #selectors: readonly Selector[]
  readonly #known = new Map<string, Chosen>()

  constructor(selectors: readonly Selector[]) {
    this.#selectors = selectors
  }

  /** Throws NotFound for a device or a name that is not there, IncompatibleUnit for a unit that cannot be. */
  static async of(given: readonly SelectorGiven[], context: Context): Promise<Selection> {
    if (given.length === 0 || given.length > MAX_SELECTORS)
      throw new GraphQLError(`select: give 1 to ${MAX_SELECTORS} selectors, not ${given.length}`, { extensions: { code: 'BAD_USER_INPUT' } })
    const selectors = await Promise.all(
      given.map(async ({ deviceId, names, unit }) => {
        const device = await deviceByGlobalId(deviceId, context)
        const known = await parametersOf(device, context)
        for (const name of names ?? []) {
          const parameter = known.find(({ spec }) => spec.name === name)
          if (parameter === undefined && known.length > 0) throw new NotFound(`parameter ${name} of ${device.name}`)
          if (parameter !== undefined && unit != null) convert(0, parameter.spec.unit ?? '1', unit)
        }
        return { deviceId: device.id, stationId: device.stationId, names: names ?? undefined, unit: unit ?? undefined }
      }),
    )
    return new Selection(selectors)
  }

  stationIds(): string[] {
    return [...new Set(this.#selectors.map(({ stationId }) => stationId))]
  }

  /** The same as before where nothing that matters has changed: a device tells its state often. */
  #chosen(deviceId: string, spec: ParameterSpec, asked: string | undefined): Chosen {
    const key = `${deviceId}/${spec.name}/${asked ?? ''}`
    const known = this.#known.get(key)
    if (known !== undefined && known.spec.unit === spec.unit && known.spec.kind === spec.kind) return known
    const chosen = { deviceId, spec, unit: unitFor(spec.unit, asked), parameterId: parameterId(deviceId, spec.name) }
    this.#known.set(key, chosen)
    return chosen
  }

  /** By the handles of the station's present life. */
  chosenOf(mirror: StationMirror): Map<number, Chosen> {
    const chosen = new Map<number, Chosen>()
    for (const { deviceId, stationId, names, unit } of this.#selectors) {
      if (stationId !== mirror.stationId) continue
      for (const { spec, handle } of mirror.devices.get(deviceId)?.parameters ?? [])
        if (names === undefined || names.includes(spec.name)) chosen.set(handle, this.#chosen(deviceId, spec, unit))
    }
    return chosen
  }
}

/** A unit for a whole device is meant for those of its parameters that can have it. */
function unitFor(own: string | undefined, asked: string | undefined): string | undefined {
  if (asked === undefined || asked === own || own === undefined) return undefined
  try {
    convert(0, own, asked)
    return asked
  } catch {
    return undefined
  }
}
