import type { Capability } from '../../core/capability.ts'
import type { DeviceStatus } from '../../core/device.ts'
import { NotFound } from '../../core/errors.ts'
import { wallNsFromMs } from '../../core/time.ts'
import type { Prisma } from '../../prisma/client.ts'
import { builder } from '../builder.ts'
import { after, idCursor, pageArgs, pageCost, pageOf } from '../connection.ts'
import { containing } from '../containing.ts'
import type { Context } from '../context.ts'
import { connectionOf, connectionReasonOf } from '../devices.ts'
import { localId } from '../global-id.ts'
import type { Device } from '../loaders.ts'
import { parametersOf } from '../parameters.ts'
import { DatasetConnectionRef, DeviceConnectionRef, DeviceRef, NodeRef, ParameterRef, PortRef, SessionConnectionRef, StationRef } from '../refs.ts'
import { CameraRef, cameraOf } from './camera.ts'
import { CommandSpecRef } from './command-spec.ts'
import { DriverRef } from './driver.ts'
import { CapabilityEnum, ConnectionStateEnum } from './enums.ts'
import { MotionRef, motionOf } from './motion.ts'
import { ReadoutRef, readoutOf } from './readout.ts'
import { EmissionStateRef, ShutterStateRef, switchStateOf } from './switch-state.ts'
import { WavelengthStateRef, wavelengthOf } from './wavelength.ts'

const StatusCodeEnum = builder.enumType('StatusCode', { values: ['IDLE', 'BUSY', 'WARNING', 'ERROR', 'UNSTABLE', 'DISABLED'] as const })
const DeviceStatusRef = builder.objectRef<DeviceStatus>('DeviceStatus').implement({
  fields: (t) => ({
    code: t.field({ type: StatusCodeEnum, resolve: ({ code }) => code }),
    text: t.string({ nullable: true, resolve: ({ text }) => text ?? null }),
    since: t.field({ type: 'Time', resolve: ({ since }) => since }),
  }),
})

DeviceRef.implement({
  description: 'One instrument, real or simulated, or one axis or address of a shared one.',
  interfaces: [NodeRef],
  fields: (t) => ({
    name: t.exposeString('name', { description: 'Unique; what people call it.' }),
    label: t.exposeString('label', { nullable: true }),
    driverId: t.exposeString('driverId'),
    driver: t.field({
      type: DriverRef,
      nullable: true,
      description: 'null where no station that is known speaks to it.',
      resolve: ({ driverId }, _args, { stations }) => stations.driver(driverId) ?? null,
    }),
    station: t.field({ type: StationRef, resolve: (device, _args, { load }) => found(load.station.load(device.stationId), 'station') }),
    port: t.field({ type: PortRef, nullable: true, resolve: async (device, _args, { load }) => (await load.port.load(device.portId)) ?? null }),
    address: t.exposeString('subAddress', { nullable: true, description: 'On a shared port: the ESP300 axis, the Modbus unit.' }),
    removedAt: t.field({ type: 'Time', nullable: true, description: 'A removed device keeps its name in old runs.', resolve: ({ removedAt }) => removedAt }),
    simulated: t.exposeBoolean('simulated', { description: 'Never hidden.' }),
    connection: t.field({ type: ConnectionStateEnum, resolve: (device, _args, { stations }) => connectionOf(device, stations) }),
    connectionReason: t.string({
      nullable: true,
      description: 'Why it is not connected.',
      resolve: (device, _args, { stations }) => connectionReasonOf(device, stations) ?? null,
    }),
    status: t.field({ type: DeviceStatusRef, resolve: (device, _args, context) => statusOf(device, context) }),
    capabilities: t.field({
      type: [CapabilityEnum],
      description: 'Derived from what the driver implements.',
      resolve: (device, _args, { stations }) => stations.device(device)?.capabilities ?? stations.driver(device.driverId)?.capabilities ?? [],
    }),
    parameters: t.field({
      type: [ParameterRef],
      args: { names: t.arg.stringList() },
      complexity: ({ names }) => ({ field: 1, multiplier: names?.length ?? 10 }),
      resolve: async (device, { names }, context) => {
        const all = await parametersOf(device, context)
        return names == null ? all : all.filter(({ spec }) => names.includes(spec.name))
      },
    }),
    parameter: t.field({
      type: ParameterRef,
      nullable: true,
      args: { name: t.arg.string({ required: true }) },
      resolve: async (device, { name }, context) => (await parametersOf(device, context)).find(({ spec }) => spec.name === name) ?? null,
    }),
    motion: t.field({
      type: MotionRef,
      nullable: true,
      description: 'null unless MOVABLE, and until it was connected once.',
      resolve: (device, _args, context) => motionOf(device, context),
    }),
    readout: t.field({
      type: ReadoutRef,
      nullable: true,
      description: 'null unless READABLE, and until it was connected once.',
      resolve: (device, _args, context) => readoutOf(device, context),
    }),
    camera: t.field({
      type: CameraRef,
      nullable: true,
      description: 'null unless FRAME_PRODUCER, and until it was connected once.',
      resolve: (device, _args, context) => cameraOf(device, context),
    }),
    shutter: t.field({
      type: ShutterStateRef,
      nullable: true,
      description: 'null unless SHUTTER_CONTROL, and until it was connected once.',
      resolve: (device, _args, context) => switchStateOf(device, 'shutterParameter', context),
    }),
    emission: t.field({
      type: EmissionStateRef,
      nullable: true,
      description: 'null unless EMISSION_CONTROL, and until it was connected once.',
      resolve: (device, _args, context) => switchStateOf(device, 'emissionParameter', context),
    }),
    wavelength: t.field({
      type: WavelengthStateRef,
      nullable: true,
      description: 'null unless WAVELENGTH_TUNABLE, and until it was connected once.',
      resolve: (device, _args, context) => wavelengthOf(device, context),
    }),
    commands: t.field({
      type: [CommandSpecRef],
      description: 'Its own; empty unless COMMANDABLE, and until it was connected once.',
      resolve: (device, _args, { stations }) => stations.device(device)?.commands ?? [],
    }),
    sessions: t.field({
      type: SessionConnectionRef,
      args: pageArgs(20),
      complexity: pageCost,
      resolve: ({ id }, args, { database: { prisma } }) => {
        const where = { runs: { some: { devices: { some: { deviceId: id } } } } }
        return pageOf(
          args,
          (take) => prisma.session.findMany({ where, orderBy: [{ startedAt: 'desc' }, { id: 'desc' }], take, ...after(args) }),
          idCursor,
          () => prisma.session.count({ where }),
        )
      },
    }),
    datasets: t.field({
      type: DatasetConnectionRef,
      args: pageArgs(20),
      complexity: pageCost,
      resolve: ({ id }, args, { database: { prisma } }) => {
        const where = { OR: [{ deviceId: id }, { run: { devices: { some: { deviceId: id } } } }] }
        return pageOf(
          args,
          (take) => prisma.dataset.findMany({ where, orderBy: [{ createdAt: 'desc' }, { id: 'desc' }], take, ...after(args) }),
          idCursor,
          () => prisma.dataset.count({ where }),
        )
      },
    }),
  }),
})

const DeviceFilterRef = builder.inputType('DeviceFilter', {
  fields: (t) => ({
    capabilities: t.field({ type: [CapabilityEnum], description: 'Has all of them.' }),
    stationId: t.id(),
    connections: t.field({ type: [ConnectionStateEnum] }),
    driver: t.string(),
    simulated: t.boolean(),
    text: t.string(),
    includeRemoved: t.boolean({ defaultValue: false }),
  }),
})

builder.queryFields((t) => ({
  device: t.field({
    type: DeviceRef,
    nullable: true,
    args: { id: t.arg.id(), name: t.arg.string() },
    resolve: async (_root, { id, name }, { load, database: { prisma } }) => {
      if (id != null) return (await load.device.load(localId('Device', id))) ?? null
      return name == null ? null : prisma.device.findFirst({ where: { name, removedAt: null } })
    },
  }),
  devices: t.field({
    type: DeviceConnectionRef,
    args: { filter: t.arg({ type: DeviceFilterRef }), ...pageArgs() },
    complexity: pageCost,
    resolve: (_root, { filter, ...args }, context) => {
      const { prisma } = context.database
      const where = whereOf(filter ?? {}, context)
      return pageOf(
        args,
        (take) => prisma.device.findMany({ where, orderBy: [{ name: 'asc' }, { id: 'asc' }], take, ...after(args) }),
        idCursor,
        () => prisma.device.count({ where }),
      )
    },
  }),
}))

/** What only the stations know (connection, capabilities) becomes a list of ids; there are hundreds of devices, not millions. */
function whereOf(
  { capabilities, stationId, connections, driver, simulated, text, includeRemoved }: typeof DeviceFilterRef.$inferInput,
  { stations }: Context,
): Prisma.DeviceWhereInput {
  const live = stations.all().flatMap((mirror) => [...mirror.devices.values()].map((state) => ({ state, online: mirror.online })))
  const has = (own: readonly Capability[]): boolean => capabilities?.every((capability) => own.includes(capability)) === true
  const able = live.filter(({ state }) => has(state.capabilities)).map(({ state }) => state.id)
  // Whom no station has told of yet can do what its driver can, as Device.capabilities says.
  const models = stations
    .drivers()
    .filter((known) => has(known.capabilities))
    .map(({ id }) => id)
  const told = live.filter(({ online }) => online).map(({ state }) => state.id)
  const connected = live.filter(({ state, online }) => online && connections?.includes(state.connection) === true).map(({ state }) => state.id)
  return {
    AND: [
      includeRemoved === true ? {} : { removedAt: null },
      stationId == null ? {} : { stationId: localId('Station', stationId) },
      driver == null ? {} : { driverId: driver },
      simulated == null ? {} : { simulated },
      text == null ? {} : { OR: [{ name: containing(text) }, { label: containing(text) }] },
      capabilities == null ? {} : { OR: [{ id: { in: able } }, { id: { notIn: live.map(({ state }) => state.id) }, driverId: { in: models } }] },
      // Whoever's station is away is disconnected.
      connections == null
        ? {}
        : connections.includes('DISCONNECTED')
          ? { OR: [{ id: { in: connected } }, { id: { notIn: told } }] }
          : { id: { in: connected } },
    ],
  }
}

function statusOf(device: Device, { stations }: Context): DeviceStatus {
  const mirror = stations.find(device.stationId)
  const known = mirror?.devices.get(device.id)
  if (known !== undefined && mirror?.online === true) return known.status
  return { code: 'DISABLED', text: 'its station is away', since: mirror?.offlineSince ?? known?.status.since ?? wallNsFromMs(device.createdAt.getTime()) }
}

async function found<Row>(row: Promise<Row | undefined>, what: string): Promise<Row> {
  const there = await row
  if (there === undefined) throw new NotFound(`${what} of the device`)
  return there
}
