import { InvalidValue, NotFound, PlanRejected } from '../../core/errors.ts'
import { isUuid } from '../../core/id.ts'
import type { PlanOutline } from '../../core/plan.ts'
import type { Context } from '../context.ts'
import { deviceByGlobalId } from '../devices.ts'
import { localId, parseGlobalId } from '../global-id.ts'
import type { Device } from '../loaders.ts'

export type BindingGiven = { readonly role: string; readonly deviceId: string }

/** The device that plays each role: the one bound to it, else the one whose name, or whose id, the role is. Throws NotFound for a role nobody plays. */
export async function bindRoles({ axes, detectors }: PlanOutline, given: readonly BindingGiven[], context: Context): Promise<ReadonlyMap<string, Device>> {
  const roles = new Set([...axes, ...detectors].map(({ role }) => role))
  const bound = new Map<string, Device>()
  for (const { role, deviceId } of given) {
    if (!roles.has(role)) throw new InvalidValue(`the plan has no role ${role}; it has ${[...roles].join(', ')}`, ['input', 'bindings', role])
    if (bound.has(role)) throw new InvalidValue(`the role ${role} is bound twice`, ['input', 'bindings', role])
    bound.set(role, await deviceByGlobalId(deviceId, context))
  }

  const rest = [...roles].filter((role) => !bound.has(role))
  const ids = rest.map(deviceIdIn).filter((id) => id !== undefined)
  const found = await context.database.prisma.device.findMany({ where: { removedAt: null, OR: [{ name: { in: rest } }, { id: { in: ids } }] } })
  for (const role of rest) {
    const device = found.find(({ id, name }) => name === role || id === deviceIdIn(role))
    if (device === undefined) throw new NotFound(`device for the role ${role}; bind one to it, or use the name of a device as the role`)
    bound.set(role, device)
  }

  const stations = new Set([...bound.values()].map(({ stationId }) => stationId))
  if (stations.size > 1) throw new PlanRejected([`its devices belong to ${stations.size} stations; a run is carried out by one`])
  return bound
}

function deviceIdIn(role: string): string | undefined {
  if (isUuid(role)) return role
  return parseGlobalId(role)?.type === 'Device' ? localId('Device', role) : undefined
}
