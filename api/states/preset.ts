import type { ManifestEntry } from '../../core/dataset.ts'
import type { DeviceState } from '../../core/device.ts'
import { Conflict, InvalidValue, NotFound, ReadOnlyParameter } from '../../core/errors.ts'
import { checkValue, type ParameterSpec } from '../../core/parameter.ts'
import { wallNsFromMs } from '../../core/time.ts'
import type { Prisma } from '../../prisma/client.ts'
import { appendEvents } from '../../prisma/events.ts'
import { need } from '../actor.ts'
import { type Context, causeOf } from '../context.ts'
import { deviceByGlobalId } from '../devices.ts'
import type { Device, Preset } from '../loaders.ts'
import { restoreEntry, type StoredEntry, storeEntry } from '../manifest.ts'
import { nowNs } from '../now.ts'
import { parametersOf } from '../parameters.ts'
import { isUniqueViolation } from '../unique.ts'
import { parameterValue, type ValueGiven } from '../values.ts'
import { presentState, type Snapshot, snapshot } from './snapshot.ts'

export type PresetValueGiven = {
  readonly deviceId: string
  readonly parameter: string
  readonly value: ValueGiven
  readonly unit?: string | null | undefined
}
export type PresetGiven = {
  readonly name: string
  readonly description?: string | null | undefined
  readonly deviceIds?: readonly string[] | null | undefined
  readonly values?: readonly PresetValueGiven[] | null | undefined
  readonly expectedVersion?: number | null | undefined
}

const MAX_NAME_LENGTH = 200 // one line
const MAX_DESCRIPTION_LENGTH = 20_000 // as a note
const MAX_ENTRIES = 10_000 // some MB; a lab that has more settings has several presets

export function entriesOf({ entries }: Pick<Preset, 'entries'>): readonly ManifestEntry[] {
  return (entries as unknown as readonly StoredEntry[]).map(restoreEntry)
}

export function presetState(preset: Preset): Snapshot {
  return { ...snapshot(wallNsFromMs(preset.createdAt.getTime()), entriesOf(preset)), partial: true }
}

/**
 * What the devices are set to now, and the values given. A name that is taken gets its next version, for those who know the last one: `expectedVersion`.
 * Throws InvalidValue, NotFound, Conflict, Forbidden and what checkValue throws.
 */
export async function savePreset(given: PresetGiven, context: Context): Promise<Preset> {
  need(context, 'OPERATOR')
  const { expectedVersion } = given
  const name = given.name.trim()
  if (name === '' || name.length > MAX_NAME_LENGTH) throw new InvalidValue(`name: give 1 to ${MAX_NAME_LENGTH} characters`, ['input', 'name'])
  if ((given.description?.length ?? 0) > MAX_DESCRIPTION_LENGTH)
    throw new InvalidValue(`description: give at most ${MAX_DESCRIPTION_LENGTH} characters`, ['input', 'description'])
  const entries = new Map([...(await presentSettings(given, context)), ...(await givenSettings(given.values ?? [], context))])
  if (entries.size === 0 || entries.size > MAX_ENTRIES)
    throw new InvalidValue(`a preset holds 1 to ${MAX_ENTRIES} settings; these are ${entries.size}`, ['input', 'deviceIds'])

  const data = {
    name,
    description: given.description ?? null,
    author: context.actor.name,
    createdAt: new Date(),
    entries: [...entries.values()].map(storeEntry) as unknown as Prisma.InputJsonValue,
  }
  try {
    return await context.database.prisma.$transaction(async (tx) => {
      const there = await tx.preset.findUnique({ where: { name }, select: { id: true, version: true } })
      const saved = there === null ? await create() : await replace(there)
      const event = { time: nowNs(), kind: 'AUDIT', summary: `preset ${name} saved, version ${saved.version}`, cause: causeOf(context) } as const
      await appendEvents(tx, [event])
      return saved

      async function create(): Promise<Preset> {
        if (expectedVersion != null) throw new Conflict(`there is no preset ${name} yet; save it without expectedVersion`)
        return tx.preset.create({ data })
      }
      async function replace({ id, version }: { readonly id: string; readonly version: number }): Promise<Preset> {
        const [row] = await tx.preset.updateManyAndReturn({ where: { id, version: expectedVersion ?? -1 }, data: { ...data, version: { increment: 1 } } })
        if (row === undefined) throw new Conflict(`preset ${name} is at version ${version}; to replace it give that as expectedVersion`, { presetId: id })
        return row
      }
    })
  } catch (error) {
    throw isUniqueViolation(error) ? new Conflict(`preset ${name} was saved by somebody else just now`) : error
  }
}

type Settings = readonly (readonly [string, ManifestEntry])[]

/** Of the devices named; of all where neither devices nor values are given. */
async function presentSettings({ deviceIds, values }: PresetGiven, context: Context): Promise<Settings> {
  if (deviceIds == null && values != null) return []
  const chosen = deviceIds == null ? undefined : await Promise.all(deviceIds.map((id) => deviceByGlobalId(id, context)))
  const state = await presentState(
    chosen?.map(({ id }) => id),
    context,
  )
  const settings = await Promise.all(
    [...state.values].map(async ([id, value]) => {
      const device = await context.load.device.load(value.deviceId)
      const spec = device && (await settableSpec(device, value.parameter, context))
      if (device === undefined || spec === undefined || spec.access === 'WRITE_ONLY') return [] // what can only be written, nobody knows
      if (value.reading.quality === 'BAD' || value.reading.quality === 'STALE')
        throw new Conflict(`what ${value.parameter} of ${device.name} is set to is not known now; leave the device out or give the value`, {
          deviceId: device.id,
        })
      return [[id, { ...value, deviceName: device.name }]] as const
    }),
  )
  return settings.flat()
}

async function givenSettings(given: readonly PresetValueGiven[], context: Context): Promise<Settings> {
  const time = nowNs()
  return Promise.all(
    given.map(async ({ deviceId, parameter, value, unit }) => {
      const device = await deviceByGlobalId(deviceId, context)
      const spec = await settableSpec(device, parameter, context)
      if (spec === undefined) throw new ReadOnlyParameter(parameter)
      const checked = checkValue(spec, parameterValue(value, parameter), unit ?? undefined)
      const own = spec.unit !== undefined && { unit: spec.unit }
      return [
        `${device.id}/${parameter}`,
        { deviceId: device.id, deviceName: device.name, parameter, ...own, reading: { time, quality: 'GOOD', value: checked } },
      ] as const
    }),
  )
}

/** Of what can be set: also the position of an axis, which is set by moving. undefined for what can only be read. Throws NotFound. */
async function settableSpec(device: Device, name: string, context: Context): Promise<ParameterSpec | undefined> {
  const spec = (await parametersOf(device, context)).find((source) => source.spec.name === name)?.spec
  if (spec === undefined) throw new NotFound(`parameter ${name} of ${device.name}`)
  if (spec.access !== 'READ_ONLY') return spec
  const motion: DeviceState['motion'] = context.stations.device(device)?.motion
  if (motion?.positionParameter !== name) return undefined
  const limits = { ...(motion.minimum !== undefined && { minimum: motion.minimum }), ...(motion.maximum !== undefined && { maximum: motion.maximum }) }
  return { ...spec, ...limits, access: 'READ_WRITE' }
}
