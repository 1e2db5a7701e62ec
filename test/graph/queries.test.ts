import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NODE_KINDS, type NodeKind, RELATION_TYPES, type RelationType } from '../../graph/model.ts'
import * as queries from '../../graph/queries.ts'
import type { GraphStore, Parameters, Row } from '../../graph/store.ts'
import { picture, project } from './projecting.ts'
import { IDS, smallLab } from './registry.ts'
import { NEO4J_SKIPPED, NEO4J_WHERE, openTestLadybug, openTestNeo4j, type TestStore } from './stores.ts'

/**
 * Every text of queries.ts, by the name under which it is there, on the same graph: the embedded store answers each, and where Neo4j is there its rows are
 * the same, in the same order, of the same types.
 */
type Text = { readonly name: string; readonly key: string; readonly text: string }
const TEXTS: readonly Text[] = Object.entries(queries).flatMap(([name, value]): Text[] => {
  if (Array.isArray(value)) return []
  return typeof value === 'string'
    ? [{ name, key: '', text: value }]
    : Object.entries(value as Readonly<Record<string, string>>).map(([key, text]) => ({ name, key, text }))
})
const WRITES = TEXTS.filter(({ text }) => /\b(SET|DELETE|MERGE)\b/.test(text))
const READS = TEXTS.filter((text) => !WRITES.includes(text))

const ALL_IDS = [...Object.values(IDS), `${IDS.x}/position`, 'MOVABLE', 'nothing']
const HELD = { heldId: 'graph-1', heldSequence: 7, graphId: 'graph-1', sequence: 7, next: 8, complete: true, holder: 'test', fingerprint: 'f' }

/** A value for every parameter that a text names, one that finds something. */
async function parametersOf(store: GraphStore, { name, key, text }: Text): Promise<Parameters> {
  const id = { Station: IDS.here, Port: IDS.serial, Device: IDS.meter, Parameter: `${IDS.x}/position` }[key]
  const known = { ...HELD, ids: ALL_IDS, id: id ?? IDS.x, states: ['QUEUED', 'RUNNING'], limit: 100, rows: await rowsFor(store, name, key) }
  return Object.fromEntries(Object.entries(known).filter(([parameter]) => text.includes(`$${parameter}`)))
}

async function rowsFor(store: GraphStore, name: string, key: string): Promise<Record<string, string | number | boolean>[]> {
  const rows = NODE_KINDS.some((kind) => kind === key)
    ? await store.read(queries.ALL_NODES[key as NodeKind])
    : RELATION_TYPES.some((type) => type === key)
      ? await store.read(queries.ALL_RELATIONS[key as RelationType])
      : []
  const whole = rows.map((row) => Object.fromEntries(Object.entries(row).map(([column, value]) => [column, value ?? ''])))
  return name === 'SET_NODES' ? whole.map((row) => ({ ...row, name: `${row['name']}!` })) : whole.slice(0, 2)
}

async function filled(opened: TestStore): Promise<TestStore> {
  await project(smallLab(), opened.store)
  await opened.store.write([{ text: "MATCH (p:Projection) SET p.graphId = 'graph-1', p.sequence = 7, p.fingerprint = 'f'", parameters: {} }])
  return opened
}

let ladybug: TestStore
let neo4j: TestStore | undefined
beforeAll(async () => {
  ladybug = await filled(await openTestLadybug())
  neo4j = NEO4J_SKIPPED ? undefined : await filled(await openTestNeo4j())
})
afterAll(async () => {
  await ladybug[Symbol.asyncDispose]()
  await neo4j?.[Symbol.asyncDispose]()
})

describe(`every Cypher text${NEO4J_SKIPPED ? ` (on LadybugDB; on Neo4j only ${NEO4J_WHERE})` : ' on both stores'}`, () => {
  it.each(READS)('$name $key', async (text) => {
    const rows = await ladybug.store.read(text.text, await parametersOf(ladybug.store, text))
    if (mustFind(text)) expect(rows.length).toBeGreaterThan(0)
    if (neo4j !== undefined) expect(await neo4j.store.read(text.text, await parametersOf(neo4j.store, text))).toEqual(rows)
  })

  // Those that take away come last, for all the others to have something.
  it.each([...WRITES].sort((a, b) => Number(takesAway(a)) - Number(takesAway(b))))('$name $key', async (text) => {
    const before = await picture(ladybug.store)
    const outcome = await write(ladybug.store, text)
    if (takesAway(text) && text.key !== 'CAN') expect(await picture(ladybug.store)).not.toEqual(before)
    if (neo4j === undefined) return
    expect(await write(neo4j.store, text)).toEqual(outcome)
    expect(await picture(neo4j.store)).toEqual(await picture(ladybug.store))
  })
})

async function write(store: GraphStore, text: Text): Promise<{ readonly written: boolean; readonly projection: readonly Row[] }> {
  if (takesAway(text)) await project(smallLab(), store) // whole again
  const written = await store.write([{ text: text.text, parameters: await parametersOf(store, text), mustMatch: text.text.includes('RETURN') }])
  const projection = await store.read(queries.PROJECTION)
  return { written, projection: takesAway(text) ? [] : projection }
}

function takesAway({ text }: Text): boolean {
  return text.includes('DELETE')
}

/** The small lab has one of everything, but a thing that hangs on nothing. */
function mustFind({ name, key }: Text): boolean {
  return !(name === 'IMPACT_RUNS' || name === 'IMPACT_SESSIONS') || key === 'Device' || key === 'Station'
}
