import { execFile } from 'node:child_process'
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRing, mapRing } from '../../native/files.ts'
import { pythonWith } from '../python.ts'
import { patternFrame } from './pattern.ts'

const run = promisify(execFile)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-ring-'))
})
afterEach(() => rm(folder, { recursive: true }))

const file = (name = 'frames.ring') => path.join(folder, name)

const SHAPE = { width: 16, height: 8, slots: 4, saturation: 60_000, regions: [{ x: 3, y: 1, width: 13, height: 7 }] }
const AT = {
  headerBytes: 12,
  width: 16,
  height: 20,
  slots: 24,
  bytesPerPixel: 28,
  slotBytes: 32,
  frameBytes: 40,
  saturation: 48,
  regionCount: 52,
  regions: 192,
}

const u32 = (bytes: Buffer, at: number, value: number) => bytes.writeUInt32LE(value, at)
const u64 = (bytes: Buffer, at: number, value: bigint) => bytes.writeBigUInt64LE(value, at)

/** What whoever can write the file could lead a reader astray with. */
const WRONG: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  'an area of 2^63 + 2 pixels, which are 4 bytes to who multiplies in 64 bits': (bytes) => {
    u32(bytes, AT.width, 4_294_836_226)
    u32(bytes, AT.height, 2_147_549_185)
    u64(bytes, AT.frameBytes, 4n)
  },
  'no width': (bytes) => [u32(bytes, AT.width, 0), u64(bytes, AT.frameBytes, 0n), u32(bytes, AT.regionCount, 0)],
  'no height': (bytes) => [u32(bytes, AT.height, 0), u64(bytes, AT.frameBytes, 0n), u32(bytes, AT.regionCount, 0)],
  'a frame larger than its slot': (bytes) => [u32(bytes, AT.height, 200), u64(bytes, AT.frameBytes, 6400n)],
  'a frame of other bytes than its sides say': (bytes) => u64(bytes, AT.frameBytes, 254n),
  'no slots': (bytes) => u32(bytes, AT.slots, 0),
  'one slot': (bytes) => u32(bytes, AT.slots, 1),
  'more slots than the file has': (bytes) => u32(bytes, AT.slots, 5),
  'as many slots as can be said': (bytes) => u32(bytes, AT.slots, 0xffff_ffff),
  'slots without room for a head': (bytes) => u64(bytes, AT.slotBytes, 0n),
  'slots that begin on no page': (bytes) => [u64(bytes, AT.slotBytes, 4096n + 256n), u32(bytes, AT.slots, 2)],
  'slots larger than the file': (bytes) => u64(bytes, AT.slotBytes, 1n << 40n),
  'slots of which a few are more than 64 bits': (bytes) => u64(bytes, AT.slotBytes, (1n << 62n) + 8192n),
  'a head of another length': (bytes) => u32(bytes, AT.headerBytes, 0),
  'pixels of one byte': (bytes) => u32(bytes, AT.bytesPerPixel, 1),
  'no saturation': (bytes) => u32(bytes, AT.saturation, 0),
  'a saturation of more than 16 bits': (bytes) => u32(bytes, AT.saturation, 65_536),
  'more regions than there is room for': (bytes) => u32(bytes, AT.regionCount, 9),
  'an empty region': (bytes) => u32(bytes, AT.regions + 8, 0),
  'a region beyond the frame': (bytes) => u32(bytes, AT.regions + 4, 2),
  'a region whose end is more than 32 bits': (bytes) => u32(bytes, AT.regions, 0xffff_ffff),
}

const OPEN_EACH = `
import sys
from frame_ring import FrameRing

for path in sys.argv[1:]:
    try:
        with FrameRing(path) as ring:
            print(ring.published, "frames of", ring.width, "x", ring.height)
    except ValueError as error:
        print(error)
`

function spoiled(sound: Buffer, spoil: (bytes: Buffer) => unknown): Buffer {
  const bytes = Buffer.from(sound)
  spoil(bytes)
  return bytes
}

async function soundFile(): Promise<Buffer> {
  await using ring = createRing({ path: file('sound'), ...SHAPE })
  await ring.startTestPattern({ rateHz: 10_000, frames: 3 })
  return await readFile(ring.path)
}

describe('a header that cannot be', () => {
  test.each(Object.entries(WRONG))('is refused: %s', async (_what, spoil) => {
    await writeFile(file(), spoiled(await soundFile(), spoil))
    expect(() => mapRing(file())).toThrow(/is a damaged ring: its header does not fit/)
  })

  test('is refused from Python, too', { timeout: 180_000 }, async ({ skip }) => {
    const python = await pythonWith(['numpy'])
    const executable = python.executable ?? skip(python.why)
    const sound = await soundFile()
    const files = [sound, ...Object.values(WRONG).map((spoil) => spoiled(sound, spoil))]
    for (const [at, bytes] of files.entries()) await writeFile(file(String(at)), bytes)
    const native = fileURLToPath(new URL('../../native', import.meta.url))
    const { stdout } = await run(executable, ['-B', '-c', OPEN_EACH, ...[...files.keys()].map((at) => file(String(at)))], { cwd: native })
    const [good, ...said] = stdout.trim().split('\n')
    expect(good).toBe('3 frames of 16 x 8')
    for (const [at, what] of Object.keys(WRONG).entries()) expect([what, said[at]]).toEqual([what, expect.stringContaining('is a damaged ring')])
  })
})

test('a header that another changes later leads nobody astray', async () => {
  const bytes = await soundFile()
  await writeFile(file(), bytes)
  await using ring = mapRing(file())
  const other = await open(file(), 'r+') // the same memory as the map
  try {
    for (const spoil of Object.values(WRONG)) {
      await other.write(spoiled(bytes, spoil).subarray(0, 4096), 0, 4096, 0)
      expect(ring).toMatchObject(SHAPE)
      expect(ring.frame(2n)?.pixels).toEqual(patternFrame(2, SHAPE.width, SHAPE.height))
    }
  } finally {
    await other.close()
  }
})
