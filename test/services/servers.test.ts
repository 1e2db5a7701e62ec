import { describe, expect, it } from 'vitest'
import { neo4jServer, openTestNeo4j, TURN_DEADLINE_MS } from '../graph/stores.ts'
import { query } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { services } from '../harness/services.ts'
import { until } from '../until.ts'

/** Without servers all of this is skipped, and says so: .ci/servers starts them. */
const MISSING = [...(services() === undefined ? ['TEST_DATABASE_URL or TEST_REDIS_URL'] : []), ...(neo4jServer() === undefined ? ['TEST_NEO4J_URL'] : [])]
const why = MISSING.length === 0 ? '' : ` (skipped: ${MISSING.join(', ')} not set; .ci/servers sets them)`

const server = neo4jServer()
const NEO4J = { NEO4J_URL: server?.url, NEO4J_USER: server?.user, NEO4J_PASSWORD: server?.password }
const NONE = { DATABASE_URL: undefined, REDIS_URL: undefined } // of those that the harness gives

type Backend = { readonly role: string; readonly kind: string; readonly embedded: boolean; readonly state: string }

function backendsOf(lab: WholeLab): Promise<readonly Backend[]> {
  return until(
    async () => {
      const { lab: here } = await query<{ lab: { backends: Backend[] } }>(lab.url, '{ lab { backends { role kind embedded state } } }')
      return here.backends.every(({ state }) => state === 'OK') && here.backends
    },
    { deadlineMs: 60_000, what: 'every backend is in order' },
  )
}

describe.skipIf(MISSING.length > 0)(`a lab on one server${why}`, () => {
  // DATABASE_URL alone is in test/local/whole-lab.test.ts.
  it.each([
    ['REDIS_URL', { DATABASE_URL: undefined }, ['PGlite', 'BullMQ on Redis', 'LadybugDB'], ['database', 'graph']],
    ['NEO4J_URL', { ...NONE, ...NEO4J }, ['PGlite', 'BullMQ on PostgreSQL', 'Neo4j'], ['database']],
  ] as const)('has the others embedded: %s alone', { timeout: TURN_DEADLINE_MS + 240_000 }, async (_name, env, kinds, embedded) => {
    await using _turn = await openTestNeo4j()
    await using lab = await startWholeLab({ env })
    expect((await backendsOf(lab)).map(({ kind }) => kind)).toEqual(kinds)
    expect(Object.keys(await lab.processes()).sort()).toEqual(['api', 'compute', ...embedded, 'lab', 'station', 'supervisor'])
  })
})

describe.skipIf(MISSING.length > 0)(`a lab on three servers${why}`, () => {
  it('says what stands behind each role, and answers what hangs on what', { timeout: TURN_DEADLINE_MS + 240_000 }, async () => {
    await using _turn = await openTestNeo4j()
    await using lab = await startWholeLab({ env: NEO4J })
    expect(await backendsOf(lab)).toEqual([
      { role: 'DATABASE', kind: 'PostgreSQL', embedded: false, state: 'OK' },
      { role: 'QUEUE', kind: 'BullMQ on Redis', embedded: false, state: 'OK' },
      { role: 'GRAPH', kind: 'Neo4j', embedded: false, state: 'OK' },
    ])
    const impact = await until(
      async () => {
        const { devices } = await query<{ devices: { edges: { node: { port: { id: string } } }[] } }>(
          lab.url,
          '{ devices(first: 1) { edges { node { name port { id } } } } }',
        )
        const answer = await query<{ impact: { devices: { name: string }[] } | null }>(lab.url, 'query ($of: ID!) { impact(of: $of) { devices { name } } }', {
          of: devices.edges[0]?.node.port.id,
        })
        return answer.impact
      },
      { what: 'the graph knows the devices' },
    )
    expect(impact.devices.length).toBeGreaterThan(0)
    expect(Object.keys(await lab.processes()).sort()).toEqual(['api', 'compute', 'lab', 'station', 'supervisor'])
  })
})
