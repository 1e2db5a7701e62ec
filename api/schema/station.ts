import { builder } from '../builder.ts'
import { after, connectionRef, idCursor, pageArgs, pageCost, pageOf } from '../connection.ts'
import { localId } from '../global-id.ts'
import { DeviceConnectionRef, EmergencyStopRef, NodeRef, PortRef, StationRef } from '../refs.ts'
import { HealthRef, stationHealth } from './health.ts'

StationRef.implement({
  description: 'A host that owns hardware. Only the station that owns a port opens it.',
  interfaces: [NodeRef],
  fields: (t) => ({
    name: t.exposeString('name'),
    host: t.exposeString('host'),
    online: t.boolean({ resolve: ({ id }, _args, { stations }) => stations.find(id)?.online ?? false }),
    emergencyStop: t.field({
      type: EmergencyStopRef,
      resolve: ({ id, stopActive, stopBy, stopReason, stopAt }, _args, { stations }) => {
        const mirror = stations.find(id)
        if (mirror?.online === true) return mirror.emergencyStop
        return {
          active: stopActive,
          ...(stopBy !== null && { by: stopBy }),
          ...(stopReason !== null && { reason: stopReason }),
          ...(stopAt !== null && { at: BigInt(stopAt.getTime()) * 1_000_000n }),
        }
      },
    }),
    lastSeen: t.field({
      type: 'Time',
      nullable: true,
      resolve: ({ id, lastSeen }, _args, { stations }) => (stations.find(id)?.online === true ? new Date() : lastSeen),
    }),
    devices: t.field({
      type: DeviceConnectionRef,
      args: pageArgs(),
      complexity: pageCost,
      resolve: ({ id }, args, { database: { prisma } }) => {
        const where = { stationId: id, removedAt: null }
        return pageOf(
          args,
          (take) => prisma.device.findMany({ where, orderBy: [{ name: 'asc' }, { id: 'asc' }], take, ...after(args) }),
          idCursor,
          () => prisma.device.count({ where }),
        )
      },
    }),
    ports: t.field({ type: [PortRef], resolve: ({ id }, _args, { load }) => load.portsOfStation.load(id) }),
    health: t.field({
      type: HealthRef,
      nullable: true,
      description: 'null while the station is away.',
      resolve: ({ id }, _args, context) => stationHealth(id, context),
    }),
  }),
})

const StationConnectionRef = connectionRef('Station', StationRef)

builder.queryFields((t) => ({
  station: t.field({
    type: StationRef,
    nullable: true,
    args: { id: t.arg.id(), name: t.arg.string() },
    resolve: async (_root, { id, name }, { load, database: { prisma } }) => {
      if (id != null) return (await load.station.load(localId('Station', id))) ?? null
      return name == null ? null : prisma.station.findUnique({ where: { name } })
    },
  }),
  stations: t.field({
    type: StationConnectionRef,
    args: pageArgs(),
    complexity: pageCost,
    resolve: (_root, args, { database: { prisma } }) =>
      pageOf(args, (take) => prisma.station.findMany({ orderBy: [{ name: 'asc' }, { id: 'asc' }], take, ...after(args) }), idCursor),
  }),
}))
