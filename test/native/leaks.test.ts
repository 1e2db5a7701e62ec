import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { comediSimulatorPath, loadPvcam, openComedi, pvcamSimulatorPath } from '../../native/devices.ts'
import { createRing, mapRing } from '../../native/files.ts'
import type { ComediAcquisition, ComediPlayback } from '../../native/types.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'
import { until } from '../until.ts'

/** What is opened and closed again a thousand times leaves nothing behind: no descriptor, no thread, no map, no memory. */
const TIMES = 1_000
const WARM_UP = 100 // pools, tables and the like are made once
const SPARE_MAPS = 300 // of JavaScript's heap and of malloc's arenas, which come and go; a leak has a thousand
const SPARE_BYTES = 24e6 // noise of malloc; a leak of the smallest ring here has 40 MB
const SIDE = 128
const ROI = { x: 0, y: 0, width: SIDE, height: SIDE }
const KEPT = 20
const ANALOG_IN = 0
const ANALOG_OUT = 1

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'kymograph-leaks-')) // a thousand recordings sync several times each
})
afterEach(() => rm(folder, { recursive: true }))

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

type Counts = { readonly descriptors: number; readonly threads: number }
type Held = Counts & { readonly maps: number; readonly bytes: number }

/** Of this process. */
async function counted(): Promise<Counts> {
  const descriptors = await readdir('/proc/self/fd') // by itself: what is read beside it would be counted
  const threads = await readdir('/proc/self/task')
  return { descriptors: descriptors.length, threads: threads.length }
}

/** Of this process; memory without JavaScript's own heap. */
async function held(): Promise<Held> {
  collectGarbage()
  const counts = await counted()
  const maps = await readFile('/proc/self/maps', 'utf8')
  const status = await readFile('/proc/self/status', 'utf8')
  const resident = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024
  return {
    ...counts,
    maps: maps.split('\n').length,
    bytes: resident - process.memoryUsage().heapTotal,
  }
}

/** What ends on a thread pool may still be about to. */
function noMoreThan(before: Counts, count: () => Promise<Counts> = held): Promise<Counts> {
  return until(
    async () => {
      const now = await count()
      return now.descriptors <= before.descriptors && now.threads <= before.threads && now
    },
    { what: `no more descriptors and threads than before: ${JSON.stringify(before)}` },
  )
}

async function expectNothingLeft(openAndClose: (round: number) => Promise<void>): Promise<void> {
  for (let round = 0; round < WARM_UP; round += 1) await openAndClose(round)
  const before = await held()
  for (let round = WARM_UP; round < WARM_UP + TIMES; round += 1) await openAndClose(round)
  await noMoreThan(before)
  // Memory goes back when the collector has seen all that held it; a leak stays.
  await until(
    async () => {
      const after = await held()
      expect(after.maps - before.maps).toBeLessThan(SPARE_MAPS)
      expect(after.bytes - before.bytes).toBeLessThan(SPARE_BYTES)
      return true
    },
    { everyMs: 50 },
  )
  expect(await readFile('/proc/self/maps', 'utf8')).not.toContain(folder)
}

test('rings, and maps of them', () =>
  expectNothingLeft(async () => {
    await using ring = createRing({ path: path.join(folder, 'a.ring'), width: SIDE, height: SIDE, slots: 2 })
    await ring.startTestPattern({ frames: 1 })
    await using map = mapRing(ring.path)
    expect(map.frame(0n)?.pixels).toHaveLength(SIDE * SIDE)
  }))

test('recordings', async () => {
  const layout = prepareFrameLayout({ roi: ROI, binning: 1, exposureSeconds: 0.001 })
  await expectNothingLeft(async (round) => {
    await using ring = createRing({ path: path.join(folder, 'a.ring'), width: SIDE, height: SIDE, slots: 4 })
    const file = path.join(folder, `${round}.arrow`)
    const recording = ring.record({ ...layout, path: file, keepFreeBytes: 0 })
    await ring.startTestPattern({ frames: 2 })
    expect((await recording.stop()).written).toBe(2)
    await Promise.all([rm(file), rm(`${file}.index`)])
  })
})

test('a recording that has ended and is kept', async () => {
  const layout = prepareFrameLayout({ roi: ROI, binning: 1, exposureSeconds: 0.001 })
  await using ring = createRing({ path: path.join(folder, 'a.ring'), width: SIDE, height: SIDE, slots: 4 })
  const before = await held()
  const kept = Array.from({ length: KEPT }, (_, index) => ring.record({ ...layout, path: path.join(folder, `${index}.arrow`), keepFreeBytes: 0 }))
  await Promise.all(kept.map((recording) => recording.stop()))
  await noMoreThan(before)
  expect(kept.every((recording) => recording.progress().state === 'finished')).toBe(true)
})

test('cameras', async () => {
  await using pvcam = await loadPvcam(pvcamSimulatorPath(), {
    environment: { PVCAM_VERSION: '7.1.1.118', KYMOGRAPH_PVCAM_SIM_SIZE: `${SIDE}x${SIDE}`, KYMOGRAPH_PVCAM_SIM_FAIL_AFTER: '' },
  })
  const [name = ''] = await pvcam.cameras()
  await expectNothingLeft(async () => {
    await using camera = await pvcam.open(name)
    await using _ = await camera.start({ roi: ROI, binning: 1, exposureSeconds: 0, ringPath: path.join(folder, 'a.ring'), ringSlots: 2 })
    await camera.stop()
  })
})

test('libraries of cameras', () =>
  expectNothingLeft(async () => {
    await using pvcam = await loadPvcam(pvcamSimulatorPath(), { environment: { PVCAM_VERSION: '7.1.1.118' } })
    expect(await pvcam.cameras()).toHaveLength(2)
  }))

test('boards, and what they acquire', () =>
  expectNothingLeft(async () => {
    await using board = await openComedi(comediSimulatorPath(), '/dev/comedi0')
    await using acquisition = await board.acquire({
      subdevice: ANALOG_IN,
      channels: [{ channel: 0, range: 0, reference: 0 }],
      scanIntervalNs: 100_000,
      bufferScans: 16,
    })
    expect(acquisition.scanIntervalNs).toBe(100_000)
  }))

/** Without the garbage collector: whoever keeps one keeps only what it has left. */
test('what a board acquired and played, once it has ended or the board is closed', async () => {
  const channels = [{ channel: 0, range: 0, reference: 0 }]
  const beforeOpening = await counted()
  const board = await openComedi(comediSimulatorPath(), '/dev/comedi0')
  const before = await counted()
  const acquire = (more: object = {}) => board.acquire({ subdevice: ANALOG_IN, channels, scanIntervalNs: 100_000, bufferScans: 16, ...more })
  const play = (more: object = {}) => board.play({ subdevice: ANALOG_OUT, channels, scanIntervalNs: 100_000, samples: Uint32Array.of(1, 2, 3), ...more })
  const acquisitions: ComediAcquisition[] = []
  const playbacks: ComediPlayback[] = []
  for (let round = 0; round < KEPT; round += 1) {
    const acquisition = await acquire({ scans: 10 })
    const playback = await play({ repeats: 3 })
    let scans = 0
    for (let taken = await acquisition.take(10); taken !== undefined; taken = await acquisition.take(10)) scans += taken.length
    expect(scans).toBe(10)
    await playback.ended
    acquisitions.push(acquisition)
    playbacks.push(playback)
  }
  await noMoreThan(before, counted)

  const unread = await acquire()
  const endless = await play()
  await unread.take(1)
  await board[Symbol.asyncDispose]()
  await endless.ended
  expect(acquisitions.every((each) => each.latest()?.length === 1)).toBe(true)
  expect(unread.latest()).toHaveLength(1)
  await noMoreThan(beforeOpening, counted)
})
