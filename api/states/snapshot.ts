import type { ManifestEntry } from '../../core/dataset.ts'
import { type PastUnit, readingsAt, type Sampled, unitAt } from '../../core/history.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import { type ParameterValue, QUALITIES, type Reading } from '../../core/reading.ts'
import type { WallNs } from '../../core/time.ts'
import type { Database } from '../../prisma/client.ts'
import type { Context } from '../context.ts'
import type { Device } from '../loaders.ts'
import { nowNs } from '../now.ts'

/** One parameter's value within a state; the number is in `unit`. */
export type StateValue = Omit<ManifestEntry, 'deviceName'>

/** What is known of many parameters at one moment, by "<device id>/<name>". */
export type Snapshot = {
  readonly time: WallNs
  readonly values: ReadonlyMap<string, StateValue>
  /** A preset: it speaks of some parameters and says nothing of the others. */
  readonly partial?: boolean
}

export function snapshot(time: WallNs, values: Iterable<StateValue>): Snapshot {
  return { time, values: new Map(Array.from(values, (value) => [`${value.deviceId}/${value.parameter}`, value])) }
}

/** Now, from the mirrors of the stations: no request reaches an instrument. Of a device that no mirror knows, the last that was recorded. */
export async function presentState(deviceIds: readonly string[] | undefined, context: Context): Promise<Snapshot> {
  const { database, stations } = context
  const time = nowNs()
  const devices = await database.prisma.device.findMany({
    where: { removedAt: null, ...(deviceIds !== undefined && { id: { in: [...deviceIds] } }) },
    orderBy: { name: 'asc' },
  })
  const unknown = devices.filter((device) => (stations.device(device)?.parameters.length ?? 0) === 0).map(({ id }) => id)
  const recorded = unknown.length === 0 ? [] : await recordedValues(database, time, unknown)
  return snapshot(time, [...devices.flatMap((device) => mirroredValues(device, time, stations)), ...recorded.map(unconfirmed)])
}

function mirroredValues(device: Device, time: WallNs, stations: Context['stations']): readonly StateValue[] {
  const mirror = stations.find(device.stationId)
  return (stations.device(device)?.parameters ?? []).map(({ spec: { name, unit, access } }) => {
    const known = mirror?.reading(device.id, name, access === 'WRITE_ONLY' ? 'setpoint' : 'reading')
    const reading: Reading = known ?? { time, quality: 'BAD', reason: 'it was never read' }
    return { deviceId: device.id, parameter: name, ...(unit !== undefined && { unit }), reading }
  })
}

/** Its station has not been heard since this api started. */
function unconfirmed(value: StateValue): StateValue {
  const { reading } = value
  return reading.quality === 'BAD' ? value : { ...value, reading: { ...reading, quality: 'STALE', reason: 'its station is away' } }
}

/** A moment of the past, from the history: of each parameter the last sample then. Devices that are removed since are as they were. */
export async function pastState(
  at: WallNs,
  deviceIds: readonly string[] | undefined,
  { database }: { readonly database: Pick<Database, 'pool'> },
): Promise<Snapshot> {
  return snapshot(at, await recordedValues(database, at, deviceIds))
}

type SampleRow = {
  readonly deviceId: string
  readonly spec: ParameterSpec
  readonly pastUnits: readonly PastUnit[]
  readonly time: string
  readonly quality: number
  readonly number: number | null
  readonly text: string | null
  readonly boolean: boolean | null
  readonly list: readonly number[]
}

/** One step down the primary key of the samples for each parameter. */
export const LAST_SAMPLES = `
  SELECT p."deviceId", p."spec", p."pastUnits", s."time"::text AS "time", s."quality", s."number", s."text", s."boolean", s."list"
  FROM "device" d JOIN "parameter" p ON p."deviceId" = d."id"
  CROSS JOIN LATERAL (SELECT * FROM "sample" WHERE "parameterKey" = p."key" AND "time" <= $1::bigint ORDER BY "time" DESC, "sequence" DESC LIMIT 1) s
  WHERE (d."removedAt" IS NULL OR d."removedAt" > to_timestamp($1::bigint / 1e9)) AND ($2::uuid[] IS NULL OR d."id" = ANY($2))
  ORDER BY d."name", d."id", p."key"`

async function recordedValues({ pool }: Pick<Database, 'pool'>, at: WallNs, deviceIds: readonly string[] | undefined): Promise<readonly StateValue[]> {
  const { rows } = await pool.query<SampleRow>(LAST_SAMPLES, [at.toString(), deviceIds ?? null])
  const byDevice = new Map<string, (Sampled & Pick<SampleRow, 'pastUnits'>)[]>()
  for (const row of rows) {
    const samples = byDevice.get(row.deviceId) ?? []
    samples.push({ spec: row.spec, pastUnits: row.pastUnits, reading: sampledReading(row) })
    byDevice.set(row.deviceId, samples)
  }
  return [...byDevice].flatMap(([deviceId, samples]) =>
    readingsAt(samples, at).map((reading, index) => {
      const { spec: { name = '', unit: present } = {}, pastUnits = [] } = samples[index] ?? {}
      const unit = unitAt(reading.time, present, pastUnits)
      return { deviceId, parameter: name, ...(unit !== undefined && { unit }), reading }
    }),
  )
}

function sampledReading({ time, quality, number, text, boolean, list }: SampleRow): Reading {
  const known = QUALITIES[quality] ?? 'BAD'
  const value: ParameterValue = number ?? text ?? boolean ?? list
  return { time: BigInt(time), quality: known, ...(known !== 'BAD' && { value }) }
}
