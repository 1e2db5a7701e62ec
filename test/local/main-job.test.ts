import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { query, subscribe } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'

/** The main job of the product from end to end, on the real shape: sees devices, runs a scan, watches its rows, queries it, exports it. */

let lab: WholeLab
beforeAll(async () => {
  lab = await startWholeLab()
}, 120_000)
afterAll(() => lab.stop(), 60_000)

type Devices = { devices: { edges: { node: { id: string; name: string; simulated: boolean; connection: string } }[] } }

async function devices(): Promise<Devices['devices']['edges'][number]['node'][]> {
  const answer = await query<Devices>(lab.url, '{ devices { edges { node { id name simulated connection } } } }')
  return answer.devices.edges.map(({ node }) => node)
}

async function idOf(name: string): Promise<string> {
  const found = (await devices()).find((device) => device.name === name)
  if (found === undefined) throw new Error(`no device ${name}`)
  return found.id
}

const ENDED = ['COMPLETED', 'ABORTED', 'FAILED', 'INTERRUPTED']

describe('a person', () => {
  it('sees every instrument, simulated and connected', async () => {
    await until(async () => (await devices()).every(({ connection }) => connection === 'CONNECTED'), { deadlineMs: 60_000, what: 'all devices connected' })
    const seen = await devices()
    expect(seen.map(({ name }) => name).sort()).toEqual(['camera', 'power-meter', 'saw', 'stage-x', 'stage-y', 'stage-z'])
    expect(seen.every(({ simulated }) => simulated)).toBe(true)
  }, 90_000)

  it('homes and moves an axis', async () => {
    type Command = { __typename: string; state?: string; message?: string }
    const stage = await idOf('stage-x')
    const { home } = await query<{ home: Command }>(
      lab.url,
      'mutation ($id: ID!) { home(deviceId: $id) { __typename ... on CommandPayload { state } ... on Problem { message } } }',
      { id: stage },
    )
    expect(home).toEqual({ __typename: 'CommandPayload', state: 'DONE' })
    const { move } = await query<{ move: Command }>(
      lab.url,
      'mutation ($id: ID!) { move(input: { deviceId: $id, to: 500, unit: "um" }) { __typename ... on CommandPayload { state } ... on Problem { message } } }',
      { id: stage },
    )
    expect(move).toEqual({ __typename: 'CommandPayload', state: 'DONE' })
  }, 120_000)

  it('scans the beam, watches the rows arrive, sees its Gaussian, and exports it with its units', async () => {
    const { startSession } = await query<{ startSession: { id: string } }>(
      lab.url,
      'mutation { startSession(input: { title: "beam" }) { __typename ... on Session { id } } }',
    )
    const { startRun } = await query<{ startRun: { __typename: string; id: string; message?: string } }>(
      lab.url,
      `mutation ($input: RunInput!) { startRun(input: $input) { __typename ... on Run { id } ... on Problem { message } } }`,
      {
        input: {
          sessionId: startSession.id,
          plan: { linearScan: { axes: [{ role: 'axis', start: 8, stop: 17, unit: 'mm' }], num: 9, detectors: [{ role: 'detector' }] } },
          bindings: [
            { role: 'axis', deviceId: await idOf('stage-x') },
            { role: 'detector', deviceId: await idOf('power-meter') },
          ],
        },
      },
    )
    expect(startRun).toEqual({ __typename: 'Run', id: expect.any(String) })

    let rows = 0
    for await (const { runRows } of subscribe<{ runRows: { rows: unknown[][] } }>(lab.url, 'subscription ($id: ID!) { runRows(id: $id) { rows } }', {
      id: startRun.id,
    })) {
      rows += runRows.rows.length
      if (rows >= 9) break
    }
    expect(rows).toBe(9)

    type RunNow = {
      node: { state: string; points: number; problem: { message: string } | null; datasets: { id: string; state: string; rows: number }[] }
    }
    const run = await until(
      async () => {
        const { node } = await query<RunNow>(
          lab.url,
          'query ($id: ID!) { node(id: $id) { ... on Run { state points problem { message } datasets { id state rows } } } }',
          { id: startRun.id },
        )
        return ENDED.includes(node.state) && node.datasets[0]?.state === 'COMPLETE' ? node : undefined
      },
      { deadlineMs: 60_000, what: 'the end of the run' },
    )
    expect(run).toMatchObject({ state: 'COMPLETED', points: 9, problem: null, datasets: [{ rows: 9 }] })
    const dataset = run.datasets[0]?.id ?? ''

    type Columns = {
      node: { columns: { name: string; unit: string | null }[]; signals: string[]; axes: string[]; series: { column: string; x: number[]; values: number[] }[] }
    }
    const { node: described } = await query<Columns>(lab.url, 'query ($id: ID!) { node(id: $id) { ... on Dataset { axes signals columns { name unit } } } }', {
      id: dataset,
    })
    const [power = ''] = described.signals
    const { node } = await query<Columns>(
      lab.url,
      'query ($id: ID!, $columns: [String!]!, $x: String) { node(id: $id) { ... on Dataset { series(columns: $columns, x: $x, reduce: NONE) { column x values } } } }',
      { id: dataset, columns: [power], x: described.axes[0] },
    )
    const values = node.series[0]?.values ?? []
    expect(values).toHaveLength(9)
    expect(Math.max(...values)).toBeGreaterThan(3 * Math.min(...values))

    const { requestExport } = await query<{ requestExport: { __typename: string; id: string } }>(
      lab.url,
      'mutation ($id: ID!) { requestExport(input: { datasetIds: [$id], format: "csv" }) { __typename ... on Job { id } ... on Problem { message } } }',
      { id: dataset },
    )
    expect(requestExport).toMatchObject({ __typename: 'Job' })
    type JobNow = {
      node: {
        state: string
        problem: { message: string } | null
        export: { manifestUrl: string; files: { name: string; url: string; sha256: string }[] } | null
      }
    }
    const job = await until(
      async () => {
        const now = await query<JobNow>(
          lab.url,
          'query ($id: ID!) { node(id: $id) { ... on Job { state problem { message } export { manifestUrl files { name url sha256 } } } } }',
          { id: requestExport.id },
        )
        return ['COMPLETED', 'FAILED', 'CANCELLED'].includes(now.node.state) ? now.node : undefined
      },
      { deadlineMs: 60_000, what: 'the end of the export' },
    )
    expect(job).toMatchObject({ state: 'COMPLETED', problem: null })
    const file = job.export?.files.find(({ name }) => name.endsWith('.csv'))
    const csv = await (await fetch(new URL(file?.url ?? '', lab.url))).text()
    expect(createHash('sha256').update(csv).digest('hex')).toBe(file?.sha256)
    expect(csv.split('\r\n').filter((line) => line !== '')).toHaveLength(10)
    expect(csv.split('\r\n')[0]).toMatch(/mm.*W/)
  }, 180_000)
})
