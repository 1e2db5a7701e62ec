import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { ClientPatience } from '../../api/http/client-patience.ts'
import { createFilesRouter } from '../../api/http/files.ts'
import { FRAMES_FILE } from '../../core/dataset.ts'
import { until } from '../until.ts'
import { heldReaders } from './held-readers.ts'
import { startTestLab, type TestLab } from './lab.ts'
import { openFiles } from './open-files.ts'
import { recordedDataset, recordedFile } from './recorded-dataset.ts'

const STALL_MS = 1000 // long enough for this process to be busy with something else in the middle of a download that goes on
const FRAME = { width: 1024, height: 1024, frames: 16 } // 32 MB: more than the sockets of a connection hold
const FRAME_BYTES = FRAME.width * FRAME.height * 2
const READERS = 64

let lab: TestLab
let dataset: string
let web: http.Server
let base: string
beforeAll(async () => {
  lab = await startTestLab()
  const { dataDir, api } = lab
  dataset = await recordedDataset(lab, { state: 'COMPLETE', ...FRAME, pixelOf: (frame) => frame })
  await api.services.database.prisma.dataset.update({
    where: { id: dataset },
    data: { files: [{ name: FRAMES_FILE, bytes: 1, mediaType: 'application/vnd.apache.arrow.stream' }] },
  })
  const { database, readTurns } = api.services
  const files = createFilesRouter({ database, dataDir, turns: readTurns, authorize: async () => undefined, stallMs: STALL_MS })
  web = express().use('/files', files).listen(0, '127.0.0.1')
  await once(web, 'listening')
  base = `http://127.0.0.1:${(web.address() as AddressInfo).port}/files/datasets/${dataset}`
}, 60_000)
afterAll(async () => {
  web.closeAllConnections()
  await new Promise((resolve) => web.close(resolve))
  await lab.close()
})

const SLICE = '/slice/frames.npy'
const status = async (where: string): Promise<number> => (await fetch(`${base}${where}`, { headers: { range: 'bytes=0-0' } })).status
const timesOpen = async (): Promise<number> => (await openFiles()).filter((name) => name === recordedFile(lab, dataset)).length

/** Takes what comes with the head, and then nothing. */
async function stall(where: string): Promise<void> {
  const request = http.get(`${base}${where}`, { agent: false }).on('error', () => undefined)
  onTestFinished(() => void request.destroy())
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  response.on('error', () => undefined)
  expect(response.statusCode).toBe(200)
}

/** Readers that are open and do nothing. */
async function idleReaders(count: number): Promise<AsyncDisposable> {
  const { readTurns } = lab.api.services
  const readers = Array.from({ length: count }, () =>
    readTurns.each(
      (async function* () {
        for (;;) yield 'more'
      })(),
    ),
  )
  for (const reader of readers) await reader.next()
  return {
    async [Symbol.asyncDispose]() {
      for (const reader of readers) await reader.return(undefined)
    },
  }
}

it('clients that stop reading lose their places to others', async () => {
  await using _others = await idleReaders(READERS - 2)
  const cut: boolean[] = []
  web.on('request', (_request, response) => response.once('close', () => cut.push(!response.writableFinished)))
  await Promise.all([stall(SLICE), stall(SLICE)])
  await until(async () => (await status(SLICE)) === 206, { deadlineMs: 20_000, what: 'a place among the readers' })
  await until(async () => cut.filter((each) => each).length === 2, { deadlineMs: 20_000, what: 'the others are cut' })
  await until(async () => (await timesOpen()) === 0, { what: 'nobody has the recording open' })
})

it.each([`/${FRAMES_FILE}`, '/slice/frames.arrow'])('a client that stops reading %s holds no file', async (where) => {
  await stall(where)
  await until(async () => (await timesOpen()) === 0, { deadlineMs: 20_000, what: 'nobody has the recording open' })
})

it('a client that waits for us has all the time', async () => {
  const request = http.get(`${base}${SLICE}`, { agent: false })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  const others = heldReaders(lab, 2)
  let bytes = 0
  response.on('data', (some: Buffer) => (bytes += some.byteLength))
  const before = await timesOpen()
  for (let count = 0; count < 2; count += 1) {
    await stall(`/${FRAMES_FILE}`) // for whom that time is over
    await until(async () => (await timesOpen()) === before, { deadlineMs: 20_000, what: 'the stalled client is cut' })
  }
  others.release()
  await others.gone
  await once(response, 'end')
  expect(bytes).toBe(128 + FRAME.frames * FRAME_BYTES)
})

it('a client that is slow is not cut, one that takes nothing more is', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const patience = new ClientPatience(STALL_MS)
  const pieces = patience.pieces(
    (async function* () {
      for (let count = 0; count < 3; count += 1) yield new Uint8Array(1_000_000)
    })(),
  )
  let bytes = 0
  for await (const piece of pieces) {
    bytes += piece.byteLength
    vi.advanceTimersByTime(STALL_MS - 1)
  }
  expect(bytes).toBe(3_000_000)
  expect(patience.signal.aborted).toBe(false)
  vi.advanceTimersByTime(STALL_MS)
  expect(patience.signal.aborted).toBe(true)
})
