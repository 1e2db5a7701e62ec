import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createRing, mapRing, RingReader } from '../../native/files.ts'
import { type Python, pythonWith } from '../python.ts'
import { patternFrame, patternSource, samePixels } from './pattern.ts'

const run = promisify(execFile)
const inProject = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-ring-'))
})
afterEach(() => rm(folder, { recursive: true }))

const file = () => path.join(folder, 'frames.ring')

describe('a reader', () => {
  test('takes every frame once and in order, with all that is known of it', async () => {
    await using ring = createRing({ path: file(), width: 16, height: 8, slots: 64 })
    const reader = new RingReader(ring)
    expect(reader.next()).toBeUndefined()
    await ring.startTestPattern({ rateHz: 10_000, frames: 40 })
    for (let at = 0; at < 40; at += 1) {
      const frame = reader.next()
      expect(frame).toMatchObject({ index: BigInt(at), sequence: BigInt(at), exposureNs: 500_000n, hardwareTimeNs: BigInt(at) * 1_000_000n })
      expect(frame?.pixels).toEqual(patternFrame(at, 16, 8))
    }
    expect(reader.next()).toBeUndefined()
    expect(reader.lost).toBe(0n)
    expect(ring.closed).toBe(true)
  })

  test('that was lapped learns how much it lost, and goes on at a whole frame', async () => {
    await using ring = createRing({ path: file(), width: 16, height: 8, slots: 8 })
    const reader = new RingReader(ring)
    await ring.startTestPattern({ rateHz: 10_000, frames: 100 })
    const indexes: bigint[] = []
    for await (const { index, pixels } of reader.frames()) {
      expect(pixels).toEqual(patternFrame(Number(index), 16, 8))
      indexes.push(index)
    }
    expect(indexes).toEqual([96n, 97n, 98n, 99n])
    expect(reader.lost).toBe(96n)
  })

  test('copies every frame into one array, where it is given one', async () => {
    await using ring = createRing({ path: file(), width: 16, height: 8, slots: 64 })
    await ring.startTestPattern({ rateHz: 10_000, frames: 10 })
    const into = new Uint16Array(16 * 8)
    const reader = new RingReader(ring, 0n, into)
    for (let at = 0; at < 10; at += 1) {
      expect(reader.next()?.pixels).toBe(into)
      expect(into).toEqual(patternFrame(at, 16, 8))
    }
    expect(() => ring.frame(9n, new Uint16Array(16 * 8 - 1))).toThrow(/into: must be a Uint16Array of 128 pixels/)
  })

  test('asks in vain for a frame that is gone, or to come', async () => {
    await using ring = createRing({ path: file(), width: 16, height: 8, slots: 8 })
    await ring.startTestPattern({ rateHz: 10_000, frames: 20 })
    expect(ring.frame(11n)).toBeUndefined()
    expect(ring.frame(12n)?.sequence).toBe(12n)
    expect(ring.frame(20n)).toBeUndefined()
    expect(new RingReader(ring).next()).toBeUndefined()
    await expect(new RingReader(ring).frames(AbortSignal.abort(new Error('enough'))).next()).rejects.toThrow('enough')
  })

  test('in another process than the writer sees whole frames, or counts them as lost', async () => {
    const frames = 2000 // faster than we poll: eight slots go by in a millisecond and a half
    const writer = spawn(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('write-ring.ts', import.meta.url)), file(), String(frames), '5000'], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const over = once(writer, 'exit')
    await once(createInterface(writer.stdout), 'line')
    await using ring = mapRing(file())
    const reader = new RingReader(ring, 0n)
    writer.stdin.end('go\n')
    const pattern = patternSource(ring.width, ring.height)
    let read = 0
    let wrong = 0
    for await (const { sequence, pixels } of reader.frames(AbortSignal.timeout(20_000))) {
      read += 1
      if (!samePixels(pixels, pattern(Number(sequence)))) wrong += 1
    }
    expect(wrong).toBe(0)
    expect(read).toBeGreaterThan(0)
    expect(BigInt(read) + reader.lost).toBe(BigInt(frames))
    expect(await over).toEqual([0, null])
  })
})

describe('from Python', () => {
  let python: Python
  beforeAll(async () => {
    python = await pythonWith(['numpy'])
  }, 180_000)

  test.for([
    ['at the rate of a camera', 200, 100, 0],
    ['faster than it can read', 4000, 20_000, 1],
  ] as const)('frames of a live writer are read without a copy, %s', async ([, frames, rateHz, lostAtLeast], { skip }) => {
    const executable = python.executable ?? skip(python.why)
    await using ring = createRing({
      path: file(),
      width: 640,
      height: 480,
      slots: lostAtLeast === 0 ? 256 : 4,
      saturation: 60_000,
      regions: [{ x: 3, y: 0, width: 77, height: 5 }],
    })
    const child = spawn(executable, [inProject('test/native/read_ring.py'), file()], {
      env: { ...process.env, PYTHONPATH: inProject('native'), PYTHONDONTWRITEBYTECODE: '1' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    expect((await lines.next()).value).toBe('ready')
    await ring.startTestPattern({ frames, rateHz })
    const seen = JSON.parse((await lines.next()).value) as Record<'read' | 'void' | 'lost' | 'gaps', number>
    expect(seen).toMatchObject({ wrong: 0, published: frames, copied: false })
    expect(seen.read).toBeGreaterThan(0)
    expect(seen.read + seen.void + seen.lost).toBe(frames)
    expect(seen.lost).toBeGreaterThanOrEqual(lostAtLeast)
    if (lostAtLeast === 0) expect(seen.read).toBe(frames)
  })

  test('what is not a ring, and a ring of another version, are refused', async ({ skip }) => {
    const executable = python.executable ?? skip(python.why)
    const open = () => run(executable, ['-c', 'import sys, frame_ring; frame_ring.FrameRing(sys.argv[1])', file()], { cwd: inProject('native') })
    await writeFile(file(), Buffer.alloc(8192))
    await expect(open()).rejects.toThrow(/is not a ring of frames/)
    await using ring = createRing({ path: path.join(folder, 'other'), width: 16, height: 8, slots: 2 })
    const bytes = await readFile(ring.path)
    bytes.writeUInt32LE(9, 8)
    await writeFile(file(), bytes)
    await expect(open()).rejects.toThrow(/version 9/)
  })
})

test('the published layout is that of the header file', async () => {
  const page = await readFile(inProject('docs/frame-ring.md'), 'utf8')
  const types: Readonly<Record<string, string>> = {
    'char[8]': 'char[8]',
    u16: 'uint16_t',
    u32: 'uint32_t',
    'u32[8][4]': 'uint32_t[8][4]',
    u64: 'uint64_t',
    'u64[8]': 'uint64_t[8]',
    i64: 'int64_t',
  }
  const checks = ['RingHeader', 'SlotHeader'].flatMap((struct, section) => {
    const rows = (page.split('\n## ')[section + 1] ?? '').matchAll(/^\| (\d+) +\| (\S+) +\| `([\w.]+)`/gm)
    return [...rows].map(([, offset, type = '', field]) => {
      const member = `decltype(std::declval<kymograph::${struct}&>().${field})`
      return `static_assert(offsetof(kymograph::${struct}, ${field}) == ${offset} && sizeof(${member}) == sizeof(${types[type]}), "${field}");`
    })
  })
  expect(checks).toHaveLength(24)
  const version = /This page is version \*\*(\d+)\*\*/.exec(page)?.[1]
  checks.push(`static_assert(kymograph::kRingVersion == ${version} && kymograph::kPageBytes == 4096);`)
  const source = path.join(folder, 'layout.cc')
  await writeFile(source, `#include "ring.h"\n#include <cstddef>\n#include <utility>\n${checks.join('\n')}\n`)
  await run('c++', ['-std=c++20', '-fsyntax-only', '-Wno-invalid-offsetof', '-I', inProject('native/src'), source])
})
