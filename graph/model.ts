import { CAPABILITIES } from '../core/capability.ts'

/**
 * What the graph holds. The one description of it: Ladybug's tables, Neo4j's constraints and the texts of queries.ts are made from it.
 *
 * No property is ever null, because Ladybug cannot tell the type of a null in a list of rows: a text that is absent is '', a number 0.
 * Ids are strings and times milliseconds since 1970: neither store keeps every 64-bit integer apart on its way through JavaScript.
 */

export type PropertyType = 'text' | 'number' | 'flag'
export type PropertyValue = string | number | boolean

/** What every node has: `kind` is its label again, for answers that name nodes of many labels. */
const COMMON = { id: 'text', kind: 'text', name: 'text' } as const

export const NODES = {
  Station: { ...COMMON, host: 'text' },
  Port: { ...COMMON, transport: 'text' },
  Device: { ...COMMON, label: 'text', driver: 'text', address: 'text', simulated: 'flag', enabled: 'flag', removedAt: 'number' },
  Capability: COMMON,
  Parameter: { ...COMMON, valueKind: 'text', access: 'text', unit: 'text' },
  Session: { ...COMMON, operator: 'text', state: 'text', startedAt: 'number', endedAt: 'number' },
  Run: { ...COMMON, number: 'number', plan: 'text', summary: 'text', state: 'text', actor: 'text', queuedAt: 'number', startedAt: 'number', endedAt: 'number' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, PropertyType>>>>

export type NodeKind = keyof typeof NODES
export const NODE_KINDS = Object.keys(NODES) as readonly NodeKind[]

type Relation = {
  readonly from: NodeKind
  readonly to: NodeKind
  /** The end whose row in PostgreSQL says that the relation is there: it is written and removed together with that node. */
  readonly owner: 'from' | 'to'
  /** What tells apart two relations between the same nodes; '' for most. */
  readonly hasRole: boolean
  /** The same relation, told from the other end. */
  readonly inverse: string
}

export const RELATIONS = {
  HAS_PORT: { from: 'Station', to: 'Port', owner: 'to', hasRole: false, inverse: 'PORT_OF' },
  HAS_DEVICE: { from: 'Port', to: 'Device', owner: 'to', hasRole: false, inverse: 'ON_PORT' },
  CAN: { from: 'Device', to: 'Capability', owner: 'from', hasRole: false, inverse: 'OF_DEVICE' },
  HAS_PARAMETER: { from: 'Device', to: 'Parameter', owner: 'from', hasRole: false, inverse: 'PARAMETER_OF' },
  IN_SESSION: { from: 'Run', to: 'Session', owner: 'from', hasRole: false, inverse: 'HAS_RUN' },
  ON_STATION: { from: 'Run', to: 'Station', owner: 'from', hasRole: false, inverse: 'RUNS' },
  USES: { from: 'Run', to: 'Device', owner: 'from', hasRole: true, inverse: 'USED_BY' },
} as const satisfies Readonly<Record<string, Relation>>

export type RelationType = keyof typeof RELATIONS
export const RELATION_TYPES = Object.keys(RELATIONS) as readonly RelationType[]

/** Grows when the same rows make another graph than before: every graph of an older model is rebuilt. */
const MODEL_VERSION = 1

export type CapabilitiesOf = (driverId: string) => readonly string[]

/** What the graph is made from beside rows; a graph that was made from something else is rebuilt. */
export function fingerprint(drivers: readonly { readonly id: string; readonly capabilities: readonly string[] }[]): string {
  const known = drivers.map(({ id, capabilities }) => `${id}: ${[...capabilities].sort().join(' ')}`).sort()
  return `${MODEL_VERSION}; ${CAPABILITIES.join(' ')}; ${known.join('; ')}`
}
