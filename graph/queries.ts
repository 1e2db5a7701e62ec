import { NODE_KINDS, NODES, type NodeKind, RELATION_TYPES, RELATIONS, type RelationType } from './model.ts'

/**
 * Every Cypher text of ours, in the subset that LadybugDB and Neo4j understand alike: labels and properties of model.ts only, results under names of their own,
 * scalars only, no path functions, no null in parameters, no UNWIND of an empty list. A test runs each on both stores and compares the rows.
 */

function each<Name extends string, T>(names: readonly Name[], make: (name: Name) => T): Readonly<Record<Name, T>> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, T>
}

const propertiesOf = (kind: NodeKind): string[] => Object.keys(NODES[kind])
const returned = (kind: NodeKind): string =>
  propertiesOf(kind)
    .map((name) => `n.${name} AS ${name}`)
    .join(', ')
const pattern = (type: RelationType): string => `(a:${RELATIONS[type].from})-[r:${type}]->(b:${RELATIONS[type].to})`
const ends = (type: RelationType): string => `a.id AS from, b.id AS to, ${RELATIONS[type].hasRole ? 'r.role' : "''"} AS role`
const oneOf = (type: RelationType): string => (RELATIONS[type].hasRole ? `${type} {role: r.role}` : type)

// ---- the whole of it, in an order that is the same on both stores

export const ALL_NODES = each(NODE_KINDS, (kind) => `MATCH (n:${kind}) RETURN ${returned(kind)} ORDER BY id`)
export const ALL_RELATIONS = each(RELATION_TYPES, (type) => `MATCH ${pattern(type)} RETURN ${ends(type)} ORDER BY from, to, role`)

// ---- what the projector reads and writes

export const NODES_BY_ID = each(NODE_KINDS, (kind) => `UNWIND $ids AS id MATCH (n:${kind} {id: id}) RETURN ${returned(kind)} ORDER BY id`)

export const PARAMETERS_OF_DEVICES = `UNWIND $ids AS id MATCH (:Device {id: id})-[:HAS_PARAMETER]->(n:Parameter) RETURN ${returned('Parameter')} ORDER BY id`

/** By the ids of their owners. */
export const OWNED_RELATIONS = each(RELATION_TYPES, (type) => {
  const { from, to, owner } = RELATIONS[type]
  const [a, b] = owner === 'from' ? [`(a:${from} {id: id})`, `(b:${to})`] : [`(a:${from})`, `(b:${to} {id: id})`]
  return `UNWIND $ids AS id MATCH ${a}-[r:${type}]->${b} RETURN ${ends(type)} ORDER BY from, to, role`
})

export const SET_NODES = each(NODE_KINDS, (kind) => {
  const rest = propertiesOf(kind).filter((name) => name !== 'id')
  return `UNWIND $rows AS r MERGE (n:${kind} {id: r.id}) SET ${rest.map((name) => `n.${name} = r.${name}`).join(', ')}`
})
export const REMOVE_NODES = each(NODE_KINDS, (kind) => `UNWIND $ids AS id MATCH (n:${kind} {id: id}) DETACH DELETE n`)

/** An end that is not there yet makes no relation; its own row is still to be projected, and this one's again. */
export const ADD_RELATIONS = each(RELATION_TYPES, (type) => {
  const { from, to } = RELATIONS[type]
  return `UNWIND $rows AS r MATCH (a:${from} {id: r.from}) MATCH (b:${to} {id: r.to}) MERGE (a)-[:${oneOf(type)}]->(b)`
})
export const REMOVE_RELATIONS = each(RELATION_TYPES, (type) => {
  const { from, to } = RELATIONS[type]
  return `UNWIND $rows AS r MATCH (:${from} {id: r.from})-[x:${oneOf(type)}]->(:${to} {id: r.to}) DELETE x`
})

/** Some of them: one transaction that removes a whole graph would not fit in a server's memory. */
export const CLEAR = each(NODE_KINDS, (kind) => `MATCH (n:${kind}) WITH n LIMIT $limit DETACH DELETE n`)
export const COUNT = each(NODE_KINDS, (kind) => `MATCH (n:${kind}) RETURN count(n) AS count`)

// ---- how far the projection is: one node beside the graph

export const PROJECTION =
  "MATCH (p:Projection {id: 'projection'}) RETURN p.graphId AS graphId, p.sequence AS sequence, p.complete AS complete, p.fingerprint AS fingerprint"
/** Takes the node's lock, so that what is compared next cannot change any more. */
export const HOLD_PROJECTION = "MERGE (p:Projection {id: 'projection'}) SET p.holder = $holder"
export const ADVANCE_PROJECTION = `MATCH (p:Projection {id: 'projection'}) WHERE p.graphId = $graphId AND p.sequence = $sequence
  SET p.sequence = $next, p.complete = $complete RETURN p.sequence AS sequence`
/** A new graph, unless another one has begun meanwhile. */
export const BEGIN_PROJECTION = `MATCH (p:Projection {id: 'projection'}) WHERE coalesce(p.graphId, '') = $heldId AND coalesce(p.sequence, 0) = $heldSequence
  SET p.graphId = $graphId, p.sequence = 0, p.complete = false, p.fingerprint = $fingerprint RETURN p.sequence AS sequence`

// ---- questions

/** What an impact can be asked of, with the way from it to the devices that hang on it. */
const HANGING_DEVICES = {
  Station: '(:Station {id: $id})-[:HAS_PORT]->(:Port)-[:HAS_DEVICE]->(d:Device)',
  Port: '(:Port {id: $id})-[:HAS_DEVICE]->(d:Device)',
  Device: '(d:Device {id: $id})',
  Parameter: '(:Parameter {id: $id})<-[:HAS_PARAMETER]-(d:Device)',
} as const
export type ImpactKind = keyof typeof HANGING_DEVICES
export const IMPACT_KINDS = Object.keys(HANGING_DEVICES) as readonly ImpactKind[]

export const IMPACT_DEVICES = each(IMPACT_KINDS, (kind) => `MATCH ${HANGING_DEVICES[kind]} RETURN d.id AS id, d.name AS name ORDER BY name, id LIMIT $limit`)
export const IMPACT_PARAMETERS = each(IMPACT_KINDS, (kind) =>
  kind === 'Parameter'
    ? 'MATCH (n:Parameter {id: $id}) RETURN n.id AS id LIMIT $limit'
    : `MATCH ${HANGING_DEVICES[kind]}-[:HAS_PARAMETER]->(n:Parameter) RETURN n.id AS id ORDER BY id LIMIT $limit`,
)
export const IMPACT_RUNS = each(
  IMPACT_KINDS,
  (kind) => `MATCH ${HANGING_DEVICES[kind]}<-[u:USES]-(r:Run)-[:IN_SESSION]->(s:Session) WHERE r.state IN $states
  RETURN r.id AS id, r.name AS name, r.number AS number, r.state AS state, s.id AS sessionId, s.name AS session, d.name AS device, u.role AS role
  ORDER BY number, device, role LIMIT $limit`,
)
/** Open ones that used it: what a person still works on. */
export const IMPACT_SESSIONS = each(
  IMPACT_KINDS,
  (kind) => `MATCH ${HANGING_DEVICES[kind]}<-[:USES]-(:Run)-[:IN_SESSION]->(s:Session) WHERE s.state = 'OPEN'
  RETURN DISTINCT s.id AS id, s.name AS name, s.operator AS operator ORDER BY name, id LIMIT $limit`,
)

/** One step from many nodes, along and against each relation. Ids grow with time, so the newest come first where the limit cuts. */
export const STEP_ALONG = each(RELATION_TYPES, (type) => {
  const { from, to } = RELATIONS[type]
  return `UNWIND $ids AS id MATCH (a:${from} {id: id})-[:${type}]->(b:${to}) RETURN DISTINCT a.id AS from, b.id AS to, b.name AS name ORDER BY from, to DESC LIMIT $limit`
})
export const STEP_AGAINST = each(RELATION_TYPES, (type) => {
  const { from, to } = RELATIONS[type]
  return `UNWIND $ids AS id MATCH (a:${to} {id: id})<-[:${type}]-(b:${from}) RETURN DISTINCT a.id AS from, b.id AS to, b.name AS name ORDER BY from, to DESC LIMIT $limit`
})
