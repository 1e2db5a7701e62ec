import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { createRing } from '../../native/files.ts'
import { openFrameFile } from '../../storage/frame-file.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'
import { readRoiSeries } from '../../storage/roi-series.ts'
import { until } from '../until.ts'

const FRAMES = 100_000
const SETTLED_AT = 10_000 // frames until everything that is made once has been made
const MAY_GROW_BYTES = 48 * 1024 * 1024 // of the test's own process, whose heap breathes; half a kilobyte left behind by each frame would be as much
const SEGMENT_BYTES = 100_000_000

test.each([
  ['NONE', 90_000],
  ['LZ4', 3_000],
] as const)(
  '100 000 frames are recorded and read back in flat memory, with compression %s',
  async (compression, readFrom) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-memory-'))
    try {
      const [width, height] = [32, 32]
      const target = path.join(folder, 'frames.arrow')
      await using ring = createRing({ path: path.join(folder, 'frames.ring'), width, height, slots: 256 })
      const layout = prepareFrameLayout({ roi: { x: 0, y: 0, width, height }, binning: 1, exposureSeconds: 0.001, compression })
      const recording = ring.record({ ...layout, path: target, frames: FRAMES, keepFreeBytes: 0, segmentBytes: SEGMENT_BYTES })
      const source = ring.startTestPattern({ frames: FRAMES })
      await until(() => recording.progress().written >= SETTLED_AT, { deadlineMs: 60_000 })
      const settledBytes = process.memoryUsage.rss()
      expect(await recording.ended).toMatchObject({ written: FRAMES, dropped: 0, state: 'finished' })
      await source
      expect(process.memoryUsage.rss() - settledBytes).toBeLessThan(MAY_GROW_BYTES)

      await using file = await openFrameFile(target)
      expect(await file.count()).toBe(FRAMES)
      let seen = 0
      for await (const some of readRoiSeries(file, { x: 0, y: 0, width: 1, height: 1 }, { from: FRAMES - readFrom })) {
        for (const { index, maximum } of some) if (maximum !== ((7 * index) & 0xffff)) expect.fail(`frame ${index}: ${maximum}`)
        seen += some.length
      }
      expect(seen).toBe(readFrom)
      expect(process.memoryUsage.rss() - settledBytes).toBeLessThan(MAY_GROW_BYTES)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
  240_000,
)
