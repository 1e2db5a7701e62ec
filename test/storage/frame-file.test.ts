import { appendFile, readFile, stat, truncate, writeFile } from 'node:fs/promises'
import { Field, Int64, Schema, TimestampNanosecond, tableFromIPC, Uint16, Uint64 } from 'apache-arrow'
import { Message } from 'apache-arrow/ipc/metadata/message'
import { describe, expect, test } from 'vitest'
import { crc32c } from '../../native/files.ts'
import { frameMetadata } from '../../storage/arrow-message.ts'
import { batchIndexPath } from '../../storage/batch-index.ts'
import { damagedFrames } from '../../storage/frame-checks.ts'
import { openFrameFile } from '../../storage/frame-file.ts'
import { imageField, layoutAround, prepareFrameLayout } from '../../storage/frame-heads.ts'
import { recoverStream } from '../../storage/recover.ts'
import { temporaryFolder } from './folder.ts'

const SETTINGS = { roi: { x: 10, y: 20, width: 80, height: 60 }, binning: 2, exposureSeconds: 0.125 }
const [WIDTH, HEIGHT] = [40, 30]
const LAYOUT = prepareFrameLayout(SETTINGS, { deviceName: 'camera' })
const CLOCKLESS = 1 // this frame has no hardware time
const TIME = 1_772_355_300_123_456_789n

/** What the native writer does, in a few lines. */
function batch(index: number): Buffer {
  const bytes = Buffer.alloc(LAYOUT.batchBytes)
  const hasClock = index !== CLOCKLESS
  bytes.set(hasClock ? LAYOUT.batchHead : LAYOUT.batchHeadWithoutClock)
  bytes.set(LAYOUT.constants, LAYOUT.constantsOffset)
  if (hasClock) bytes.writeBigInt64LE(BigInt(index) * 1000n, LAYOUT.hardwareTimeOffset)
  bytes.writeBigInt64LE(125_000_000n, LAYOUT.exposureOffset)
  bytes.writeBigUInt64LE(BigInt(index * 2), LAYOUT.sequenceOffset)
  bytes.writeBigInt64LE(TIME + BigInt(index), LAYOUT.timeOffset)
  new Uint16Array(bytes.buffer, bytes.byteOffset + LAYOUT.pixelOffset, WIDTH * HEIGHT).set(pixelsOf(index))
  return bytes
}

/** Space for one frame more than `frames`, of which only the first bytes reached the disk. */
function tornAt(frames: number, keptBytes: number): Buffer {
  const rest = batch(frames)
  rest.fill(0, keptBytes)
  return Buffer.concat([stream(frames).subarray(0, -LAYOUT.endOfStream.byteLength), rest])
}

const LAYOUT_COLUMNS = ['sequence', 'time', 'hardwareTime', 'exposure', 'roiX', 'roiY', 'roiWidth', 'roiHeight', 'minimum', 'maximum', 'mean', 'saturated']
const named = (cells: readonly unknown[]) => Object.fromEntries(LAYOUT_COLUMNS.map((name, at) => [name, cells[at]]))
const pixelsOf = (index: number) => Uint16Array.from({ length: WIDTH * HEIGHT }, (_, at) => at * 3 + index)
const stream = (frames: number) => Buffer.concat([LAYOUT.schemaMessage, ...Array.from({ length: frames }, (_, index) => batch(index)), LAYOUT.endOfStream])

describe('the layout', () => {
  test('puts the pixels of every batch on pages of the file', () => {
    expect(LAYOUT).toMatchObject({ width: WIDTH, height: HEIGHT, pixelOffset: 4096, batchBytes: 8192 })
    expect(LAYOUT.schemaMessage.byteLength % 4096).toBe(0)
  })

  test('is what apache-arrow reads: only the hardware time may be null, and the file explains itself', () => {
    const table = tableFromIPC(stream(3))
    expect(table.schema.fields.map(({ name, type, nullable }) => `${name}: ${type} ${nullable}`)).toEqual([
      'sequence: Uint64 false',
      'time: Timestamp<NANOSECOND, UTC> false',
      'hardwareTime: Int64 true',
      'exposure: Int64 false',
      'roiX: Uint16 false',
      'roiY: Uint16 false',
      'roiWidth: Uint16 false',
      'roiHeight: Uint16 false',
      'minimum: Uint16 false',
      'maximum: Uint16 false',
      'mean: Float64 false',
      'saturated: Uint64 false',
      `frame: FixedSizeList[${WIDTH * HEIGHT}]<Uint16> false`,
    ])
    expect(Object.fromEntries(table.schema.metadata)).toEqual({
      deviceName: 'camera',
      'kymograph.frames': '3',
      roi: JSON.stringify(SETTINGS.roi),
      binning: '2',
      exposureSeconds: '0.125',
    })
    expect(table.schema.fields.at(-1)?.metadata.get('ARROW:extension:name')).toBe('arrow.fixed_shape_tensor')
    expect(table.numRows).toBe(3)
    expect([...table].map((row) => row.sequence)).toEqual([0n, 2n, 4n])
    expect([...table].map((row) => row.hardwareTime)).toEqual([0n, null, 2000n])
    expect(table.get(2)).toMatchObject({ exposure: 125_000_000n, roiX: 10, roiY: 20, roiWidth: 80, roiHeight: 60 })
    expect(table.get(2)?.frame.toArray()).toEqual(pixelsOf(2))
    expect(table.getChild('time')?.data[0]?.values[0]).toBe(TIME)
  })

  test('refuses a region that cannot be binned', () => {
    expect(() => prepareFrameLayout({ ...SETTINGS, binning: 7 })).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }))
    expect(() => prepareFrameLayout({ ...SETTINGS, roi: { x: 0, y: 0, width: 0, height: 4 } })).toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }))
  })
})

describe('a file of layout version 2', () => {
  test('is read: it had no statistics, and its columns nearer to its head', async () => {
    await using folder = await temporaryFolder()
    const [width, height] = [8, 4]
    const uint16 = (name: string) => new Field(name, new Uint16(), false)
    const int64 = (name: string, nullable: boolean) => new Field(name, new Int64(), nullable)
    const schema = new Schema(
      [
        ...[new Field('sequence', new Uint64(), false), new Field('time', new TimestampNanosecond('UTC'), false)],
        ...[int64('hardwareTime', true), int64('exposure', false), ...['roiX', 'roiY', 'roiWidth', 'roiHeight'].map(uint16)],
        imageField(width, height),
      ],
      new Map(Object.entries({ 'kymograph.frames': '2', roi: '{"x":1,"y":2,"width":8,"height":4}', binning: '1', exposureSeconds: '0.5' })),
    )
    const settings = { roi: { x: 1, y: 2, width, height }, binning: 1, exposureSeconds: 0.5 }
    const layout = layoutAround(frameMetadata(Message.encode(Message.from(schema)), 4096), { width, height, version: '2', settings })
    expect(layout).toMatchObject({ sequenceOffset: 1024, exposureOffset: 1024 + 4 * 64, pixelOffset: 4096 })
    const bytes = Buffer.alloc(layout.batchBytes)
    bytes.set(layout.batchHead)
    bytes.set(layout.constants, layout.constantsOffset)
    bytes.writeBigUInt64LE(7n, layout.sequenceOffset)
    bytes.writeBigInt64LE(500n, layout.exposureOffset)
    bytes.writeUInt16LE(12_345, layout.pixelOffset + 2)
    await writeFile(folder.file('a'), Buffer.concat([layout.schemaMessage, bytes, layout.endOfStream]))
    const row = tableFromIPC(await readFile(folder.file('a'))).get(0)
    expect(row).toMatchObject({ sequence: 7n, exposure: 500n, roiX: 1, roiHeight: 4 })
    expect(row?.frame.get(1)).toBe(12_345)
    await using file = await openFrameFile(folder.file('a'))
    expect(file.settings).toEqual(settings)
    expect(await file.frame(0)).toMatchObject({ sequence: 7, exposureNs: 500n })
    expect((await file.frame(0)).pixels[1]).toBe(12_345)
    expect(await recoverStream(folder.file('a'))).toMatchObject({ rows: 1, lostBytes: 0 })
    expect((await file.checkedFrame(0)).sequence).toBe(7)
  })
})

describe('a file of frames', () => {
  test('gives any frame, its label, and all in order', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('a'), stream(5))
    await using file = await openFrameFile(folder.file('a'))
    expect(file.settings).toEqual(SETTINGS)
    expect(file.metadata.get('deviceName')).toBe('camera')
    expect(await file.count()).toBe(5)
    expect(await file.frame(3)).toEqual({ index: 3, sequence: 6, time: TIME + 3n, hardwareTimeNs: 3000n, exposureNs: 125_000_000n, pixels: pixelsOf(3) })
    expect(await file.label(CLOCKLESS)).toEqual({ index: 1, sequence: 2, time: TIME + 1n, exposureNs: 125_000_000n })
    const seen: number[] = []
    for await (const { index, pixels } of file.frames({ from: 1, to: 4 })) {
      expect(pixels).toEqual(pixelsOf(index))
      seen.push(index)
    }
    expect(seen).toEqual([1, 2, 3])
    for (const index of [5, -1, 0.5]) await expect(file.frame(index)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const ended = AbortSignal.abort(new Error('enough'))
    await expect(file.frames({}, ended).next()).rejects.toThrow('enough')
  })

  test('gives the columns beside the pixels, and says where the pixels stand', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('a'), stream(5))
    await using file = await openFrameFile(folder.file('a'))
    expect(file.columns.map(({ name }) => name)).toEqual(LAYOUT_COLUMNS)
    const { sequence, time, hardwareTime, exposure, roiX, roiHeight } = named(await file.cells(3))
    expect([sequence, time, hardwareTime, exposure, roiX, roiHeight]).toEqual([6n, TIME + 3n, 3000n, 125_000_000n, 10, 60])
    expect(named(await file.cells(CLOCKLESS))).toMatchObject({ sequence: 2n, hardwareTime: null })
    await expect(file.cells(5)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const run = await file.pixelRun(2)
    expect(run).toMatchObject({ path: folder.file('a'), frames: 3 })
    const bytes = await readFile(folder.file('a'))
    const { offset, step } = run ?? expect.fail('the pixels can be read in place')
    for (const at of [0, 1, 2]) expect(bytes.readUInt16LE(offset + at * step + 2 * 7)).toBe(pixelsOf(2 + at)[7])
    expect(await file.pixelRun(5)).toBeUndefined()
  })

  test('grows while it is recorded, by whole batches', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('a'), LAYOUT.schemaMessage)
    await using file = await openFrameFile(folder.file('a'))
    expect(await file.count()).toBe(0)
    await appendFile(folder.file('a'), batch(0))
    await appendFile(folder.file('a'), batch(1).subarray(0, 5000))
    expect(await file.count()).toBe(1)
    await expect(file.frame(1)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await appendFile(folder.file('a'), batch(1).subarray(5000))
    expect((await file.frame(1)).pixels).toEqual(pixelsOf(1))
  })

  test('of something else is refused by name', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('empty'), '')
    await writeFile(folder.file('text'), 'frames, but not ours'.repeat(1000))
    for (const name of ['empty', 'text']) await expect(openFrameFile(folder.file(name))).rejects.toThrow(folder.file(name))
  })
})

describe('the index beside it', () => {
  const damaged = async (path: string) => {
    const found: number[] = []
    for await (const index of damagedFrames(path)) found.push(index)
    return found
  }

  test('is made when a recording is brought back, and tells from then on which frames are damaged', async () => {
    await using folder = await temporaryFolder()
    const path = folder.file('a')
    await writeFile(path, tornAt(4, 8))
    expect(await damaged(path)).toEqual([0, 1, 2, 3])
    await using file = await openFrameFile(path)
    await expect(file.checkedFrame(2)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await recoverStream(path)
    expect((await stat(batchIndexPath(path))).size).toBe(64 + 4 * 40)
    expect(await damaged(path)).toEqual([])
    expect((await file.checkedFrame(2)).pixels).toEqual(pixelsOf(2))
    for (const index of [0, 3]) {
      const entry = await file.recorded(index)
      const offset = LAYOUT.schemaMessage.byteLength + index * LAYOUT.batchBytes
      expect(entry).toEqual({ offset, bytes: LAYOUT.batchBytes, sequence: index * 2, time: TIME + BigInt(index), crc32c: crc32c(batch(index)) })
    }
    expect(await file.recorded(4)).toBeUndefined()

    const bytes = await readFile(path)
    const at = LAYOUT.schemaMessage.byteLength + 2 * LAYOUT.batchBytes + 5000
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
    await writeFile(path, bytes)
    expect(await damaged(path)).toEqual([2])
    await expect(file.checkedFrame(2)).rejects.toThrow(/frame 2 of .* is damaged/)
    expect((await file.checkedFrame(3)).pixels).toEqual(pixelsOf(3))
    await recoverStream(path) // what was said of it when it was recorded stands
    expect(await damaged(path)).toEqual([2])
  })

  test.each([
    ['too short', (index: Buffer) => index.subarray(0, 64 + 40 + 7)],
    ['too long', (index: Buffer) => Buffer.concat([index, index.subarray(64)])],
    ['of something else', () => Buffer.from('an index, but not ours'.repeat(10))],
    ['empty', () => Buffer.alloc(0)],
    ['with an entry that was never written', (index: Buffer) => Buffer.concat([index.subarray(0, 64 + 40), Buffer.alloc(2 * 40)])],
  ])('is made whole where it is %s', async (_, spoil) => {
    await using folder = await temporaryFolder()
    const path = folder.file('a')
    await writeFile(path, stream(3))
    await recoverStream(path)
    const index = await readFile(batchIndexPath(path))
    await writeFile(batchIndexPath(path), spoil(index))
    await recoverStream(path)
    expect(await readFile(batchIndexPath(path))).toEqual(index)
  })
})

describe('recovery', () => {
  test.each([
    ['in the pixels', stream(4).subarray(0, LAYOUT.schemaMessage.byteLength + 3 * LAYOUT.batchBytes + 6000), 3],
    ['in a head', stream(4).subarray(0, LAYOUT.schemaMessage.byteLength + 3 * LAYOUT.batchBytes + 100), 3],
    ['before the end marker', stream(4).subarray(0, -8), 4],
    ['in the end marker', stream(4).subarray(0, -3), 4],
    ['after the schema', Buffer.from(LAYOUT.schemaMessage), 0],
    ['by the power, with space never written', Buffer.concat([stream(2).subarray(0, -8), Buffer.alloc(3 * LAYOUT.batchBytes)]), 2],
    ['by the power, behind the prefix of a head', tornAt(2, 8), 2],
    ['by the power, in the table of a head', tornAt(2, 16), 2],
  ])('brings every whole batch of a file back that was cut %s', async (_, bytes, frames) => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('a'), bytes)
    const before = await openFrameFile(folder.file('a'))
    expect(await before.count()).toBe(frames)
    await before[Symbol.asyncDispose]()
    const whole = stream(frames)
    expect(await recoverStream(folder.file('a'))).toEqual({ rows: frames, bytes: whole.byteLength, lostBytes: bytes.byteLength - (whole.byteLength - 8) })
    expect(await readFile(folder.file('a'))).toEqual(whole)
    expect(await recoverStream(folder.file('a'))).toEqual({ rows: frames, bytes: whole.byteLength, lostBytes: 0 })
  })

  test('refuses a file whose schema is not whole, and leaves it alone', async () => {
    await using folder = await temporaryFolder()
    await writeFile(folder.file('a'), stream(1))
    await truncate(folder.file('a'), 1000)
    await expect(recoverStream(folder.file('a'))).rejects.toThrow(/whole Arrow schema/)
    expect((await stat(folder.file('a'))).size).toBe(1000)
  })

  test('keeps what stands before a hole, also when there is more behind it', async () => {
    await using folder = await temporaryFolder()
    const bytes = stream(5)
    bytes.fill(0, LAYOUT.schemaMessage.byteLength + 3 * LAYOUT.batchBytes, LAYOUT.schemaMessage.byteLength + 4 * LAYOUT.batchBytes)
    await writeFile(folder.file('a'), bytes)
    expect(await recoverStream(folder.file('a'))).toMatchObject({ rows: 3 })
    expect(await readFile(folder.file('a'))).toEqual(stream(3))
  })
})
