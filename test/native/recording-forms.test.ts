import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, copyFile, mkdtemp, open, readdir, readFile, readlink, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { tableFromIPC } from 'apache-arrow'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { FrameCompression } from '../../core/frame.ts'
import { createRing, decompressBody } from '../../native/files.ts'
import type { RecordingOptions } from '../../native/types.ts'
import { batchIndexPath } from '../../storage/batch-index.ts'
import { createFileSink } from '../../storage/file-sink.ts'
import { arrow } from '../../storage/formats/arrow.ts'
import { damagedFrames } from '../../storage/frame-checks.ts'
import { type FrameFile, openFrameFile } from '../../storage/frame-file.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'
import { segmentPath, segmentsOf } from '../../storage/frame-segments.ts'
import { npyBytes, readNpy, sliceOf } from '../../storage/frame-slice.ts'
import { recoverStream } from '../../storage/recover.ts'
import { type RoiNumbers, readRoiSeries } from '../../storage/roi-series.ts'
import { type Python, pythonWith } from '../python.ts'
import { patternSource, samePixels } from './pattern.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-forms-'))
})
afterEach(() => rm(folder, { recursive: true }))

const REGIONS = [
  { x: 0, y: 0, width: 10, height: 1 },
  { x: 3, y: 1, width: 2, height: 2 },
]
const SENSOR_REGIONS = REGIONS.map((region) => ({ ...region, x: region.x + 5, y: region.y + 6 }))
const PERIOD = 1000 // of the pattern: it can be compressed
type Form = {
  readonly width: number
  readonly height: number
  readonly compression?: FrameCompression
  readonly segmentBytes?: number
  readonly period?: number
}

/** The test pattern, as the writer records it. */
async function recorded(frames: number, { width, height, compression = 'NONE', segmentBytes, period = PERIOD }: Form): Promise<string> {
  const target = path.join(folder, 'frames.arrow')
  await using ring = createRing({ path: path.join(folder, 'frames.ring'), width, height, slots: 16, saturation: 60_000, regions: REGIONS })
  const layout = prepareFrameLayout({ roi: { x: 5, y: 6, width, height }, binning: 1, exposureSeconds: 0.01, regions: SENSOR_REGIONS, compression })
  const options: RecordingOptions = { ...layout, path: target, frames, keepFreeBytes: 0, ...(segmentBytes !== undefined && { segmentBytes }) }
  const recording = ring.record(options)
  await ring.startTestPattern({ frames, period })
  const end = await recording.ended
  let bytes = 0
  for await (const segment of segmentsOf(target)) bytes += segment.bytes
  expect(end).toEqual({ written: frames, dropped: 0, bytes, state: 'finished' })
  return target
}

async function expectFrames(target: string, frames: number, { width, height, period = PERIOD }: Form): Promise<void> {
  await using file = await openFrameFile(target)
  expect(await file.count()).toBe(frames)
  const pattern = patternSource(width, height, period)
  let seen = 0
  for await (const { index, sequence, pixels } of file.frames()) {
    expect([index, sequence]).toEqual([seen, seen])
    expect(samePixels(pixels, pattern(sequence))).toBe(true)
    seen += 1
  }
  expect(seen).toBe(frames)
  for (const index of [frames - 1, 0, Math.floor(frames / 2)]) expect(samePixels((await file.checkedFrame(index)).pixels, pattern(index))).toBe(true)
  await expect(file.frame(frames)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  for await (const index of damagedFrames(target)) expect.fail(`frame ${index} is damaged`)
}

const FORMS: readonly (readonly [string, Form])[] = [
  ['LZ4', { width: 301, height: 203, compression: 'LZ4' }],
  ['ZSTD', { width: 301, height: 203, compression: 'ZSTD' }],
  ['LZ4 that finds nothing to compress', { width: 37, height: 203, compression: 'LZ4', period: 65_536 }],
  ['segments', { width: 301, height: 203, segmentBytes: 1_000_000 }],
  ['segments of ZSTD', { width: 301, height: 203, compression: 'ZSTD', segmentBytes: 80_000 }],
  ['segments smaller than a frame', { width: 256, height: 64, segmentBytes: 1 }],
]

describe('a recording in', () => {
  test.each(FORMS)('%s is read back frame by frame, with the statistics of each', async (_, form) => {
    const target = await recorded(40, form)
    await expectFrames(target, 40, form)
    await using file = await openFrameFile(target)
    const pattern = patternSource(form.width, form.height, form.period ?? PERIOD)
    for (const index of [0, 17, 39]) {
      const pixels = pattern(index)
      const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
      const regionMean = (region: (typeof REGIONS)[number]) =>
        meanOf([...pixels].filter((_, at) => isInside(region, at % form.width, Math.floor(at / form.width))))
      const cells = Object.fromEntries((await file.cells(index)).map((cell, at) => [file.columns[at]?.name, cell]))
      expect(cells).toMatchObject({
        sequence: BigInt(index),
        roiX: 5,
        minimum: Math.min(...pixels),
        maximum: Math.max(...pixels),
        mean: meanOf([...pixels]),
        saturated: BigInt(pixels.filter((value) => value >= 60_000).length),
        roiMean1: regionMean(REGIONS[0] ?? expect.fail()),
        roiMean2: regionMean(REGIONS[1] ?? expect.fail()),
      })
    }
    expect(file.settings.regions).toEqual(SENSOR_REGIONS)
  })

  test.each(FORMS)('%s is read by many at once, with its index and without, and nothing stays open', async (_, form) => {
    const target = await recorded(40, form)
    const before = await openOnes() // the writer's own, until it is collected
    const indices = Array.from({ length: 40 }, (_, index) => index)
    for (const kept of [true, false]) {
      if (!kept) for await (const segment of segmentsOf(target)) await rm(batchIndexPath(segment.path))
      await using file = await openFrameFile(target)
      expect((await Promise.all(indices.map((index) => file.frame(index)))).map(({ sequence }) => sequence)).toEqual(indices)
      expect((await Promise.all(indices.map((index) => file.recorded(index)))).every((entry) => (entry !== undefined) === kept)).toBe(true)
      expect(await file.count()).toBe(40)
    }
    const after = await openOnes()
    for (const name of after) expect(before).toContain(name)
  })

  test.each(FORMS)('%s is read back by regions and in blocks, as pixels and as numbers', async (_, form) => {
    await using file = await openFrameFile(await recorded(40, form))
    const roi = { x: 7, y: 11, width: 20, height: 30 }
    const pattern = patternSource(form.width, form.height, form.period ?? PERIOD)
    const wanted = Array.from({ length: 13 }, (_, at) =>
      [...pattern(1 + 3 * at)].filter((_, pixel) => isInside(roi, pixel % form.width, Math.floor(pixel / form.width))),
    )
    const slice = await sliceOf(file, { from: 1, step: 3, roi })
    const pieces: Uint8Array[] = []
    for await (const piece of readNpy(file, slice, 128, npyBytes(slice) - 1)) pieces.push(piece.slice())
    const bytes = Buffer.concat(pieces)
    expect(new Uint16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))).toEqual(Uint16Array.from(wanted.flat()))
    const [ofRegion, ofFrames]: RoiNumbers[][] = [[], []]
    for await (const some of readRoiSeries(file, roi, { from: 1, step: 3 })) ofRegion?.push(...some)
    expect(ofRegion?.map(({ sum }) => sum)).toEqual(wanted.map((pixels) => pixels.reduce((sum, pixel) => sum + pixel, 0)))
    for await (const some of readRoiSeries(file, undefined)) ofFrames?.push(...some)
    expect(ofFrames?.map(({ sum }) => sum)).toEqual(Array.from({ length: 40 }, (_, index) => pattern(index).reduce((sum, pixel) => sum + pixel, 0)))
  })

  test('segments has no file longer than was asked for, and the recording goes on in the next one without a seam', async () => {
    const form = { width: 301, height: 203, segmentBytes: 1_000_000 }
    const target = await recorded(40, form)
    const sizes: number[] = []
    for await (const { path: file, bytes } of segmentsOf(target)) {
      sizes.push(bytes)
      await expect(stat(batchIndexPath(file))).resolves.toBeDefined()
    }
    expect(sizes.length).toBe(Math.ceil(40 / 7)) // of 126 976 bytes, behind a schema
    for (const bytes of sizes) expect(bytes).toBeLessThanOrEqual(form.segmentBytes + 8)
    await using file = await openFrameFile(target)
    expect(await file.pixelRun(5)).toMatchObject({ path: target, frames: 2 })
    expect(await file.pixelRun(8)).toMatchObject({ path: segmentPath(target, 1), frames: 6 })
    const indices = Array.from({ length: 40 }, (_, at) => (at * 7) % 40) // across more segments at once than are kept open
    const labels = await Promise.all(indices.map((index) => file.label(index)))
    expect(labels.map(({ sequence }) => sequence)).toEqual(indices)
  })

  test('segments is exported as one file', async () => {
    const target = await recorded(20, { width: 301, height: 203, segmentBytes: 1_000_000 })
    await using sink = await createFileSink(path.join(folder, 'out'))
    const progress = (fraction: number): void => expect(fraction).toBeLessThanOrEqual(1)
    await arrow.write({ kind: 'FRAMES', file: target }, sink, { signal: AbortSignal.timeout(60_000), progress })
    await sink.finish()
    const table = tableFromIPC(await readFile(path.join(folder, 'out')))
    expect([...(table.getChild('sequence') ?? [])]).toEqual(Array.from({ length: 20 }, (_, index) => BigInt(index)))
    expect(samePixels(table.get(19)?.frame.toArray(), patternSource(301, 203, PERIOD)(19))).toBe(true)
  })

  test.each(['LZ4', 'ZSTD'] as const)('%s is smaller, where the pixels allow it', async (compression) => {
    const form = { width: 512, height: 512, compression }
    expect((await stat(await recorded(5, form))).size).toBeLessThan((5 * 512 * 512 * 2) / 10)
  })

  test.each([
    ['NONE', 1_000_000],
    ['LZ4', 50_000],
  ] as const)('%s segments is brought back wherever it was cut', async (compression, segmentBytes) => {
    const form = { width: 301, height: 203, compression, segmentBytes }
    const target = await recorded(40, form)
    const last = segmentPath(target, (await filesOf()).length - 1)

    await truncate(last, (await stat(last)).size - 1000) // in the last frame
    await expectReadable(target, 39, form)
    expect(await recoverStream(target)).toMatchObject({ rows: 39 })
    await expectFrames(target, 39, form)

    await rm(batchIndexPath(last)) // the power took it, and left space that was never written
    await truncate(last, (await stat(last)).size - 8)
    await appendFile(last, Buffer.alloc(50_000))
    const next = segmentPath(target, (await filesOf()).length)
    await writeFile(next, Buffer.alloc(100)) // and the next one had been begun
    await writeFile(batchIndexPath(next), '')
    await expectReadable(target, 39, form)
    expect(await recoverStream(target)).toMatchObject({ rows: 39 })
    expect(await readdir(folder)).not.toContain(path.basename(next))
    expect(await readdir(folder)).not.toContain(path.basename(batchIndexPath(next)))
    await expectFrames(target, 39, form)
    expect(await recoverStream(target)).toMatchObject({ rows: 39, lostBytes: 0 })
  })

  test('LZ4 whose bytes were changed says so', async () => {
    const target = await recorded(3, { width: 301, height: 203, compression: 'LZ4' })
    await using file = await openFrameFile(target)
    const { offset } = await file.entry(1)
    await using handle = await open(target, 'r+')
    await handle.write(Buffer.alloc(64, 0xab), 0, 64, offset + 4096 + 8 + 20)
    await expect(file.checkedFrame(1)).rejects.toThrow(/frame 1 of .* is damaged/)
    expect((await file.checkedFrame(2)).sequence).toBe(2)
  })

  test('a codec that is not what the bytes are is refused', async () => {
    await expect(decompressBody('LZ4', Buffer.from('no frame of LZ4 at all'), new Uint16Array(8))).rejects.toMatchObject({ code: 'INVALID_VALUE' })
    await expect(decompressBody('ZSTD', Buffer.from('no frame of ZSTD either'), new Uint16Array(8))).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  })
})

/** What a reader sees of a recording that nobody has brought back yet. */
test.each([
  ['back to where a batch has been', (bytes: number) => -bytes],
  ['to less than its pixels', () => 0],
  ['beyond the file', () => 1e12],
])('a compressed batch whose length was damaged leads nobody %s', async (_, behind) => {
  const target = await recorded(4, { width: 301, height: 203, compression: 'LZ4' })
  const { layout, damaged } = await inFile(target, async (file) => ({ layout: file.layout, damaged: await file.entry(1) }))
  const bodyBytes = Buffer.alloc(8)
  bodyBytes.writeBigInt64LE(BigInt(behind(damaged.bytes) - layout.batchHead.byteLength))
  const file = await open(target, 'r+')
  await file.write(bodyBytes, 0, 8, damaged.offset + (layout.compressed?.bodyLengthOffset ?? 0))
  await file.close()
  await rm(batchIndexPath(target))
  expect(await inFile(target, (cut) => cut.count())).toBe(1)
})

async function inFile<Result>(target: string, read: (file: FrameFile) => Promise<Result>): Promise<Result> {
  await using file = await openFrameFile(target)
  return await read(file)
}

async function expectReadable(target: string, frames: number, { width, height, period = PERIOD }: Form): Promise<void> {
  await using file = await openFrameFile(target)
  expect(await file.count()).toBe(frames)
  expect(samePixels((await file.frame(frames - 1)).pixels, patternSource(width, height, period)(frames - 1))).toBe(true)
}

async function filesOf(): Promise<readonly string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.arrow'))
}

function isInside({ x, y, width, height }: (typeof REGIONS)[number], column: number, row: number): boolean {
  return column >= x && column < x + width && row >= y && row < y + height
}

describe('pyarrow', () => {
  let python: Python
  beforeAll(async () => {
    python = await pythonWith(['pyarrow', 'numpy'])
  }, 180_000)

  test.for(['NONE', 'LZ4', 'ZSTD'] as const)(
    'sees images of a fixed shape and the columns beside them, with compression %s, also in a recording that was cut',
    async (compression, { skip }) => {
      const executable = python.executable ?? skip(python.why)
      const target = await recorded(12, { width: 301, height: 203, compression })
      const cut = path.join(folder, 'cut.arrow')
      await copyFile(target, cut)
      await truncate(cut, (await stat(cut)).size - 1000) // in the last frame's pixels, as a kill leaves it
      const script = fileURLToPath(new URL('read_recording.py', import.meta.url))
      const { stdout } = await promisify(execFile)(executable, [script, `${PERIOD}`, target, cut])
      const seen = { tensor: true, shape: [203, 301], names: ['y', 'x'], wrong: 0, roi: [5, 6, 301, 203], exposure: 500_000, clock: 1_000_000 }
      expect(JSON.parse(stdout)).toEqual([
        { ...seen, first: 0, frames: 12, ended: true },
        { ...seen, first: 0, frames: 11, ended: false },
      ])
    },
  )

  test.for([
    ['NONE', 20_000_000],
    ['ZSTD', 50_000],
  ] as const)(
    'reads everything up to the last whole batch of what a kill left, with compression %s in segments',
    async ([compression, segmentBytes], { skip }) => {
      const executable = python.executable ?? skip(python.why)
      const [target, reported] = await killed(compression, segmentBytes)
      const files: string[] = []
      for await (const segment of segmentsOf(target)) if (segment.bytes > 0) files.push(segment.path)
      expect(files.length).toBeGreaterThan(2)
      const script = fileURLToPath(new URL('read_recording.py', import.meta.url))
      const read = async () => {
        const { stdout } = await promisify(execFile)(executable, [script, `${PERIOD}`, ...files])
        return JSON.parse(stdout) as { readonly first: number; readonly frames: number; readonly wrong: number; readonly ended: boolean }[]
      }
      const cut = await read()
      let frames = 0
      for (const seen of cut) {
        if (seen.frames > 0) expect(seen).toMatchObject({ first: frames, wrong: 0 })
        frames += seen.frames
      }
      expect(frames).toBeGreaterThanOrEqual(reported)
      expect(cut.slice(0, -2).every(({ ended }) => ended)).toBe(true)
      const before = await openFrameFile(target)
      expect(await before.count()).toBe(frames)
      await before[Symbol.asyncDispose]()
      expect(await recoverStream(target)).toMatchObject({ rows: frames })
      expect(await read()).toEqual(cut.map((seen) => ({ ...seen, ended: true })))
      for await (const index of damagedFrames(target)) expect.fail(`frame ${index} is damaged`)
    },
  )
})

/** A recording whose process was killed in the middle, and how many frames it had reported as written. */
async function killed(compression: FrameCompression, segmentBytes: number): Promise<readonly [string, number]> {
  const script = fileURLToPath(new URL('record-until-killed.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, folder, compression, `${segmentBytes}`, `${PERIOD}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let reported = 0
  for await (const line of createInterface(child.stdout)) {
    reported = Number(line)
    if (reported >= 130) child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  expect(child.signalCode).toBe('SIGKILL')
  return [path.join(folder, 'frames.arrow'), reported]
}

/** Files of the recording that this process has open. */
async function openOnes(): Promise<string[]> {
  const names = await Promise.all((await readdir('/proc/self/fd')).map((name) => readlink(path.join('/proc/self/fd', name)).catch(() => '')))
  return names.filter((name) => name.startsWith(folder)).map((name) => name.replace(/ \(deleted\)$/, ''))
}
