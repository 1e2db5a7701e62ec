import { Conflict, DeviceBusy, InvalidValue, NotFound } from '../core/errors.ts'
import { ACTIVE_RUN_STATES } from '../core/run.ts'
import type { Prisma } from '../prisma/client.ts'
import { appendEvents } from '../prisma/events.ts'
import { need } from './actor.ts'
import { command } from './commands.ts'
import { type Context, causeOf } from './context.ts'
import { deviceByGlobalId } from './devices.ts'
import { localId } from './global-id.ts'
import type { Device } from './loaders.ts'
import { nowNs } from './now.ts'
import { isUniqueViolation } from './unique.ts'
import { namedValues, type ValueGiven } from './values.ts'

const CHECK_DEADLINE_MS = 5_000 // the station only reads its address book
const SYNC_DEADLINE_MS = 10_000 // it lets go of a device, or takes one up without waiting for it to connect
/** A name stands in formulas, file names and columns. */
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/

export type NewDevice = {
  readonly name: string
  readonly label?: string | null | undefined
  readonly driver: string
  readonly stationId: string
  readonly settings?: readonly { readonly name: string; readonly value: ValueGiven }[] | null | undefined
}

/** The row is written only when the station has found the settings right; then the station takes the device up. Throws Problems. */
export async function registerDevice({ name, label, driver, stationId: station, settings: given }: NewDevice, context: Context): Promise<Device> {
  need(context, 'ENGINEER')
  if (!NAME.test(name))
    throw new InvalidValue(`name: ${JSON.stringify(name)} is not allowed; a letter, then at most 63 letters, digits, "_", "-" and "."`, ['input', 'name'])
  const stationId = localId('Station', station)
  if ((await context.load.station.load(stationId)) === undefined) throw new NotFound(`station with the id ${station}`)
  const settings = namedValues(given, 'settings')
  const mirror = context.stations.get(stationId)
  const { address, subAddress, portKind, simulated } = await mirror.call('checkDevice', { driverId: driver, settings }, CHECK_DEADLINE_MS)

  const device = await context.database.prisma
    .$transaction(async (tx) => {
      const port = await tx.port.upsert({
        where: { stationId_address: { stationId, address } },
        create: { stationId, address, kind: portKind },
        update: { kind: portKind },
      })
      const taken = await tx.device.findFirst({ where: { portId: port.id, subAddress: subAddress ?? null, removedAt: null } })
      if (taken !== null)
        throw new Conflict(`${taken.name} is already registered at ${address}${subAddress === undefined ? '' : ` ${subAddress}`}`, { deviceId: taken.id })
      const row = await tx.device.create({
        data: {
          name,
          driverId: driver,
          stationId,
          portId: port.id,
          settings: settings as Prisma.InputJsonValue,
          simulated,
          ...(label != null && { label }),
          ...(subAddress !== undefined && { subAddress }),
        },
      })
      await appendEvents(tx, [eventOf(row, 'was registered', context)])
      return row
    })
    .catch(async (error: unknown) => {
      if (!isUniqueViolation(error)) throw error
      const namesake = await context.database.prisma.device.findFirst({ where: { name, removedAt: null } })
      throw new Conflict(`there is already a device named ${name}`, namesake === null ? {} : { deviceId: namesake.id })
    })
  context.knownDevices.put(device)
  await mirror.call('syncDevices', {}, SYNC_DEADLINE_MS)
  return device
}

/** Refused while a run needs it. */
export async function removeDevice(id: string, context: Context): Promise<Device> {
  need(context, 'ENGINEER')
  const { id: deviceId, stationId, name } = await deviceByGlobalId(id, context)
  const removed = await context.database.prisma.$transaction(async (tx) => {
    const run = await tx.run.findFirst({ where: { devices: { some: { deviceId } }, state: { in: ['QUEUED', ...ACTIVE_RUN_STATES] } } })
    if (run !== null) throw new Conflict(`run ${run.number} needs ${name}; abort it first`, { runId: run.id })
    const row = await tx.device.update({ where: { id: deviceId }, data: { removedAt: new Date(), enabled: false, version: { increment: 1 } } })
    await appendEvents(tx, [eventOf(row, 'was removed', context)])
    return row
  })
  context.knownDevices.put(removed)
  context.load.device.clear(deviceId).prime(deviceId, removed)
  const mirror = context.stations.find(stationId)
  if (mirror?.online !== true) return removed // it reads its devices when it comes back
  const { postponed } = await mirror.call('syncDevices', {}, SYNC_DEADLINE_MS)
  if (postponed.includes(deviceId))
    throw new DeviceBusy(`${name} is removed, but in use: its station lets go of it when it is free`, { deviceId, stationId, effect: 'DONE' })
  return removed
}

export async function connectDevice(id: string, context: Context): Promise<Device> {
  return switchDevice(id, true, context)
}

export async function disconnectDevice(id: string, context: Context): Promise<Device> {
  return switchDevice(id, false, context)
}

/** The row holds what a person wants, for the station's next start too; the command makes it so now. */
async function switchDevice(id: string, enabled: boolean, context: Context): Promise<Device> {
  need(context, 'OPERATOR')
  const { id: deviceId } = await deviceByGlobalId(id, context)
  await command(context, [{ deviceId: id, call: { kind: enabled ? 'connect' : 'disconnect' } }], 'sequence', undefined)
  const switched = await context.database.prisma.device.update({ where: { id: deviceId }, data: { enabled, version: { increment: 1 } } })
  context.knownDevices.put(switched)
  return switched
}

function eventOf(device: Device, what: string, context: Context) {
  return {
    time: nowNs(),
    kind: 'DEVICE' as const,
    subject: { type: 'Device' as const, id: device.id },
    deviceId: device.id,
    summary: `device ${device.name} ${what} by ${context.actor.name}`,
    cause: causeOf(context),
  }
}
