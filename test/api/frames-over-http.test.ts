import { appendFile, open, readFile, rm, truncate } from 'node:fs/promises'
import http from 'node:http'
import { tableFromIPC } from 'apache-arrow'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { globalId } from '../../api/global-id.ts'
import { frameSeriesOf } from '../../api/recordings.ts'
import { colormapTable } from '../../core/colormap.ts'
import { batchIndexPath } from '../../storage/batch-index.ts'
import { openFrameFile } from '../../storage/frame-file.ts'
import { npyHeader } from '../../storage/npy.ts'
import { until } from '../until.ts'
import { decoded } from './decoded-png.ts'
import { heldReaders } from './held-readers.ts'
import { startTestLab, type TestLab } from './lab.ts'
import { openFiles } from './open-files.ts'
import { recordedDataset, recordedFile } from './recorded-dataset.ts'

const [WIDTH, HEIGHT, FRAMES] = [40, 30, 300]
const SPIKE = 123
const pixelOf = (frame: number, pixel: number) => (frame === SPIKE ? 40_000 : 0) + frame + pixel * 3
const pixelsOf = (frame: number) => Uint16Array.from({ length: WIDTH * HEIGHT }, (_, pixel) => pixelOf(frame, pixel))
const ROI = { x: 7, y: 5, width: 13, height: 4 }
const ROI_TEXT = '{ x: 7, y: 5, width: 13, height: 4 }'

let lab: TestLab
let whole: string
beforeAll(async () => {
  lab = await startTestLab()
  whole = await recording('COMPLETE')
})
afterAll(() => lab.close())

const recording = (state: string, frames = FRAMES, { width, height } = { width: WIDTH, height: HEIGHT }) =>
  recordedDataset(lab, { state, frames, width, height, pixelOf })

const fileOf = (id: string) => recordedFile(lab, id)
const get = (url: string, headers: Record<string, string> = {}, method = 'GET') => fetch(`${lab.api.url}${url}`, { headers, method })
const frameUrl = (name: string, id = whole) => `/files/datasets/${id}/frames/${name}`
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer())
const ask = <Data>(fields: string, id = whole) =>
  lab.ask<{ dataset: Data }>(`query ($id: ID!) { dataset(id: $id) { ${fields} } }`, { id: globalId('Dataset', id) })

function pixelsIn(bytes: Buffer): number[] {
  return Array.from({ length: bytes.byteLength / 2 }, (_, at) => bytes.readUInt16LE(at * 2))
}

/** Of the region in one frame. */
function regionOf(frame: number): number[] {
  const { x, y, width, height } = ROI
  return Array.from({ length: width * height }, (_, at) => pixelOf(frame, (y + Math.trunc(at / width)) * WIDTH + x + (at % width)))
}

describe('one frame', () => {
  it('is its pixels, with what an image needs to be one, and never changes', async () => {
    const answer = await get(frameUrl('17.raw'))
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(WIDTH * HEIGHT * 2),
      'accept-ranges': 'bytes',
      'cache-control': expect.stringContaining('immutable'),
      'last-modified': 'Tue, 14 Nov 2023 22:13:20 GMT',
      'x-frame-width': '40',
      'x-frame-height': '30',
      'x-frame-dtype': 'uint16',
      'x-frame-sequence': '17',
      'x-frame-time': '2023-11-14T22:13:20.000000017Z',
      'x-frame-checksum': 'good',
    })
    expect(pixelsIn(await bytesOf(answer))).toEqual([...pixelsOf(17)])
    for (const name of ['300.raw', '-1.raw', '2.tif', '2', '99999999999999999999.raw']) expect((await get(frameUrl(name))).status).toBe(404)
  })

  it('comes in ranges, goes on with a broken download, and is not sent again to who has it', async () => {
    const all = await bytesOf(await get(frameUrl('17.raw')))
    const etag = (await get(frameUrl('17.raw'), {}, 'HEAD')).headers.get('etag') ?? ''
    expect(etag).toMatch(/^"/)
    const part = await get(frameUrl('17.raw'), { range: 'bytes=101-1999', 'if-range': etag })
    expect([part.status, part.headers.get('content-range')]).toEqual([206, 'bytes 101-1999/2400'])
    expect(await bytesOf(part)).toEqual(all.subarray(101, 2000))
    expect((await get(frameUrl('17.raw'), { range: 'bytes=101-1999', 'if-range': '"other"' })).status).toBe(200)
    expect((await get(frameUrl('17.raw'), { range: 'bytes=2400-' })).status).toBe(416)
    expect((await get(frameUrl('17.raw'), { 'if-none-match': etag })).status).toBe(304)
    expect((await get(frameUrl('18.raw'), { 'if-none-match': etag })).status).toBe(200)
    expect((await get(frameUrl('17.raw'), { 'if-modified-since': 'Tue, 14 Nov 2023 22:13:20 GMT' })).status).toBe(304)
    expect((await get(frameUrl('17.raw'), { 'if-modified-since': 'Tue, 14 Nov 2023 22:13:19 GMT' })).status).toBe(200)
    const head = await get(frameUrl('17.npy'), {}, 'HEAD')
    expect([head.headers.get('content-length'), (await bytesOf(head)).byteLength]).toEqual([String(128 + 2400), 0])
  })

  it('is a file of NumPy', async () => {
    const bytes = await bytesOf(await get(frameUrl('17.npy')))
    expect(bytes.subarray(0, 128).toString('latin1')).toContain(`{'descr': '<u2', 'fortran_order': False, 'shape': (30, 40), }`)
    expect(pixelsIn(bytes.subarray(128))).toEqual([...pixelsOf(17)])
  })

  it('is found in the dataset, one by one and page by page', async () => {
    const { data, errors } = await ask<Record<string, never>>(
      'frame(index: 17) { index sequence time width height dtype rawUrl npyUrl pngUrl thumb: pngUrl(colormap: "magma", minimum: 2.5, maxSide: 64) } beyond: frame(index: 300) { index }',
    )
    expect(errors).toBeUndefined()
    expect(data.dataset).toMatchObject({
      frame: { index: 17, sequence: 17, width: 40, height: 30, dtype: 'uint16', rawUrl: frameUrl('17.raw'), npyUrl: frameUrl('17.npy') },
      beyond: null,
    })
    expect(data.dataset).toMatchObject({ frame: { pngUrl: frameUrl('17.png'), thumb: frameUrl('17.png?colormap=magma&minimum=2.5&maxSide=64') } })
    expect((await ask('frame(index: 1) { pngUrl(colormap: "jet") }')).errors?.[0]?.message).toMatch(/jet is not known; there are gray, viridis/)
    type Page = { frames: { totalCount: number; edges: { node: { index: number } }[]; pageInfo: { endCursor: string; hasNextPage: boolean } } }
    const page = 'totalCount edges { node { index } } pageInfo { endCursor hasNextPage }'
    const first = (await ask<Page>(`frames(first: 200) { ${page} }`)).data.dataset.frames
    expect([first.totalCount, first.edges.length, first.edges[199]?.node.index, first.pageInfo.hasNextPage]).toEqual([FRAMES, 200, 199, true])
    const rest = (await ask<Page>(`frames(first: 200, after: "${first.pageInfo.endCursor}") { ${page} }`)).data.dataset.frames
    expect([rest.edges[0]?.node.index, rest.edges.at(-1)?.node.index, rest.pageInfo.hasNextPage]).toEqual([200, 299, false])
  })
})

describe('a picture', () => {
  const picture = async (query: string) => {
    const answer = await get(frameUrl(`17.png${query}`))
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png'])
    return decoded(await bytesOf(answer))
  }

  it('is gray between the levels asked for, or the extremes of the frame', async () => {
    const own = await picture('')
    expect(own).toMatchObject({ width: WIDTH, height: HEIGHT, bitDepth: 8, colorType: 0 })
    expect([own.line(0)[0], own.line(29)[39]]).toEqual([0, 255])
    const levels = await picture('?minimum=17&maximum=47')
    expect(levels.line(0).slice(0, 12)).toEqual([0, 26, 51, 77, 102, 128, 153, 179, 204, 230, 255, 255])
  })

  it.each(['viridis', 'inferno', 'magma', 'hilo'] as const)('has the colours of %s', async (colormap) => {
    const { colorType, palette, line } = await picture(`?colormap=${colormap}&minimum=17&maximum=47`)
    expect(colorType).toBe(3)
    expect(palette).toEqual(Buffer.from(colormapTable(colormap)))
    expect(line(0).slice(8, 11)).toEqual(colormap === 'hilo' ? [203, 229, 254] : [204, 230, 255])
  })

  it('shows pixels that are saturated', async () => {
    expect((await picture('?colormap=hilo&minimum=17&maximum=47&saturated=40')).line(0).slice(6, 10)).toEqual([153, 178, 255, 255])
  })

  it('keeps 16 bits where that is asked for', async () => {
    const { bitDepth, colorType, line } = await picture('?colormap=gray16')
    expect([bitDepth, colorType]).toEqual([16, 0])
    const bytes = Buffer.from(line(2))
    expect(Array.from({ length: WIDTH }, (_, x) => bytes.readUInt16BE(x * 2))).toEqual([...pixelsOf(17).subarray(2 * WIDTH, 3 * WIDTH)])
  })

  it('is small where that is asked for', async () => {
    expect(await picture('?maxSide=10')).toMatchObject({ width: 10, height: 7 })
    expect(await picture('?maxSide=1')).toMatchObject({ width: 1, height: 1 })
    expect(await picture('?maxSide=100')).toMatchObject({ width: WIDTH, height: HEIGHT })
  })

  it('is not made again for who has it, and refused in words', async () => {
    const etag = (await get(frameUrl('17.png?colormap=magma'))).headers.get('etag') ?? ''
    expect((await get(frameUrl('17.png?colormap=magma'), { 'if-none-match': etag })).status).toBe(304)
    expect((await get(frameUrl('17.png?colormap=viridis'), { 'if-none-match': etag })).status).toBe(200)
    for (const [query, words] of [
      ['colormap=jet', 'there are gray, viridis, inferno, magma, hilo, gray16'],
      ['minimum=x', 'minimum: x is not a finite number'],
      ['maximum=', 'maximum:  is not a finite number'],
      ['maxSide=0', 'maxSide: 0 is not from 1'],
      ['colour=magma', 'colour is not known here; there are colormap'],
      ['colormap=gray16&minimum=1', 'without minimum'],
    ]) {
      const answer = await get(frameUrl(`17.png?${query}`))
      expect([answer.status, ((await answer.json()) as { detail: string }).detail]).toEqual([400, expect.stringContaining(words ?? '')])
    }
  })
})

describe('a slice', () => {
  type Slice = { slice: { shape: number[]; bytes: number; npyUrl: string; arrowUrl: string } }
  const SLICE = `slice(range: { from: 10, to: 110 }, step: 7, roi: ${ROI_TEXT}) { shape dtype bytes npyUrl arrowUrl }`
  const indices = Array.from({ length: 15 }, (_, at) => 10 + 7 * at)

  it('is one file of NumPy that can be taken up anywhere', async () => {
    const { data, errors } = await ask<Slice>(SLICE)
    expect(errors).toBeUndefined()
    const { shape, bytes, npyUrl } = data.dataset.slice
    expect([shape, bytes]).toEqual([[15, 4, 13], 15 * 4 * 13 * 2])
    const answer = await get(npyUrl)
    const file = await bytesOf(answer)
    expect([answer.headers.get('content-length'), file.byteLength]).toEqual([String(128 + bytes), 128 + bytes])
    expect(file.subarray(0, 128)).toEqual(Buffer.from(npyHeader([15, 4, 13])))
    expect(pixelsIn(file.subarray(128))).toEqual(indices.flatMap(regionOf))
    const rest = await get(npyUrl, { range: 'bytes=333-', 'if-range': answer.headers.get('etag') ?? '' })
    expect([rest.status, await bytesOf(rest)]).toEqual([206, file.subarray(333)])
    expect((await get(npyUrl, { 'if-none-match': answer.headers.get('etag') ?? '' })).status).toBe(304)
  })

  it('is an Arrow stream with the columns beside the pixels', async () => {
    const { arrowUrl } = (await ask<Slice>(SLICE)).data.dataset.slice
    const table = tableFromIPC(await bytesOf(await get(arrowUrl)))
    expect([...table].map((row) => Number(row.sequence))).toEqual(indices)
    expect([...table].flatMap((row) => [...row.frame.toArray()])).toEqual(indices.flatMap(regionOf))
  })

  it('is binned where that is asked for', async () => {
    const { shape, npyUrl } = (await ask<Slice>('slice(range: { from: 5, to: 6 }, bin: 10) { shape npyUrl }')).data.dataset.slice
    expect(shape).toEqual([1, 3, 4])
    expect(pixelsIn((await bytesOf(await get(npyUrl))).subarray(128))[0]).toBe(Math.round(5 + 3 * (4.5 + 4.5 * WIDTH)))
  })

  it('is refused in words that say what is allowed', async () => {
    const message = async (args: string) => (await ask(`slice(${args}) { bytes }`)).errors?.[0]?.message
    expect(await message('roi: { x: 30, y: 0, width: 11, height: 1 }')).toMatch(/must be whole numbers and lie inside a frame of 40 x 30/)
    expect(await message('range: { from: -1 }')).toMatch(/from: -1 is not a whole number from 0; there are 300 frames/)
    expect(await message('step: 0')).toMatch(/step: 0/)
    expect(await message('bin: 31')).toMatch(/from 1 to 30/)
    const answer = await get(`/files/datasets/${whole}/slice/frames.npy?x=1`)
    expect([answer.status, await answer.json()]).toEqual([400, { status: 400, code: 'INVALID_VALUE', detail: 'a region needs all of x, y, width, height' }])
  })

  it('is not read on when the client goes', async () => {
    const large = await recording('COMPLETE', 40, { width: 1024, height: 1024 })
    const request = http.get(`${lab.api.url}/files/datasets/${large}/slice/frames.npy`)
    request.on('error', () => undefined)
    request.once('response', (response) => response.once('data', () => request.destroy()))
    await new Promise((resolve) => request.once('close', resolve))
    await until(async () => !(await openFiles()).includes(fileOf(large)), { what: 'nobody reads the recording any more' })
  })

  it('is no fault for the log when the client goes while it waits for its turn', async () => {
    const readers = heldReaders(lab, 2)
    const [turns, faults] = [vi.spyOn(lab.api.services.readTurns, 'once'), vi.spyOn(lab.api.services.log, 'error')]
    const request = http.get(`${lab.api.url}${frameUrl('1.raw')}`).on('error', () => undefined)
    await until(() => turns.mock.calls.length === 1)
    request.destroy()
    await until(() => turns.mock.settledResults[0]?.type === 'rejected')
    readers.release()
    await readers.gone
    expect((await get(frameUrl('1.raw'))).status).toBe(200)
    expect(faults).not.toHaveBeenCalled()
  })
})

describe('numbers of a region in every frame', () => {
  type Numbers = { frameSeries: { column: string; x: number[]; values: number[]; reducedFrom: number } }
  const mean = (frame: number) => regionOf(frame).reduce((sum, pixel) => sum + pixel, 0) / 52

  it.each([
    ['MEAN', mean],
    ['SUM', (frame: number) => mean(frame) * 52],
    ['MIN', (frame: number) => Math.min(...regionOf(frame))],
    ['MAX', (frame: number) => Math.max(...regionOf(frame))],
  ])('are the %s', async (reduce, of) => {
    const { data, errors } = await ask<Numbers>(`frameSeries(roi: ${ROI_TEXT}, reduce: ${reduce}) { column unit x values reducedFrom }`)
    expect(errors).toBeUndefined()
    const { x, values, reducedFrom } = data.dataset.frameSeries
    expect(reducedFrom).toBe(FRAMES)
    expect(x).toEqual(Array.from({ length: FRAMES }, (_, frame) => frame))
    expect(values).toEqual(x.map(of))
  })

  it('are as many as asked for, without losing a flash; of a part; against time', async () => {
    const few = (await ask<Numbers>(`frameSeries(roi: ${ROI_TEXT}, maxPoints: 20) { x values reducedFrom }`)).data.dataset.frameSeries
    expect([few.x.length, few.reducedFrom, few.x.includes(SPIKE), Math.max(...few.values)]).toEqual([20, FRAMES, true, mean(SPIKE)])
    const part = (await ask<Numbers>(`frameSeries(roi: ${ROI_TEXT}, range: { from: 100, to: 110 }, step: 3, x: "time") { x values }`)).data.dataset.frameSeries
    expect(part.values).toEqual([100, 103, 106, 109].map(mean))
    expect(part.x.map(Math.trunc)).toEqual([1_700_000_000, 1_700_000_000, 1_700_000_000, 1_700_000_000])
    expect((await ask('frameSeries(x: "colour") { x }')).errors?.[0]?.message).toMatch(/no column colour; there are sequence, time/)
    expect((await ask('frameSeries(roi: { x: 40, y: 0, width: 1, height: 1 }) { x }')).errors?.[0]?.message).toMatch(/inside a frame of 40 x 30/)
  })

  it('that would take too long are answered with how far it came and what else there is', async () => {
    const { services } = lab.api
    const row = await services.database.prisma.dataset.findUniqueOrThrow({ where: { id: whole } })
    const question = { roi: ROI, reduce: 'MEAN', range: {}, x: undefined, maxPoints: 100 } as const
    const others = heldReaders(lab, 2)
    await expect(frameSeriesOf(row, question, services, 1)).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      message: expect.stringMatching(/^0 of 300 frames were read in 0.001 s; ask for a range, for every so many-th frame/),
    })
    others.release()
    await others.gone
    const gone = AbortSignal.abort(new Error('the client has gone'))
    await expect(frameSeriesOf(row, question, { ...services, signal: gone })).rejects.toThrow('the client has gone')
  })

  it('can be had in full length, as CSV, as Arrow and for NumPy', async () => {
    const { data } = await ask<{ csv: string; arrow: string; npy: string }>(
      `csv: frameSeriesUrl(roi: ${ROI_TEXT}) arrow: frameSeriesUrl(roi: ${ROI_TEXT}, step: 2, format: ARROW) npy: frameSeriesUrl(roi: ${ROI_TEXT}, step: 3, format: NPY)`,
    )
    const answer = await get(data.dataset.csv)
    expect(answer.headers.get('content-type')).toMatch(/^text\/csv/)
    const lines = (await answer.text()).split('\r\n')
    expect(lines[0]).toBe('sequence,time,index,minimum [{count}],maximum [{count}],mean [{count}],sum [{count}]')
    const region = regionOf(299)
    expect(lines[300]).toBe(`299,2023-11-14T22:13:20.000000299Z,299,${Math.min(...region)},${Math.max(...region)},${mean(299)},${mean(299) * 52}`)
    expect(lines).toHaveLength(FRAMES + 2)
    const table = tableFromIPC(await bytesOf(await get(data.dataset.arrow)))
    expect([...table].map((row) => row.mean)).toEqual(Array.from({ length: 150 }, (_, at) => mean(at * 2)))
    const file = await bytesOf(await get(data.dataset.npy))
    expect(file.subarray(0, 128).toString('latin1')).toContain("'<f8', 'fortran_order': False, 'shape': (100, 4)")
    expect(Array.from({ length: 100 }, (_, at) => file.readDoubleLE(128 + at * 32 + 16))).toEqual(Array.from({ length: 100 }, (_, at) => mean(3 * at)))
    const rest = await get(data.dataset.npy, { range: 'bytes=1001-' })
    expect([rest.status, await bytesOf(rest)]).toEqual([206, file.subarray(1001)])
    expect((await get(data.dataset.csv, { 'if-none-match': answer.headers.get('etag') ?? '' })).status).toBe(304)
  })

  it.each(['csv', 'arrow', 'npy'])('is refused as %s before anything is sent', async (form) => {
    const answer = await get(`/files/datasets/${whole}/frame-series/series.${form}?x=30&y=0&width=11&height=4`)
    expect([answer.status, await answer.json()]).toMatchObject([400, { code: 'INVALID_VALUE', detail: expect.stringContaining('frame of 40 x 30') }])
  })
})

describe('the columns beside the pixels', () => {
  it('are read as those of a table', async () => {
    type Columns = {
      series: { values: number[] }[]
      statistics: { column: string; count: number; minimum: number; maximum: number }[]
      table: { rows: unknown[][] }
    }
    const { data, errors } = await ask<Columns>(
      'columns { name shape } series(columns: ["sequence"], x: "time", maxPoints: 300) { values } statistics { column count minimum maximum } table(columns: ["sequence", "time"], range: { from: 298 }) { rows }',
    )
    expect(errors).toBeUndefined()
    const { series, statistics, table } = data.dataset
    expect(series[0]?.values).toEqual(Array.from({ length: FRAMES }, (_, frame) => frame))
    expect(statistics.find(({ column }) => column === 'sequence')).toEqual({ column: 'sequence', count: FRAMES, minimum: 0, maximum: 299 })
    expect(table.rows).toEqual([
      [298, '2023-11-14T22:13:20.000000298Z'],
      [299, '2023-11-14T22:13:20.000000299Z'],
    ])
    expect((await ask('series(columns: ["frame"]) { x }')).errors?.[0]?.message).toMatch(/no column frame; there are sequence/)
  })
})

describe('a recording that goes on', () => {
  it('is read up to its last whole frame, and nobody keeps what was there', async () => {
    const id = await recording('RECORDING', 8)
    const path = fileOf(id)
    const bytes = await readFile(path)
    const batch = (bytes.byteLength - 8 - 4096) / 8
    await truncate(path, 4096 + 3 * batch + 100)
    const frames = async () => (await ask<{ frames: { totalCount: number } }>('frames { totalCount }', id)).data.dataset.frames.totalCount
    expect(await frames()).toBe(3)
    expect((await get(frameUrl('3.raw', id))).status).toBe(404)
    const answer = await get(frameUrl('2.raw', id))
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'private, no-cache'])
    const slice = (await ask<{ slice: { shape: number[]; npyUrl: string } }>('slice { shape npyUrl }', id)).data.dataset.slice
    expect(slice.shape).toEqual([3, 30, 40])
    await appendFile(path, bytes.subarray(4096 + 3 * batch + 100, 4096 + 5 * batch))
    expect(await frames()).toBe(5)
    expect((await get(frameUrl('4.raw', id))).status).toBe(200)
    expect((await bytesOf(await get(slice.npyUrl))).byteLength).toBe(128 + 3 * 2400) // what was asked for then
  })
})

describe('too many readers', () => {
  it('are told to come again', async () => {
    const readers = heldReaders(lab, 64)
    for (const url of [frameUrl('1.raw'), `/files/datasets/${whole}/frame-series/series.csv`]) {
      const answer = await get(url)
      expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toMatchObject([503, '1', { code: 'LIMIT_EXCEEDED' }])
    }
    expect((await ask('frameSeries { x }')).errors?.[0]?.extensions?.['code']).toBe('LIMIT_EXCEEDED')
    readers.release()
    await readers.gone
    expect((await get(frameUrl('1.raw'))).status).toBe(200)
  })
})

describe('a damaged recording', () => {
  it('is an error that says so, never wrong pixels', async () => {
    const id = await recording('COMPLETE', 8, { width: 800, height: 800 }) // each is a piece of its own
    await using file = await openFrameFile(fileOf(id))
    const place = await file.pixelRun(5)
    const handle = await open(fileOf(id), 'r+')
    await handle.write(Uint8Array.of(0xff), 0, 1, (place?.offset ?? 0) + 1001)
    await handle.close()
    for (const name of ['5.raw', '5.npy', '5.png']) {
      const answer = await get(frameUrl(name, id))
      expect([answer.status, answer.headers.get('content-type'), await answer.json()]).toEqual([
        500,
        'application/problem+json',
        { status: 500, code: 'HARDWARE_FAULT', detail: expect.stringContaining('frame 5') },
      ])
    }
    expect((await get(frameUrl('4.raw', id))).status).toBe(200)
    expect((await get(`/files/datasets/${id}/slice/frames.npy?from=5`)).status).toBe(500)
    await expect(get(`/files/datasets/${id}/slice/frames.npy`).then(bytesOf)).rejects.toThrow() // broken off in the middle
    const { data } = await ask('checkFrames { from to complete damaged unknown }', id)
    expect(data.dataset).toEqual({ checkFrames: { from: 0, to: 8, complete: true, damaged: [5], unknown: 0 } })
  })

  it('without checksums is given, and said to be so', async () => {
    const id = await recording('COMPLETE', 3)
    await rm(batchIndexPath(fileOf(id)))
    const answer = await get(frameUrl('1.raw', id))
    expect([answer.status, answer.headers.get('x-frame-checksum')]).toEqual([200, 'unknown'])
    expect((await ask('checkFrames(range: { from: 1 }) { from to damaged unknown }', id)).data.dataset).toEqual({
      checkFrames: { from: 1, to: 3, damaged: [], unknown: 2 },
    })
  })
})
