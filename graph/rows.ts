import { CAPABILITIES } from '../core/capability.ts'
import type { CapabilitiesOf } from './model.ts'
import { Subgraph } from './subgraph.ts'

/** The rows of PostgreSQL that the graph is made of, as far as it needs them. Times are milliseconds since 1970. */
export type GraphRows = {
  readonly stations: readonly { readonly id: string; readonly name: string; readonly host: string }[]
  readonly ports: readonly { readonly id: string; readonly stationId: string; readonly address: string; readonly kind: string }[]
  readonly devices: readonly DeviceRow[]
  readonly parameters: readonly ParameterRow[]
  readonly sessions: readonly SessionRow[]
  readonly runs: readonly RunRow[]
  readonly uses: readonly { readonly runId: string; readonly deviceId: string; readonly role: string }[]
}
type DeviceRow = {
  readonly id: string
  readonly name: string
  readonly label: string | null
  readonly driverId: string
  readonly portId: string
  readonly subAddress: string | null
  readonly simulated: boolean
  readonly enabled: boolean
  readonly removedAt: number | null
}
type ParameterRow = { readonly deviceId: string; readonly name: string; readonly kind: string; readonly access: string; readonly unit: string | null }
type SessionRow = {
  readonly id: string
  readonly title: string
  readonly operator: string
  readonly state: string
  readonly startedAt: number
  readonly endedAt: number | null
}
type RunRow = {
  readonly id: string
  readonly number: number
  readonly sessionId: string
  readonly stationId: string
  readonly planType: string
  readonly summary: string
  readonly state: string
  readonly actor: string
  readonly queuedAt: number
  readonly startedAt: number | null
  readonly endedAt: number | null
}

/** What the rows say. A removed device stays for the runs that used it, but hangs on no port and can do nothing any more. */
export function subgraphOf(rows: GraphRows, capabilitiesOf: CapabilitiesOf): Subgraph {
  const graph = new Subgraph()
  const add = (kind: Parameters<Subgraph['addNode']>[0]['kind'], id: string, name: string, rest: Readonly<Record<string, string | number | boolean>>): void =>
    graph.addNode({ id, kind, properties: { id, kind, name, ...rest } })
  const link = (type: Parameters<Subgraph['addRelation']>[0]['type'], from: string, to: string, role = ''): void => graph.addRelation({ type, from, to, role })

  for (const { id, name, host } of rows.stations) add('Station', id, name, { host })
  for (const { id, address, kind, stationId } of rows.ports) {
    add('Port', id, address, { transport: kind })
    link('HAS_PORT', stationId, id)
  }
  const present = new Set<string>()
  for (const { id, name, label, driverId, portId, subAddress, simulated, enabled, removedAt } of rows.devices) {
    add('Device', id, name, { label: label ?? '', driver: driverId, address: subAddress ?? '', simulated, enabled, removedAt: removedAt ?? 0 })
    if (removedAt !== null) continue
    present.add(id)
    link('HAS_DEVICE', portId, id)
    for (const capability of capabilitiesOf(driverId)) link('CAN', id, capability)
  }
  for (const { deviceId, name, kind, access, unit } of rows.parameters) {
    if (!present.has(deviceId)) continue
    const id = `${deviceId}/${name}`
    add('Parameter', id, name, { valueKind: kind, access, unit: unit ?? '' })
    link('HAS_PARAMETER', deviceId, id)
  }
  for (const { id, title, operator, state, startedAt, endedAt } of rows.sessions)
    add('Session', id, title, { operator, state, startedAt, endedAt: endedAt ?? 0 })
  for (const { id, number, sessionId, stationId, planType, summary, state, actor, queuedAt, startedAt, endedAt } of rows.runs) {
    const times = { queuedAt, startedAt: startedAt ?? 0, endedAt: endedAt ?? 0 }
    add('Run', id, `run ${number}`, { number, plan: planType, summary, state, actor, ...times })
    link('IN_SESSION', id, sessionId)
    link('ON_STATION', id, stationId)
  }
  for (const { runId, deviceId, role } of rows.uses) link('USES', runId, deviceId, role)
  return graph
}

/** The same in every graph. */
export function capabilityNodes(): Subgraph {
  const graph = new Subgraph()
  for (const id of CAPABILITIES) graph.addNode({ id, kind: 'Capability', properties: { id, kind: 'Capability', name: id } })
  return graph
}
