import { execFile, spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

/** Disks that are really full: small ones in memory, mounted where only the recording's process sees them. */
const MOUNT = 'mount -t tmpfs -o "$1" tmpfs "$2" && shift 2 && exec "$@"'
const BATCH_BYTES = 512 * 512 * 2 + 4096
const SEGMENT_BYTES = 10 * BATCH_BYTES
const DEADLINE_MS = 60_000

const probe = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs tmpfs /mnt'], { encoding: 'utf8' })
const whyNot = probe.status === 0 ? undefined : (probe.error?.message ?? probe.stderr).trim()

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-full-disk-'))
  await mkdir(path.join(folder, 'disk'))
})
afterEach(() => rm(folder, { recursive: true }))

async function recordOn(disk: string, { segmentBytes = 0, others = 'no' } = {}): Promise<unknown> {
  const program = [process.execPath, '--import', 'tsx', fileURLToPath(new URL('record-on-small-disk.ts', import.meta.url))]
  const options = [folder, segmentBytes, others].map(String)
  const target = path.join(folder, 'disk')
  const { stdout } = await promisify(execFile)('unshare', ['-rm', 'sh', '-c', MOUNT, 'sh', disk, target, ...program, target, ...options], {
    timeout: DEADLINE_MS,
  })
  return JSON.parse(stdout)
}

const FULL = { state: 'finished', reason: 'disk-full', damaged: [] }
const FILES = ['frames.arrow', 'frames.arrow.index']

describe.skipIf(whyNot !== undefined)(`a recording on a full disk${whyNot === undefined ? '' : ` (skipped: ${whyNot})`}`, () => {
  test('ends whole with what it has, when somebody else takes the last of the room', async () => {
    const end = await recordOn('size=100m', { others: 'yes' })
    expect(end).toMatchObject({ ...FULL, files: FILES })
    const { written, frames } = end as { written: number; frames: number }
    expect(frames).toBe(written)
    expect(written).toBeLessThan(100)
  })

  test('fails and leaves no file when there is no room for the first page', async () => {
    expect(await recordOn('size=4k')).toEqual({ state: 'failed', reason: 'disk-full', written: 0, dropped: 0, files: [] })
  })

  test.each([
    ['no room for the next segment', 3],
    ['room for the next segment, none for its index', 4],
  ])('ends whole with %s', async (_, inodes) => {
    expect(await recordOn(`size=200m,nr_inodes=${inodes}`, { segmentBytes: SEGMENT_BYTES })).toMatchObject({
      ...FULL,
      files: FILES,
      written: 9,
      frames: 9,
    })
  })
})
