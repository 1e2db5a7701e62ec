import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import express from 'express'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createFilesRouter } from '../../../api/http/files.ts'
import { ReadTurns } from '../../../api/read-turns.ts'
import type { DatasetState } from '../../../core/dataset.ts'
import { Forbidden } from '../../../core/errors.ts'
import { uuidv7 } from '../../../core/id.ts'
import type { Database } from '../../../prisma/client.ts'
import { openDatabase } from '../../../prisma/client.ts'
import type { TestDatabase } from '../../harness/database.ts'
import { startTestDatabase } from '../../harness/database.ts'

let server: TestDatabase
let database: Database
let dataDir: string
let web: http.Server
let base: string
let stationId: string
const BODY = randomBytes(1_000_000)
const HASH = createHash('sha256').update(BODY).digest('hex')
const exportId = uuidv7()

beforeAll(async () => {
  server = await startTestDatabase()
  database = openDatabase(server.url, { onError: () => undefined })
  dataDir = await mkdtemp(path.join(tmpdir(), 'kymograph-files-'))
  stationId = (await database.prisma.station.create({ data: { name: 'test', host: 'here' } })).id
  const folder = path.join('exports', exportId)
  await mkdir(path.join(dataDir, folder), { recursive: true })
  await writeFile(path.join(dataDir, folder, 'scan µ.csv'), BODY)
  await writeFile(path.join(dataDir, folder, 'SHA256SUMS'), `${HASH}  scan µ.csv\n`)
  await writeFile(path.join(dataDir, folder, 'beside.txt'), 'not in the row')
  await symlink('/etc/hostname', path.join(dataDir, folder, 'link.csv'))
  await database.prisma.job.create({ data: { id: exportId, queue: 'compute', name: 'export', requestedBy: 'Ada', payload: {}, log: [] } })
  const file = { name: 'scan µ.csv', bytes: BODY.byteLength, sha256: HASH, mediaType: 'text/csv; charset=utf-8; header=present' }
  await database.prisma.export.create({
    data: {
      id: exportId,
      jobId: exportId,
      format: 'csv',
      datasetIds: [],
      folder,
      files: [file, { ...file, name: 'link.csv' }, { ...file, name: 'gone.csv' }],
      manifest: 'SHA256SUMS',
      bytes: 1n,
    },
  })

  const app = express()
  const authorize = async (request: express.Request): Promise<void> => {
    if (request.header('authorization') === 'Bearer viewer-of-nothing') throw new Forbidden('not for you', 'VIEWER')
    if (request.header('authorization') !== undefined) throw Object.assign(new Error('this API key is not known'), { name: 'Unauthenticated' })
  }
  app.use('/files', createFilesRouter({ database, dataDir, turns: new ReadTurns(), authorize }))
  web = app.listen(0, '127.0.0.1')
  await new Promise((resolve) => web.once('listening', resolve))
  base = `http://127.0.0.1:${(web.address() as AddressInfo).port}/files`
})

afterAll(async () => {
  web.closeAllConnections()
  await new Promise((resolve) => web.close(resolve))
  await database[Symbol.asyncDispose]()
  await server.stop()
  await rm(dataDir, { recursive: true, force: true })
})

async function dataset(state: DatasetState): Promise<{ id: string; folder: string }> {
  const id = uuidv7()
  const folder = path.join('datasets', id)
  await mkdir(path.join(dataDir, folder), { recursive: true })
  const name = 'table.arrow'
  await database.prisma.dataset.create({
    data: {
      id,
      name: 'a recording',
      kind: 'TABLE',
      state,
      stationId,
      axes: [],
      signals: [],
      shape: [],
      columns: [],
      folder,
      files: [{ name, bytes: 1, mediaType: 'application/vnd.apache.arrow.stream' }],
    },
  })
  return { id, folder: path.join(dataDir, folder) }
}

const get = (where: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Response> => fetch(`${base}${where}`, { headers, method })
const scan = `/exports/${exportId}/${encodeURIComponent('scan µ.csv')}`

describe('a file of an export', () => {
  test('comes whole, with its hash as tag, its type and its name', async () => {
    const answer = await get(scan)
    expect(answer.status).toBe(200)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      etag: `"${HASH}"`,
      'accept-ranges': 'bytes',
      'content-length': String(BODY.byteLength),
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': `attachment; filename="scan _.csv"; filename*=UTF-8''scan%20%C2%B5.csv`,
      'x-content-type-options': 'nosniff',
    })
    expect(Buffer.from(await answer.arrayBuffer()).equals(BODY)).toBe(true)
    expect(await (await get(`/exports/${exportId}/SHA256SUMS`)).text()).toBe(`${HASH}  scan µ.csv\n`)
  })

  test('is described by HEAD and not sent again to who has it', async () => {
    const head = await get(scan, {}, 'HEAD')
    expect([head.status, head.headers.get('content-length'), (await head.arrayBuffer()).byteLength]).toEqual([200, String(BODY.byteLength), 0])
    for (const tag of [`"${HASH}"`, `W/"${HASH}"`, `"other", "${HASH}"`, '*']) expect((await get(scan, { 'if-none-match': tag })).status).toBe(304)
    expect((await get(scan, { 'if-none-match': '"other"' })).status).toBe(200)
  })

  test.each([
    ['bytes=0-9', 0, 10],
    ['bytes=999990-', 999_990, 1_000_000],
    ['bytes=-5', 999_995, 1_000_000],
    ['bytes=999998-2000000', 999_998, 1_000_000],
    ['bytes=-2000000', 0, 1_000_000],
  ])('gives the range %s', async (range, from, to) => {
    const answer = await get(scan, { range })
    expect(answer.status).toBe(206)
    expect(answer.headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/1000000`)
    expect(Buffer.from(await answer.arrayBuffer()).equals(BODY.subarray(from, to))).toBe(true)
  })

  test('refuses a range that is not there, and ignores what is none', async () => {
    const beyond = await get(scan, { range: 'bytes=1000000-' })
    expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, 'bytes */1000000'])
    expect(Object.fromEntries(beyond.headers)).toMatchObject({ 'cache-control': 'no-store', 'accept-ranges': 'bytes', 'content-length': '0' })
    for (const name of ['etag', 'last-modified', 'content-type', 'content-disposition']) expect([name, beyond.headers.get(name)]).toEqual([name, null])
    for (const range of ['bytes=5-2', 'lines=1-2', 'bytes=0-1,4-5', 'bytes=-']) expect((await get(scan, { range })).status).toBe(200)
  })

  test('goes on with a download only if it is still the same file', async () => {
    expect((await get(scan, { range: 'bytes=0-9', 'if-range': `"${HASH}"` })).status).toBe(206)
    for (const version of ['"other"', 'Wed, 21 Oct 2026 07:28:00 GMT', `W/"${HASH}"`])
      expect((await get(scan, { range: 'bytes=0-9', 'if-range': version })).status).toBe(200)
  })

  test.each([['beside.txt'], ['..%2f..%2fetc%2fpasswd'], ['%2e%2e%2fSHA256SUMS'], ['link.csv'], ['gone.csv'], ['scan%00.csv']])(
    '%s is not served',
    async (name) => {
      const answer = await get(`/exports/${exportId}/${name}`)
      expect(answer.status).toBe(404)
      expect([answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual(['application/problem+json', 'no-store'])
    },
  )

  test('an export that never was, a folder, another method, a wrong key', async () => {
    for (const where of [`/exports/${uuidv7()}/x`, '/exports/.partial/x', `/exports/${exportId}`, '/', '/exports/not-an-id/SHA256SUMS'])
      expect((await get(where)).status).toBe(404)
    const answer = await get(scan, {}, 'DELETE')
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect((await get(scan, { authorization: 'Bearer wrong' })).status).toBe(401)
    expect((await get(scan, { authorization: 'Bearer viewer-of-nothing' })).status).toBe(403)
  })

  test('a client that goes away midway stops the reading', async () => {
    const closed = new Promise<void>((resolve) => web.once('request', (_request, response) => response.once('close', resolve)))
    const request = http.get(`${base}${scan}`)
    request.once('response', (response) => response.once('data', () => request.destroy()))
    request.on('error', () => undefined)
    await closed
    expect((await get(scan, {}, 'HEAD')).status).toBe(200)
  })
})

describe('files of a dataset', () => {
  test('are served once it is whole', async () => {
    const complete = await dataset('COMPLETE')
    await writeFile(path.join(complete.folder, 'table.arrow'), BODY)
    await writeFile(path.join(complete.folder, 'manifest.json'), '{}')
    const answer = await get(`/datasets/${complete.id}/table.arrow`)
    expect([answer.status, (await answer.arrayBuffer()).byteLength]).toEqual([200, 1_000_000])
    expect((await get(`/datasets/${complete.id}/table.arrow`, { 'if-none-match': answer.headers.get('etag') ?? '' })).status).toBe(304)
    expect((await get(`/datasets/${complete.id}/manifest.json`)).headers.get('content-type')).toBe('application/json')
    for (const [state, status] of [
      ['RECORDING', 409],
      ['FAILED', 409],
      ['ARCHIVED', 409],
      ['RECOVERED', 404],
    ] as const)
      expect((await get(`/datasets/${(await dataset(state)).id}/table.arrow`)).status).toBe(status)
  })
})
