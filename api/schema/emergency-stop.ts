import type { DeviceStopResult } from '../../core/command.ts'
import type { EmergencyStopState } from '../../core/device.ts'
import { NotFound } from '../../core/errors.ts'
import { need } from '../actor.ts'
import { builder } from '../builder.ts'
import type { Context } from '../context.ts'
import { releaseStations, type StationStopResult, stopStations } from '../emergency-stop.ts'
import { localIds, parseGlobalId } from '../global-id.ts'
import { DeviceRef, EmergencyStopRef, ProblemRef, StationRef } from '../refs.ts'
import { answer, resultUnion } from './problem.ts'

EmergencyStopRef.implement({
  fields: (t) => ({
    active: t.exposeBoolean('active'),
    by: t.string({ nullable: true, resolve: ({ by }) => by ?? null }),
    reason: t.string({ nullable: true, resolve: ({ reason }) => reason ?? null }),
    at: t.field({ type: 'Time', nullable: true, resolve: ({ at }) => at ?? null }),
  }),
})

const DeviceStopRef = builder.objectRef<DeviceStopResult>('DeviceStop').implement({
  description: 'sentMs: stop bytes on the wire, counted from the arrival of the request. confirmed: the instrument says that it stands.',
  fields: (t) => ({
    device: t.field({
      type: DeviceRef,
      resolve: async ({ deviceId }, _args, { load }) => {
        const device = await load.device.load(deviceId)
        if (device === undefined) throw new NotFound(`device ${deviceId}`)
        return device
      },
    }),
    sentMs: t.float({ nullable: true, resolve: ({ sentMs }) => sentMs ?? null }),
    confirmed: t.boolean({
      nullable: true,
      description: 'null where nothing could be sent.',
      resolve: ({ sentMs, confirmed }) => (sentMs === undefined ? null : confirmed),
    }),
    confirmedMs: t.float({ nullable: true, resolve: ({ confirmedMs }) => confirmedMs ?? null }),
    problem: t.field({
      type: ProblemRef,
      nullable: true,
      resolve: ({ problem, deviceId }) => (problem === undefined ? null : { ...problem, facts: { deviceId, ...problem.facts } }),
    }),
  }),
})

const StationStopRef = builder.objectRef<StationStopResult>('StationStop').implement({
  fields: (t) => ({
    station: t.field({
      type: StationRef,
      resolve: async ({ stationId }, _args, { load }) => {
        const station = await load.station.load(stationId)
        if (station === undefined) throw new NotFound(`station ${stationId}`)
        return station
      },
    }),
    acknowledged: t.exposeBoolean('acknowledged'),
    devices: t.field({ type: [DeviceStopRef], resolve: ({ devices }) => devices }),
    elapsedMs: t.float({
      nullable: true,
      description: 'null where it did not acknowledge.',
      resolve: ({ acknowledged, elapsedMs }) => (acknowledged ? elapsedMs : null),
    }),
  }),
})

type EmergencyStopPayload = {
  readonly unknown?: readonly string[]
  readonly emergencyStop: EmergencyStopState
  readonly stations: readonly StationStopResult[]
  readonly elapsedMs: number
}
const EmergencyStopPayloadRef = builder.objectRef<EmergencyStopPayload>('EmergencyStopPayload').implement({
  fields: (t) => ({
    emergencyStop: t.field({ type: EmergencyStopRef, resolve: ({ emergencyStop }) => emergencyStop }),
    stations: t.field({ type: [StationStopRef], resolve: ({ stations }) => stations }),
    unknown: t.idList({
      description: 'Ids that were given and name no station; the others were stopped all the same.',
      resolve: ({ unknown }) => unknown ?? [],
    }),
    elapsedMs: t.exposeFloat('elapsedMs'),
  }),
})
const ReleaseResult = resultUnion('ReleaseResult', EmergencyStopPayloadRef, ['STATION_OFFLINE', 'NOT_FOUND', 'FORBIDDEN'])

/** A wrong id refuses no stop: it is told beside what was stopped. The database is asked only afterwards, and may be away. */
async function stopThese(ids: readonly string[], reason: string | undefined, context: Context): Promise<EmergencyStopPayload> {
  const given = new Map(ids.map((id) => [id, stationIdIn(id)]))
  const stationIds = [...new Set(given.values())].filter((id) => id !== undefined)
  const stopped = await stopStations(context, { actor: context.actor, reason, stationIds, arrivedAtMs: context.arrivedAtMs })
  const registered = await Promise.all(
    stopped.stations.map(
      async ({ stationId, acknowledged }) => acknowledged || (await context.load.station.load(stationId).catch(() => undefined)) !== undefined,
    ),
  )
  const stations = stopped.stations.filter((_, at) => registered[at])
  const unknown = ids.filter((id) => !stations.some(({ stationId }) => stationId === given.get(id)))
  return { ...stopped, stations, unknown }
}

function stationIdIn(id: string): string | undefined {
  const parsed = parseGlobalId(id)
  return parsed?.type === 'Station' ? parsed.localId : undefined
}

builder.mutationFields((t) => ({
  emergencyStop: t.field({
    type: EmergencyStopPayloadRef,
    description: 'Never refused to anyone who may operate; also POST /stop, which needs neither database nor queue.',
    args: { reason: t.arg.string(), stationIds: t.arg.idList() },
    resolve: (_root, { reason, stationIds }, context) => {
      need(context, 'OPERATOR')
      if (stationIds != null) return stopThese(stationIds, reason ?? undefined, context)
      return stopStations(context, { actor: context.actor, reason: reason ?? undefined, arrivedAtMs: context.arrivedAtMs })
    },
  }),
  releaseEmergencyStop: t.field({
    type: ReleaseResult,
    args: { stationIds: t.arg.idList(), reason: t.arg.string() },
    resolve: (_root, { stationIds, reason }, context) =>
      answer(() => {
        need(context, 'OPERATOR')
        return releaseStations(context, {
          actor: context.actor,
          reason: reason ?? undefined,
          stationIds: stationIds == null ? undefined : localIds('Station', stationIds),
        })
      }),
  }),
}))
