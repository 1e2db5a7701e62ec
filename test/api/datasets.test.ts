import { randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globalId } from '../../api/global-id.ts'
import { TABLE_FILE } from '../../core/dataset.ts'
import { createTableWriter } from '../../storage/table-writer.ts'
import { METER } from './fake-station.ts'
import { startTestLab, type TestLab } from './lab.ts'

const COLUMNS = [
  { name: 'position', type: 'float64', unit: 'mm' },
  { name: 'power', type: 'float64', unit: 'W', deviceId: METER, parameter: 'power' },
] as const
const ROWS = 1_000

let lab: TestLab
const table = randomUUID()
const recording = randomUUID()
beforeAll(async () => {
  lab = await startTestLab()
  const { prisma } = lab.api.services.database
  const session = await prisma.session.create({ data: { title: 'beam', operator: 'ada', tags: ['laser'] } })
  const folder = `datasets/2026/11/${table}`
  await mkdir(join(lab.dataDir, folder), { recursive: true })
  const writer = await createTableWriter(join(lab.dataDir, folder, TABLE_FILE), COLUMNS)
  for (let row = 0; row < ROWS; row += 1) writer.append([row / 10, row === 500 ? null : row * 2])
  const { bytes } = await writer.close()
  const common = { stationId: lab.station.stationId, sessionId: session.id, columns: COLUMNS.map((column) => ({ ...column })), kind: 'TABLE' }
  const files = [{ name: TABLE_FILE, bytes, mediaType: 'application/vnd.apache.arrow.stream' }]
  await prisma.dataset.create({
    data: { ...common, id: table, name: 'scan 1', state: 'COMPLETE', folder, files, axes: ['position'], signals: ['power'], shape: [ROWS], rows: ROWS, bytes },
  })
  await prisma.dataset.create({
    data: { ...common, id: recording, name: 'scan 2', state: 'RECORDING', folder: 'datasets/none', files: [], axes: [], signals: [], shape: [] },
  })
})
afterAll(() => lab.close())

const ask = <Data>(fields: string, id = table) =>
  lab.ask<{ dataset: Data }>(`query ($id: ID!) { dataset(id: $id) { ${fields} } }`, { id: globalId('Dataset', id) })

describe('a recorded table', () => {
  it('is told with its provenance, its columns and where its files are', async () => {
    const { data, errors } = await ask<unknown>(
      'name kind state rows shape axes signals session { title } station { name } columns { name type unit parameter device { name } } files { name bytes url }',
    )
    expect(errors).toBeUndefined()
    expect(data).toMatchObject({
      dataset: {
        name: 'scan 1',
        kind: 'TABLE',
        state: 'COMPLETE',
        rows: ROWS,
        shape: [ROWS],
        session: { title: 'beam' },
        station: { name: 'fake' },
        columns: [
          { name: 'position', unit: 'mm', device: null },
          { name: 'power', parameter: 'power', device: { name: 'meter' } },
        ],
        files: [{ name: TABLE_FILE, url: `/files/datasets/${table}/${TABLE_FILE}` }],
      },
    })
    const { files } = (data as { dataset: { files: { url: string; bytes: number }[] } }).dataset
    const response = await fetch(`${lab.api.url}${files[0]?.url}`)
    expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([200, files[0]?.bytes])
  })

  it('gives curves, statistics and rows', async () => {
    const { data, errors } = await ask<{ series: { x: number[]; values: number[]; reducedFrom: number }[]; statistics: unknown }>(
      'series(columns: ["power"], x: "position", maxPoints: 10) { column unit x values reducedFrom } statistics { column count nulls minimum maximum mean }',
    )
    expect(errors).toBeUndefined()
    expect(data.dataset.series[0]).toMatchObject({ column: 'power', unit: 'W', reducedFrom: ROWS })
    expect([data.dataset.series[0]?.x[0], data.dataset.series[0]?.values[0], data.dataset.series[0]?.values.at(-1)]).toEqual([0, 0, 1998])
    expect(data.dataset.statistics).toMatchObject([
      { column: 'position', count: ROWS, nulls: 0 },
      { column: 'power', count: ROWS - 1, nulls: 1, minimum: 0, maximum: 1998 },
    ])
  })

  it('is paged by rows', async () => {
    type Slice = { table: { rows: unknown[][]; endCursor: string; truncated: boolean } }
    const first = (await ask<Slice>('table(range: { from: 499 }, first: 2) { columns { name } rows endCursor truncated }')).data.dataset.table
    expect(first).toMatchObject({
      rows: [
        [49.9, 998],
        [50, null],
      ],
      truncated: true,
    })
    const { data } = await lab.ask<{ dataset: Slice }>(
      'query ($id: ID!, $after: Cursor) { dataset(id: $id) { table(columns: ["power"], first: 1, after: $after) { rows } } }',
      { id: globalId('Dataset', table), after: first.endCursor },
    )
    expect(data.dataset.table.rows).toEqual([[1002]])
  })

  it('says what it has not', async () => {
    expect((await ask('series(columns: ["colour"]) { x }')).errors?.[0]?.message).toContain('colour')
    expect((await ask('frame(index: 0) { rawUrl }')).errors?.[0]?.extensions?.['code']).toBe('NOT_SUPPORTED')
  })
})

describe('exports', () => {
  const EXPORT =
    'mutation ($input: ExportInput!) { requestExport(input: $input) { __typename ... on Problem { message } ... on Job { id state queue name requestedBy export { bytes } } } }'
  const id = globalId('Dataset', table)

  it('wait as jobs that can be found by their dataset and cancelled', async () => {
    const { data } = await lab.ask<{ requestExport: { id: string } }>(EXPORT, {
      input: { datasetIds: [id], format: 'csv', columns: ['power'], idempotencyKey: 'x' },
    })
    expect(data.requestExport).toMatchObject({ __typename: 'Job', state: 'WAITING', queue: 'compute', name: 'export', requestedBy: 'ada', export: null })
    const again = await lab.ask(EXPORT, { input: { datasetIds: [id], format: 'csv', idempotencyKey: 'x' } })
    expect(again.data).toMatchObject({ requestExport: { id: data.requestExport.id } })
    const found = await lab.ask('query ($id: ID!) { jobs(filter: { datasetId: $id }) { totalCount edges { node { id } } } }', { id })
    expect(found.data).toEqual({ jobs: { totalCount: 1, edges: [{ node: { id: data.requestExport.id } }] } })
    const cancelled = await lab.ask('mutation ($id: ID!) { cancelJob(id: $id) { ... on Job { state } } }', { id: data.requestExport.id })
    expect(cancelled.data).toEqual({ cancelJob: { state: 'CANCELLED' } })
    expect((await lab.ask('mutation ($id: ID!) { cancelJob(id: $id) { __typename } }', { id: data.requestExport.id })).data).toEqual({
      cancelJob: { __typename: 'Conflict' },
    })
  })

  it.each([
    ['an unknown format', { datasetIds: [id], format: 'xlsx' }, 'NotFound'],
    ['an unknown column', { datasetIds: [id], format: 'csv', columns: ['colour'] }, 'InvalidValue'],
    ['a recording that goes on', { datasetIds: [globalId('Dataset', recording)], format: 'csv' }, 'Conflict'],
    ['a dataset that is not there', { datasetIds: [globalId('Dataset', randomUUID())], format: 'csv' }, 'NotFound'],
    ['nothing chosen', { format: 'csv' }, 'InvalidValue'],
    ['a choice of no dataset', { datasetIds: [], format: 'csv' }, 'InvalidValue'],
    ['a choice of no column', { datasetIds: [id], format: 'csv', columns: [] }, 'InvalidValue'],
    ['a selection of nothing', { selection: { text: 'nothing like it' }, format: 'csv' }, 'NotFound'],
  ])('refuse %s', async (_what, input, type) => {
    expect((await lab.ask(EXPORT, { input })).data).toMatchObject({ requestExport: { __typename: type } })
  })

  it('take a selection as they take a list', async () => {
    const { data } = await lab.ask(EXPORT, { input: { selection: { tags: ['laser'], states: ['COMPLETE'] }, format: 'arrow' } })
    expect(data).toMatchObject({ requestExport: { __typename: 'Job' } })
  })
})

describe('a list of datasets', () => {
  it('costs the same few statements however long it is', async () => {
    const { pool } = lab.api.services.database
    const document =
      '{ datasets { edges { node { name session { title } station { name } run { number devices { name } } columns { device { name } } } } } devices { edges { node { name station { name } port { path } parameters { name reading { number } } } } } }'
    const count = async (): Promise<number> => {
      let statements = 0
      pool.on('acquire', counted)
      await lab.ask(document)
      pool.off('acquire', counted)
      return statements
      function counted(): void {
        statements += 1
      }
    }
    await count()
    const few = await count()
    const { prisma } = lab.api.services.database
    const template = await prisma.dataset.findUniqueOrThrow({ where: { id: table } })
    const { columns, files, ...rest } = template
    for (let index = 0; index < 20; index += 1)
      await prisma.dataset.create({ data: { ...rest, id: randomUUID(), name: `more ${index}`, columns: columns ?? [], files: files ?? [] } })
    expect(await count()).toBe(few)
    expect(few).toBeLessThan(12)
  })
})
