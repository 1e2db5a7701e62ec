import { createHash } from 'node:crypto'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { query } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'

/** A recording that is larger than one file, as who records and who reads it back sees it. */

const SIDE = 256
const FRAME_BYTES = SIDE * SIDE * 2
const FRAMES = 20 // seven fit into 1 MiB

type DataFile = { readonly name: string; readonly bytes: number; readonly mediaType: string; readonly sha256: string; readonly url: string }

let lab: WholeLab
let dataset: string
beforeAll(async () => {
  lab = await startWholeLab({ env: { FRAME_FILE_MIB: '1' } })
  const id = await until(
    async () => {
      const { device } = await query<{ device: { id: string; connection: string } }>(lab.url, '{ device(name: "camera") { id connection } }')
      return device.connection === 'CONNECTED' && device.id
    },
    { deadlineMs: 30_000, what: 'the camera is connected' },
  )
  const roi = `{ x: 0, y: 0, width: ${SIDE}, height: ${SIDE} }`
  const { set } = await query<{ set: object }>(
    lab.url,
    `mutation ($id: ID!) { set: configureCamera(input: { deviceId: $id, exposureSeconds: 0.01, roi: ${roi} }) { __typename ... on Problem { message } } }`,
    { id },
  )
  expect(set).toEqual({ __typename: 'CommandPayload' })
  const { startRun } = await query<{ startRun: { id: string } }>(
    lab.url,
    'mutation ($input: RunInput!) { startRun(input: $input) { ... on Run { id } ... on Problem { message } } }',
    { input: { plan: { record: { detectors: [{ role: 'camera' }], frames: FRAMES } } } },
  )
  type Run = { readonly state: string; readonly exitReason: string | null; readonly datasets: readonly { readonly id: string; readonly state: string }[] }
  const run = await until(
    async () => {
      const { run: now } = await query<{ run: Run }>(lab.url, 'query ($id: ID!) { run(id: $id) { state exitReason datasets { id state } } }', startRun)
      return ['COMPLETED', 'FAILED'].includes(now.state) && now.datasets[0]?.state !== 'RECORDING' && now
    },
    { deadlineMs: 40_000, what: 'the end of the run' },
  )
  expect(run).toMatchObject({ state: 'COMPLETED', datasets: [{ state: 'COMPLETE' }] })
  dataset = run.datasets[0]?.id ?? ''
}, 150_000)
afterAll(async () => {
  await lab?.stop()
}, 60_000)

async function ask<Data>(fields: string): Promise<Data> {
  return (await query<{ dataset: Data }>(lab.url, `query ($id: ID!) { dataset(id: $id) { ${fields} } }`, { id: dataset })).dataset
}

async function bytesAt(url: string): Promise<Buffer> {
  const answer = await fetch(new URL(url, lab.url))
  expect(answer.status).toBe(200)
  return Buffer.from(await answer.arrayBuffer())
}

async function frameAt(index: number): Promise<Buffer> {
  const { frame } = await ask<{ frame: { rawUrl: string } }>(`frame(index: ${index}) { rawUrl }`)
  return await bytesAt(frame.rawUrl)
}

it('is listed with all its files and their hashes, each a whole stream with an index', async () => {
  const { files, rows, bytes, sha256 } = await ask<{ files: DataFile[]; rows: number; bytes: number; sha256: string }>(
    'files { name bytes mediaType sha256 url } rows bytes sha256',
  )
  expect(files.map(({ name }) => name)).toEqual(['frames', 'frames-0001', 'frames-0002'].flatMap((name) => [`${name}.arrow`, `${name}.arrow.index`]))
  const counts: number[] = []
  for (const file of files) {
    const content = await bytesAt(file.url)
    expect([content.byteLength, createHash('sha256').update(content).digest('hex')]).toEqual([file.bytes, file.sha256])
    if (file.mediaType === 'application/vnd.apache.arrow.stream') counts.push(tableFromIPC(content).numRows)
  }
  expect(counts).toEqual([7, 7, 6])
  expect([rows, sha256]).toEqual([FRAMES, files[0]?.sha256])
  expect(bytes).toBe(files.filter(({ name }) => name.endsWith('.arrow')).reduce((sum, file) => sum + file.bytes, 0))
})

it('is read over its seams: frames one by one, as a block, as the curve of a region, and checked', async () => {
  const frames = await Promise.all(Array.from({ length: FRAMES }, (_, index) => frameAt(index)))
  expect(frames.every(({ byteLength }) => byteLength === FRAME_BYTES)).toBe(true)
  expect(new Set(frames.map((frame) => createHash('sha256').update(frame).digest('hex'))).size).toBe(FRAMES) // no two alike: the sensor is noisy

  const { slice } = await ask<{ slice: { shape: number[]; npyUrl: string } }>('slice(range: { from: 5, to: 16 }) { shape npyUrl }')
  expect(slice.shape).toEqual([11, SIDE, SIDE])
  const block = await bytesAt(slice.npyUrl)
  expect(block.subarray(block.byteLength - 11 * FRAME_BYTES).equals(Buffer.concat(frames.slice(5, 16)))).toBe(true)

  const { frameSeries } = await ask<{ frameSeries: { x: number[]; values: number[] } }>(
    'frameSeries(roi: { x: 3, y: 250, width: 5, height: 1 }, reduce: SUM) { x values }',
  )
  const row = (frame: Buffer) => Array.from({ length: 5 }, (_, at) => frame.readUInt16LE((250 * SIDE + 3 + at) * 2))
  expect(frameSeries.values).toEqual(frames.map((frame) => row(frame).reduce((sum, pixel) => sum + pixel)))
  expect(frameSeries.x.map((x) => x - (frameSeries.x[0] ?? 0))).toEqual(frames.map((_, index) => index)) // no frame is missing between files

  expect(await ask('checkFrames { from to complete damaged unknown }')).toEqual({
    checkFrames: { from: 0, to: FRAMES, complete: true, damaged: [], unknown: 0 },
  })
})
