import { createHash } from 'node:crypto'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { query, subscribe } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'

/** What a person does from end to end, through the surfaces a person has: GraphQL over HTTP and WebSocket, and file downloads. */

type Edges<Node> = { readonly edges: readonly { readonly node: Node }[] }
type Named = { readonly name: string; readonly unit: string | null }
type Outcome = { readonly __typename: string; readonly message: string; readonly code: string }
type Cell = number | string | null
type ExportJob = { readonly state: string; readonly export: { readonly manifestUrl: string; readonly files: readonly File[] } | null }
type File = { readonly name: string; readonly url: string; readonly bytes: number; readonly sha256: string }

let lab: WholeLab
let ids: Record<string, string>

beforeAll(async () => {
  lab = await startWholeLab()
  ids = await until(
    async () => {
      const { devices } = await query<{ devices: Edges<{ id: string; name: string; connection: string }> }>(
        lab.url,
        '{ devices { edges { node { id name connection } } } }',
      )
      const nodes = devices.edges.map(({ node }) => node)
      return nodes.length >= 6 && nodes.every((node) => node.connection === 'CONNECTED') && Object.fromEntries(nodes.map((node) => [node.name, node.id]))
    },
    { deadlineMs: 90_000, what: 'every device is connected' },
  )
})

afterAll(async () => {
  await lab?.stop()
})

const SCAN = `mutation ($input: RunInput!) { startRun(input: $input) { __typename ... on Run { id number session { id title } state } ... on Problem { code message } } }`

describe('a lab after its first start', () => {
  it('shows its devices with what they can do, and never hides that they are simulated', async () => {
    const { devices } = await query<{
      devices: Edges<{ name: string; simulated: boolean; capabilities: string[]; address: string | null }> & { totalCount: number }
    }>(
      lab.url,
      '{ devices(first: 50) { totalCount edges { node { name simulated capabilities status { code } address port { path kind } driver { model vendor } } } } }',
    )
    expect(devices.totalCount).toBeGreaterThanOrEqual(6)
    const byName = Object.fromEntries(devices.edges.map(({ node }) => [node.name, node]))
    expect(devices.edges.every(({ node }) => node.simulated)).toBe(true)
    expect(byName['stage-x']?.capabilities).toContain('MOVABLE')
    expect(byName['stage-x']?.address).toBe('1')
    expect(byName['power-meter']?.capabilities).toEqual(expect.arrayContaining(['READABLE', 'SETTABLE']))
    expect(byName.camera?.capabilities).toEqual(expect.arrayContaining(['FRAME_PRODUCER', 'EXPOSURE_CONTROL', 'TRIGGERABLE']))
    expect(byName.saw?.capabilities).toContain('REGISTER_BANK')
  })

  it('homes an axis, and knows then that it is homed', async () => {
    const { home } = await query<{ home: { __typename: string; device: { motion: { homed: boolean } } } }>(
      lab.url,
      'mutation ($id: ID!) { home(deviceId: $id) { __typename ... on CommandPayload { state device { motion { homed moving } } } ... on Problem { message } } }',
      { id: ids['stage-x'] },
    )
    expect(home).toMatchObject({ __typename: 'CommandPayload', state: 'DONE', device: { motion: { homed: true } } })
  })

  it('moves an axis in any unit of length, and says where it stands', async () => {
    const { move } = await query<{ move: { __typename: string; device: { motion: { position: { number: number; unit: string } } } } }>(
      lab.url,
      `mutation ($input: MoveInput!) { move(input: $input) { __typename ... on CommandPayload { state elapsedMs readings { parameter { name } reading { number unit quality } } device { name motion { position(unit: "um") { number unit } moving } } } ... on Problem { message } } }`,
      { input: { deviceId: ids['stage-x'], to: 1500, unit: 'um' } },
    )
    expect(move).toMatchObject({ __typename: 'CommandPayload', state: 'DONE' })
    expect(move.device.motion.position.number).toBeCloseTo(1500, 0)
    expect(move.device.motion.position.unit).toBe('um')
  })

  it.each([
    ['beyond its travel', { to: 1e6, unit: 'mm' }, 'LimitViolation'],
    ['in a wrong unit', { to: 1, unit: 'nW' }, 'IncompatibleUnit'],
    ['nowhere', {}, 'InvalidValue'],
    ['to two places', { to: 1, by: 1 }, 'InvalidValue'],
  ])('refuses in words to move %s', async (_, where, type) => {
    const { move } = await query<{ move: Outcome }>(
      lab.url,
      `mutation ($input: MoveInput!) { move(input: $input) { __typename ... on Problem { message code } } }`,
      {
        input: { deviceId: ids['stage-x'], ...where },
      },
    )
    expect(move.__typename).toBe(type)
    expect(move.message.length).toBeGreaterThan(10)
  })

  it('sets a parameter, reads it back and remembers who and why', async () => {
    const set = await query<{ setParameter: Outcome & { requestId: string } }>(
      lab.url,
      `mutation ($input: SetParameterInput!) { setParameter(input: $input) { __typename ... on CommandPayload { state requestId readings { reading { number unit } } } ... on Problem { message } } }`,
      { input: { deviceId: ids['power-meter'], name: 'wavelength', value: { number: 633 }, unit: 'nm', options: { reason: 'HeNe' } } },
    )
    expect(set.setParameter).toMatchObject({ __typename: 'CommandPayload', state: 'DONE' })
    const change = await until(
      async () => {
        const { device } = await query<{ device: { parameter: { changes: Edges<{ cause: { actor: string } }> } } }>(
          lab.url,
          `query ($id: ID!) { device(id: $id) { parameter(name: "wavelength") { setpoint { number } changes(first: 1) { edges { node { old { number } new { number unit } cause { kind actor reason requestId } } } } } } }`,
          { id: ids['power-meter'] },
        )
        return device.parameter.changes.edges[0]?.node
      },
      { what: 'the change is in the history' },
    )
    expect(change).toMatchObject({ new: { number: 633, unit: 'nm' }, cause: { kind: 'PERSON', reason: 'HeNe', requestId: set.setParameter.requestId } })
    expect(change.cause.actor).toBeTruthy()
  })
})

describe('a scan', () => {
  let runId: string

  it('runs inside a session, streams its rows and progress, and finds the beam', async () => {
    const session = await query<{ startSession: { id: string; state: string } }>(
      lab.url,
      `mutation { startSession(input: { title: "First light", tags: ["beam"] }) { ... on Session { id state operator } ... on Problem { message } } }`,
    )
    expect(session.startSession.state).toBe('OPEN')
    const { startRun } = await query<{ startRun: Outcome & { id: string } }>(lab.url, SCAN, {
      input: {
        sessionId: session.startSession.id,
        plan: { linearScan: { axes: [{ role: 'stage-x', start: 8, stop: 17, unit: 'mm' }], num: 10, detectors: [{ role: 'power-meter' }] } },
        idempotencyKey: 'the one scan',
      },
    })
    expect(startRun).toMatchObject({ __typename: 'Run' })
    runId = startRun.id
    const again = await query<{ startRun: Outcome & { id: string } }>(lab.url, SCAN, {
      input: {
        sessionId: session.startSession.id,
        plan: { linearScan: { axes: [{ role: 'stage-x', start: 8, stop: 17, unit: 'mm' }], num: 10, detectors: [{ role: 'power-meter' }] } },
        idempotencyKey: 'the one scan',
      },
    })
    expect(again.startRun.id).toBe(runId)

    const rows: Cell[][] = []
    let names: string[] = []
    let units: (string | null)[] = []
    for await (const { runRows } of subscribe<{ runRows: { columns: Named[]; rows: Cell[][] } }>(
      lab.url,
      `subscription ($id: ID!) { runRows(id: $id) { cursor columns { name unit type } rows } }`,
      { id: runId },
    )) {
      rows.push(...runRows.rows)
      names = runRows.columns.map((column) => column.name)
      units = runRows.columns.map((column) => column.unit)
      if (rows.length >= 10) break
    }
    expect(rows).toHaveLength(10)
    const measured = rows.map((row) => row[names.indexOf('stage-x')] as number)
    const commanded = rows.map((row) => row[names.indexOf('stage-x_setpoint')] as number)
    const power = rows.map((row) => row[names.indexOf('power-meter')] as number)
    expect(commanded).toEqual([8, 9, 10, 11, 12, 13, 14, 15, 16, 17])
    for (const [index, position] of measured.entries()) expect(Math.abs(position - (commanded[index] ?? 0))).toBeLessThan(0.05)
    expect(units[names.indexOf('stage-x')]).toBe('mm')
    expect(units[names.indexOf('power-meter')]).toBe('W')
    expect(Math.max(...power)).toBeGreaterThan(5 * Math.min(...power)) // a beam, not noise
    const peak = commanded[power.indexOf(Math.max(...power))] ?? 0
    expect(peak).toBeGreaterThan(10)
    expect(peak).toBeLessThan(15)

    const run = await until(async () => {
      const { run: now } = await query<{
        run: { state: string; datasets: { state: string }[]; manifest: { parameters: unknown[]; software: { version: string } } }
      }>(
        lab.url,
        `query ($id: ID!) { run(id: $id) { state points totalPoints progress exitReason datasets { id state rows columns { name unit } } manifest { sha256 parameters { deviceName parameter reading { quality } } software } } }`,
        { id: runId },
      )
      return now.state === 'COMPLETED' && now.datasets[0]?.state === 'COMPLETE' ? now : undefined
    })
    expect(run).toMatchObject({ points: 10, totalPoints: 10, progress: 1 })
    expect(run.manifest.parameters.length).toBeGreaterThan(20)
    expect(run.manifest.software.version).toBeTruthy()
  })

  it('can be queried afterwards: series, table, statistics', async () => {
    const { run } = await query<{ run: { datasets: { series: { x: number[] }[]; table: { rows: Cell[][]; truncated: boolean }; statistics: object[] }[] } }>(
      lab.url,
      `query ($id: ID!) { run(id: $id) { datasets { rows axes signals
        series(columns: ["power-meter"], x: "stage-x", maxPoints: 100) { column unit x values reducedFrom }
        table(first: 3) { columns { name } rows truncated endCursor }
        statistics(columns: ["power-meter"]) { column count nulls minimum maximum mean } } } }`,
      { id: runId },
    )
    const [dataset] = run.datasets
    expect(dataset?.series[0]).toMatchObject({ column: 'power-meter', unit: 'W', reducedFrom: 10 })
    expect(dataset?.series[0]?.x).toHaveLength(10)
    expect(dataset?.table.rows).toHaveLength(3)
    expect(dataset?.table.truncated).toBe(true)
    expect(dataset?.statistics[0]).toMatchObject({ count: 10, nulls: 0 })
  })

  it.each([
    ['csv', (bytes: Buffer) => expect(bytes.toString('utf8').split('\r\n')[0]).toMatch(/power-meter \[W\]/)],
    ['arrow', (bytes: Buffer) => expect(tableFromIPC(bytes).numRows).toBe(10)],
  ])('exports to %s with progress, a manifest and ranges', async (format, check) => {
    const { run } = await query<{ run: { datasets: { id: string }[] } }>(lab.url, `query ($id: ID!) { run(id: $id) { datasets { id } } }`, { id: runId })
    const { requestExport } = await query<{ requestExport: Outcome & { id: string } }>(
      lab.url,
      `mutation ($input: ExportInput!) { requestExport(input: $input) { __typename ... on Job { id state } ... on Problem { message } } }`,
      {
        input: { datasetIds: [run.datasets[0]?.id], format },
      },
    )
    expect(requestExport.__typename).toBe('Job')
    let last: ExportJob | undefined
    for await (const { job } of subscribe<{ job: ExportJob }>(
      lab.url,
      `subscription ($id: ID!) { job(id: $id) { state progress problem { message } export { bytes manifestUrl files { name url bytes sha256 } } } }`,
      { id: requestExport.id },
    )) {
      last = job
      if (['COMPLETED', 'FAILED', 'CANCELLED'].includes(job.state)) break
    }
    expect(last?.state).toBe('COMPLETED')
    const [file] = last?.export?.files ?? []
    if (file === undefined) throw new Error('the export has no file')
    const whole = await fetch(new URL(file.url, lab.url))
    const bytes = Buffer.from(await whole.arrayBuffer())
    expect(bytes.length).toBe(file.bytes)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(file.sha256)
    check(bytes)
    const part = await fetch(new URL(file.url, lab.url), { headers: { range: 'bytes=10-19' } })
    expect(part.status).toBe(206)
    expect(Buffer.from(await part.arrayBuffer())).toEqual(bytes.subarray(10, 20))
    const etag = whole.headers.get('etag') ?? ''
    expect((await fetch(new URL(file.url, lab.url), { headers: { 'if-none-match': etag } })).status).toBe(304)
    const sums = await (await fetch(new URL(last?.export?.manifestUrl ?? '', lab.url))).text()
    expect(sums).toContain(`${file.sha256}  ${file.name}`)
  })

  it('of a settable parameter works like one of an axis', async () => {
    const { startRun } = await query<{ startRun: Outcome & { id: string } }>(lab.url, SCAN, {
      input: {
        plan: {
          linearScan: {
            axes: [{ role: 'power-meter', parameter: 'wavelength', start: 600, stop: 700, unit: 'nm' }],
            num: 3,
            detectors: [{ role: 'power-meter' }],
            after: 'RETURN',
          },
        },
      },
    })
    const run = await until(async () => {
      const { run: now } = await query<{ run: { state: string; datasets: { table: { columns: Named[]; rows: Cell[][] } }[] } }>(
        lab.url,
        `query ($id: ID!) { run(id: $id) { state exitReason datasets { table { columns { name unit } rows } } } }`,
        { id: startRun.id },
      )
      return ['COMPLETED', 'FAILED', 'ABORTED'].includes(now.state) ? now : undefined
    })
    expect(run.state).toBe('COMPLETED')
    const { columns = [], rows = [] } = run.datasets[0]?.table ?? {}
    const at = columns.findIndex((column) => column.name === 'power-meter_wavelength')
    expect(rows.map((row) => row[at])).toEqual([600, 650, 700])
    expect(columns[at]?.unit).toBe('nm')
  })

  it('that would leave the travel is refused before anything moves', async () => {
    const { startRun } = await query<{ startRun: Outcome & { id: string } }>(lab.url, SCAN, {
      input: { plan: { linearScan: { axes: [{ role: 'stage-x', start: 0, stop: 4000, unit: 'mm' }], num: 3, detectors: [{ role: 'power-meter' }] } } },
    })
    expect(['LimitViolation', 'PlanRejected']).toContain(startRun.__typename)
  })

  it('is aborted with its rows kept', async () => {
    const { startRun } = await query<{ startRun: Outcome & { id: string } }>(lab.url, SCAN, {
      input: { plan: { count: { detectors: [{ role: 'power-meter' }], num: 1000, delaySeconds: 0.1 } } },
    })
    await until(
      async () => (await query<{ run: { points: number } }>(lab.url, `query ($id: ID!) { run(id: $id) { points } }`, { id: startRun.id })).run.points >= 3,
    )
    const { abortRun } = await query<{ abortRun: Outcome }>(
      lab.url,
      `mutation ($id: ID!) { abortRun(id: $id, reason: "seen enough") { __typename ... on Problem { message } } }`,
      { id: startRun.id },
    )
    expect(abortRun.__typename).toBe('Run')
    const run = await until(async () => {
      const { run: now } = await query<{ run: { state: string; exitReason: string; datasets: { state: string; rows: number }[] } }>(
        lab.url,
        `query ($id: ID!) { run(id: $id) { state exitReason points datasets { state rows } } }`,
        { id: startRun.id },
      )
      return now.state === 'ABORTED' && now.datasets[0]?.state === 'COMPLETE' ? now : undefined
    })
    expect(run.exitReason).toContain('seen enough')
    expect(run.datasets[0]?.rows).toBeGreaterThanOrEqual(3)
  })
})

describe('a recording of frames', () => {
  it('has every frame asked for, whole and in order, and shows one of them', async () => {
    const { startRun } = await query<{ startRun: Outcome & { id: string } }>(lab.url, SCAN, {
      input: { plan: { record: { detectors: [{ role: 'camera' }], frames: 40 } } },
    })
    expect(startRun.__typename).toBe('Run')
    const run = await until(
      async () => {
        const { run: now } = await query<{ run: { state: string; datasets: { state: string; frame: { rawUrl: string; pngUrl: string }; files: File[] }[] } }>(
          lab.url,
          `query ($id: ID!) { run(id: $id) { state exitReason datasets { id kind state rows dropped bytes columns { name shape unit } files { name url bytes } frame(index: 7) { sequence width height dtype rawUrl pngUrl } } } }`,
          { id: startRun.id },
        )
        return ['COMPLETED', 'FAILED'].includes(now.state) && now.datasets[0]?.state !== 'RECORDING' ? now : undefined
      },
      { deadlineMs: 30_000 },
    )
    expect(run.state).toBe('COMPLETED')
    const [dataset] = run.datasets
    if (dataset === undefined) throw new Error('the run has no dataset')
    expect(dataset).toMatchObject({ kind: 'FRAMES', state: 'COMPLETE', rows: 40, dropped: 0 })
    expect(dataset.frame).toMatchObject({ width: 512, height: 512, dtype: 'uint16' })
    const raw = await fetch(new URL(dataset.frame.rawUrl, lab.url))
    expect((await raw.arrayBuffer()).byteLength).toBe(512 * 512 * 2)
    const png = Buffer.from(await (await fetch(new URL(dataset.frame.pngUrl, lab.url))).arrayBuffer())
    expect(png.subarray(1, 4).toString()).toBe('PNG')
    const arrow = dataset.files.find((file) => file.name.endsWith('.arrow'))
    const table = tableFromIPC(new Uint8Array(await (await fetch(new URL(arrow?.url ?? '', lab.url))).arrayBuffer()))
    expect(table.numRows).toBe(40)
  })
})

describe('the emergency stop', () => {
  it('stops a move, latches, refuses what moves, holds the queue, and is released by a person', async () => {
    await query(lab.url, `mutation ($input: MoveInput!) { move(input: $input) { __typename } }`, {
      input: { deviceId: ids['stage-y'], to: 24, unit: 'mm', wait: false },
    })
    const answer = await fetch(new URL('/stop?reason=test', lab.url), { method: 'POST' })
    expect(answer.status).toBe(200)
    const refused = await query<{ move: Outcome }>(
      lab.url,
      `mutation ($input: MoveInput!) { move(input: $input) { __typename ... on EmergencyStopped { emergencyStop { active reason } } } }`,
      { input: { deviceId: ids['stage-y'], to: 1, unit: 'mm' } },
    )
    expect(refused.move).toMatchObject({ __typename: 'EmergencyStopped', emergencyStop: { active: true, reason: 'test' } })
    const { stations } = await query<{ stations: Edges<{ id: string }> }>(lab.url, `{ stations { edges { node { id emergencyStop { active } } } } }`)
    const stationId = stations.edges[0]?.node.id
    const held = await until(async () => {
      const { runQueue } = await query<{ runQueue: { held: boolean; reason: string } }>(
        lab.url,
        `query ($id: ID!) { runQueue(stationId: $id) { held reason } }`,
        { id: stationId },
      )
      return runQueue.held && runQueue
    })
    expect(held.reason).toBeTruthy()
    await query(lab.url, `mutation { releaseEmergencyStop(reason: "all clear") { __typename } }`)
    await query(lab.url, `mutation ($id: ID!) { releaseQueue(stationId: $id) { __typename } }`, { id: stationId })
    const moved = await until(async () => {
      const { move } = await query<{ move: Outcome }>(
        lab.url,
        `mutation ($input: MoveInput!) { move(input: $input) { __typename ... on Problem { message } } }`,
        { input: { deviceId: ids['stage-y'], to: 1, unit: 'mm' } },
      )
      return move.__typename === 'CommandPayload' && move
    })
    expect(moved.__typename).toBe('CommandPayload')
  })
})
