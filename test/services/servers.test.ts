import { describe, expect, it } from 'vitest'
import { neo4jServer, openTestNeo4j } from '../graph/stores.ts'
import { query } from '../harness/graphql.ts'
import { startWholeLab } from '../harness/lab.ts'
import { services } from '../harness/services.ts'
import { until } from '../until.ts'

/** Without servers all of this is skipped, and says so: .ci/servers starts them. */
const MISSING = [...(services() === undefined ? ['TEST_DATABASE_URL or TEST_REDIS_URL'] : []), ...(neo4jServer() === undefined ? ['TEST_NEO4J_URL'] : [])]
const why = MISSING.length === 0 ? '' : ` (skipped: ${MISSING.join(', ')} not set; .ci/servers sets them)`

describe.skipIf(MISSING.length > 0)(`a lab on three servers${why}`, () => {
  it('says what stands behind each role, and answers what hangs on what', { timeout: 240_000 }, async () => {
    const server = neo4jServer()
    await using _turn = await openTestNeo4j()
    await using lab = await startWholeLab({ env: { NEO4J_URL: server?.url, NEO4J_USER: server?.user, NEO4J_PASSWORD: server?.password } })
    const backends = await until(
      async () => {
        const answer = await query<{ lab: { backends: { role: string; kind: string; embedded: boolean; state: string }[] } }>(
          lab.url,
          '{ lab { backends { role kind embedded state } } }',
        )
        return answer.lab.backends.every(({ state }) => state === 'OK') && answer.lab.backends
      },
      { what: 'every backend is in order' },
    )
    expect(backends).toEqual([
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
