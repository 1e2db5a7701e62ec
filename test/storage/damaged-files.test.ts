import { readFile, rm, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DatasetColumn } from '../../core/dataset.ts'
import { batchLayout, PREFIX_BYTES, rowCountPlaces } from '../../storage/arrow-message.ts'
import { cellAt } from '../../storage/column-chunk.ts'
import { openFrameFile } from '../../storage/frame-file.ts'
import { openTable } from '../../storage/table-file.ts'
import { createTableWriter } from '../../storage/table-writer.ts'
import { type TemporaryFolder, temporaryFolder } from './folder.ts'
import { writeFrames } from './recorded-frames.ts'

/** A disk gives back other bytes than it was given, or somebody puts a file of his own there: that is told in words, and takes no more memory than the file. */

const COLUMNS: readonly DatasetColumn[] = [
  { name: 'time', type: 'timestamp[ns]' },
  { name: 'power', type: 'float64', unit: 'W' },
  { name: 'open', type: 'bool' },
  { name: 'note', type: 'utf8' },
]
const [ROWS, FRAMES] = [20, 3]
const MANY = 0x7fff_fff0

let folder: TemporaryFolder
let table: Buffer
let frames: Buffer
beforeAll(async () => {
  folder = await temporaryFolder()
  const writer = await createTableWriter(folder.file('whole.arrow'), COLUMNS, { metadata: { runId: 'r-1' } })
  for (let row = 0; row < ROWS; row += 1) writer.append([BigInt(row), row % 3 === 0 ? null : row, true, `row ${row}`])
  await writer.close()
  table = await readFile(folder.file('whole.arrow'))
  await writeFrames(folder.file('frames.arrow'), 8, 4, FRAMES)
  frames = await readFile(folder.file('frames.arrow'))
})
afterAll(() => folder[Symbol.asyncDispose]())

type Read = (path: string) => Promise<number>

/** Cells of all rows. */
const readTable: Read = async (path) => {
  await using file = await openTable(path)
  let cells = 0
  const names = file.columns.map(({ name }) => name)
  for await (const chunk of file.read(names, { from: 0, to: Number.MAX_SAFE_INTEGER }))
    for (let row = 0; row < chunk.rows; row += 1) cells += chunk.columns.map((column) => cellAt(column, row)).length
  return cells
}

/** Pixels of all frames. */
const readFrames: Read = async (path) => {
  await using file = await openFrameFile(path)
  let pixels = 0
  for await (const frame of file.frames()) pixels += frame.pixels.length + (await file.cells(frame.index)).length
  return pixels
}

let files = 0

/** What comes of a file with these bytes: how much was read, or what is said. */
async function outcome(read: Read, bytes: Buffer): Promise<number | Error> {
  files += 1
  const path = folder.file(`${files}.arrow`)
  await writeFile(path, bytes)
  try {
    return await read(path)
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  } finally {
    await rm(path)
  }
}

/** Words, and not what JavaScript says of itself. */
function isTold(error: Error): boolean {
  return !(error instanceof RangeError || error instanceof TypeError || error instanceof SyntaxError)
}

const at = (bytes: Buffer, message: number): { readonly start: number; readonly head: Buffer } => {
  let start = 0
  for (let skipped = 0; skipped < message; skipped += 1) start += PREFIX_BYTES + bytes.readUInt32LE(start + 4)
  return { start, head: bytes.subarray(start, start + PREFIX_BYTES + bytes.readUInt32LE(start + 4)) }
}

describe('a damaged table', () => {
  test('that says there are more columns, buffers or rows than it has bytes is refused', async () => {
    for (const message of [0, 1]) {
      const { start, head } = at(table, message)
      for (let place = start + PREFIX_BYTES; place < start + head.byteLength; place += 4) {
        const damaged = Buffer.from(table)
        damaged.writeUInt32LE(MANY, place)
        const came = await outcome(readTable, damaged)
        if (came instanceof Error) expect([place, came, isTold(came)]).toEqual([place, came, true])
        else expect(came).toBeLessThanOrEqual(ROWS * COLUMNS.length)
      }
    }
  })

  test('names its rows', async () => {
    const { start, head } = at(table, 1)
    const { buffers } = batchLayout(head.subarray(PREFIX_BYTES))
    const times = head.indexOf(Buffer.from(BigInt64Array.of(BigInt(buffers[1]?.offset ?? 0), BigInt(buffers[1]?.length ?? 0)).buffer))
    for (const [offset, length] of [
      [-8n, 160n],
      [0n, -160n],
      [0n, 1n << 40n],
      [1n << 40n, 160n],
      [0n, 80n],
    ] as const) {
      const damaged = Buffer.from(table)
      damaged.writeBigInt64LE(offset, start + times)
      damaged.writeBigInt64LE(length, start + times + 8)
      expect(await outcome(readTable, damaged)).toMatchObject({ code: 'HARDWARE_FAULT', message: expect.stringMatching(/^rows 0 to 19 of .* are damaged: /) })
    }
  })

  test('has no more rows than bits', async () => {
    const { start, head } = at(table, 1)
    for (const rows of [-1n, 1n << 53n, (1n << 63n) - 1n]) {
      const damaged = Buffer.from(table)
      for (const place of rowCountPlaces(head)) damaged.writeBigInt64LE(rows, start + place)
      expect(await outcome(readTable, damaged)).toBe(0) // it ends before
    }
  })
})

test.each([
  ['table', readTable, () => table, ROWS * COLUMNS.length],
  ['recording of frames', readFrames, () => frames, FRAMES * (8 * 4 + 12)],
] as const)('a %s with any bytes wrong is read or refused in words, soon and without much memory', async (_name, read, whole, most) => {
  const heads = whole().byteLength > 4096 ? 4096 + 2048 : whole().byteLength
  const wrong = fc.array(fc.tuple(fc.nat(heads - 1), fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(0xff))), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(wrong, async (changes) => {
      const damaged = Buffer.from(whole())
      for (const [place, byte] of changes) damaged[place] = byte
      const came = await outcome(read, damaged)
      if (came instanceof Error) expect([came, isTold(came)]).toEqual([came, true])
      else expect(came).toBeLessThanOrEqual(most)
    }),
    { numRuns: 300 },
  )
})
