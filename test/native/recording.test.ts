import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { tableFromIPC } from 'apache-arrow'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRing, type NativeRing, plainWrite } from '../../native/files.ts'
import type { RecordingOptions } from '../../native/types.ts'
import { batchIndexPath } from '../../storage/batch-index.ts'
import { damagedFrames } from '../../storage/frame-checks.ts'
import { openFrameFile } from '../../storage/frame-file.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'
import { recoverStream } from '../../storage/recover.ts'
import { until } from '../until.ts'
import { patternSource, samePixels } from './pattern.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-recording-'))
})
afterEach(() => rm(folder, { recursive: true }))

const ringOf = (width: number, height: number, slots = 8) => createRing({ path: path.join(folder, 'frames.ring'), width, height, slots })
const layoutOf = (width: number, height: number) => prepareFrameLayout({ roi: { x: 5, y: 6, width, height }, binning: 1, exposureSeconds: 0.01 })
const optionsFor = (ring: NativeRing, more: Partial<RecordingOptions> = {}): RecordingOptions => ({
  ...layoutOf(ring.width, ring.height),
  path: path.join(folder, 'frames.arrow'),
  keepFreeBytes: 0,
  ...more,
})

describe('a recording', () => {
  // one page whole, several pages, and sides that leave the last page half empty
  test.each([
    [64, 32],
    [256, 256],
    [37, 3],
    [301, 203],
  ])('of %i x %i frames is what apache-arrow and our reader read, pixel for pixel', async (width, height) => {
    await using ring = ringOf(width, height)
    const recording = ring.record(optionsFor(ring, { frames: 50 }))
    await ring.startTestPattern({ frames: 50 })
    const end = await recording.ended
    expect(end).toEqual({ written: 50, dropped: 0, bytes: (await stat(path.join(folder, 'frames.arrow'))).size, state: 'finished' })
    expect(recording.progress()).toEqual(end)
    expect(await recording.stop()).toEqual(end)

    const table = tableFromIPC(await readFile(path.join(folder, 'frames.arrow')))
    expect(table.numRows).toBe(50)
    expect(table.schema.fields.map(({ name, nullable }) => [name, nullable])).toEqual([
      ['sequence', false],
      ['time', false],
      ['hardwareTime', true],
      ['exposure', false],
      ['roiX', false],
      ['roiY', false],
      ['roiWidth', false],
      ['roiHeight', false],
      ['minimum', false],
      ['maximum', false],
      ['mean', false],
      ['saturated', false],
      ['frame', false],
    ])
    await using file = await openFrameFile(path.join(folder, 'frames.arrow'))
    expect(await file.count()).toBe(50)
    const pattern = patternSource(width, height)
    for (let index = 0; index < 50; index += 1) {
      const expected = pattern(index)
      const row = table.get(index)
      expect(row?.sequence).toBe(BigInt(index))
      expect(row).toMatchObject({ hardwareTime: BigInt(index) * 1_000_000n, exposure: 500_000n, roiX: 5, roiY: 6, roiWidth: width, roiHeight: height })
      expect(samePixels(row?.frame.toArray(), expected)).toBe(true)
      const frame = await file.checkedFrame(index)
      expect(frame.sequence).toBe(index)
      expect(samePixels(frame.pixels, expected)).toBe(true)
      expect(Math.abs(Number(frame.time) / 1e6 - Number(row?.time))).toBeLessThan(1)
    }
  })

  test('is stopped after what was published before, and ends by itself when its source ends', async () => {
    await using ring = ringOf(64, 32, 128) // more than the source gives: a busy disk must not count here
    const stopped = ring.record(optionsFor(ring))
    const whole = ring.record(optionsFor(ring, { path: path.join(folder, 'whole.arrow') }))
    const short = ring.record(optionsFor(ring, { path: path.join(folder, 'short.arrow'), frames: 1000 }))
    const source = ring.startTestPattern({ rateHz: 200, frames: 100 })
    await until(() => ring.published > 20n)
    const before = Number(ring.published)
    const end = await stopped.stop()
    expect(end.written).toBeGreaterThanOrEqual(before)
    expect(end.written).toBeLessThan(100)
    await source
    expect(await whole.ended).toMatchObject({ written: 100, dropped: 0, state: 'finished' })
    expect(await short.ended).toMatchObject({ written: 100, state: 'finished', reason: 'the source stopped' })
  })

  test('that is lapped counts what is missing, and what it has is right', async () => {
    await using ring = ringOf(1024, 1024, 3)
    const recording = ring.record(optionsFor(ring))
    await ring.startTestPattern({ rateHz: 3000, frames: 1500 })
    const end = await recording.ended
    await using file = await openFrameFile(path.join(folder, 'frames.arrow'))
    expect(end.dropped).toBeGreaterThan(0)
    expect(await file.count()).toBe(end.written)
    const pattern = patternSource(1024, 1024)
    let last = -1
    let gaps = 0
    for await (const { sequence, pixels } of file.frames()) {
      expect(samePixels(pixels, pattern(sequence))).toBe(true)
      gaps += sequence - last - 1
      last = sequence
    }
    expect(gaps).toBe(end.dropped)
    expect((await stat(batchIndexPath(path.join(folder, 'frames.arrow')))).size).toBe(64 + 40 * end.written)
    expect((await file.checkedFrame(end.written - 1)).sequence).toBe(last)
  })

  test('ends whole when the disk has too little room left', async () => {
    await using ring = ringOf(64, 32)
    const { bavail, bsize } = await statfs(folder)
    const recording = ring.record(optionsFor(ring, { keepFreeBytes: bavail * bsize * 2 }))
    expect(await recording.ended).toMatchObject({ written: 0, state: 'finished', reason: 'disk-full' })
    expect(tableFromIPC(await readFile(path.join(folder, 'frames.arrow'))).numRows).toBe(0)
  })

  test('refuses a file that is there, a layout that does not fit and a relative path', async () => {
    await using ring = ringOf(64, 32)
    await ring.record(optionsFor(ring)).stop()
    expect(() => ring.record(optionsFor(ring))).toThrow(/frames\.arrow: File exists/)
    expect(() => ring.record({ ...layoutOf(64, 64), path: path.join(folder, 'x'), keepFreeBytes: 0 })).toThrow(
      expect.objectContaining({ code: 'INVALID_VALUE' }),
    )
    expect(() => ring.record(optionsFor(ring, { path: 'frames.arrow' }))).toThrow(/absolute path/)
    expect(() => ring.record(optionsFor(ring, { path: path.join(folder, 'no', 'where') }))).toThrow(/No such file/)
  })
})

test('a process killed in the middle leaves every frame that it had reported', async () => {
  const target = path.join(folder, 'frames.arrow')
  const child = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('record-until-killed.ts', import.meta.url)), folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let reported = 0
  for await (const line of createInterface(child.stdout)) {
    reported = Number(line)
    if (reported >= 30) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(child.signalCode).toBe('SIGKILL')
  const before = await openFrameFile(target)
  const frames = await before.count()
  expect(frames).toBeGreaterThanOrEqual(reported)
  await before[Symbol.asyncDispose]()
  expect(await recoverStream(target)).toMatchObject({ rows: frames })
  const table = tableFromIPC(await readFile(target))
  expect(table.numRows).toBe(frames)
  await using file = await openFrameFile(target)
  const pattern = patternSource(512, 512)
  for await (const index of damagedFrames(target)) expect.fail(`frame ${index} is damaged`)
  for await (const { index, sequence, pixels } of file.frames()) {
    expect(sequence).toBe(index)
    expect(samePixels(pixels, pattern(sequence))).toBe(true)
  }
})

test('the yardstick writes what it says', async () => {
  const target = path.join(folder, 'plain')
  const { seconds } = await plainWrite(target, 8192, 10)
  expect(seconds).toBeGreaterThan(0)
  expect((await stat(target)).size).toBe(81_920)
  await expect(async () => plainWrite(target, 1000, 1)).rejects.toThrow(/multiple of 4096/)
})
