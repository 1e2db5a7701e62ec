import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createRing, mapRing } from '../../native/files.ts'
import { patternFrame } from './pattern.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-ring-'))
})
afterEach(() => rm(folder, { recursive: true }))

const file = () => path.join(folder, 'frames.ring')

test('another map of the file sees the same frames, and a map outlives the file', async () => {
  const ring = createRing({ path: file(), width: 64, height: 32, slots: 4 })
  const other = mapRing(file())
  expect(other).toMatchObject({ width: 64, height: 32, slots: 4, frameBytes: 64 * 32 * 2, published: 0n })
  await ring.startTestPattern({ rateHz: 10_000, frames: 9 })
  await ring[Symbol.asyncDispose]()
  await expect(stat(file())).rejects.toMatchObject({ code: 'ENOENT' })
  expect(other.published).toBe(9n)
  expect(other.frame(8n)?.pixels).toEqual(patternFrame(8, 64, 32))
  await other[Symbol.asyncDispose]()
  expect(() => other.frame(8n)).toThrow(/disposed/)
})

test('a new ring takes the place of a stale one, which does not take the new one along', async () => {
  const stale = createRing({ path: file(), width: 8, height: 8, slots: 2 })
  await using ring = createRing({ path: file(), width: 16, height: 8, slots: 2 })
  await stale[Symbol.asyncDispose]()
  expect((await stat(file())).size).toBe(4096 + 2 * 8192)
  expect(ring.width).toBe(16)
})

test('what is not a ring is refused', async () => {
  await writeFile(file(), Buffer.alloc(8192))
  expect(() => mapRing(file())).toThrow(/is not a ring of frames/)
  expect(() => mapRing(path.join(folder, 'nothing'))).toThrow(/No such file/)
  expect(() => createRing({ path: file(), width: 0, height: 8, slots: 2 })).toThrow(/at least 1/)
  expect(() => createRing({ path: file(), width: 8, height: 8, slots: 1 })).toThrow(/at least 2 slots/)
  expect(() => createRing({ path: file(), width: 65_535, height: 65_535, slots: 100 })).toThrow(/16 GiB/)
})
