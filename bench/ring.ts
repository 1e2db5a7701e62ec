import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createRing, plainCopy } from '../native/files.ts'
import type { PatternOptions, RingMeasures, ThreadTimes } from '../native/types.ts'
import { type Python, pythonWith } from '../test/python.ts'
import { setup, teardown } from '../test/python-folder.ts'
import { median, say } from './report.ts'

/**
 * The ring of frames. First its writer alone: frames of 2048 x 2048 x 16 bit copied into it one after the other, as a camera's thread does, with and without the
 * statistics of every frame, as a share of memcpy of the same bytes in the same run; orders alternated, medians compared. Then with readers in other processes,
 * of TypeScript (which copies each frame out) and of Python (numpy, where it stands): at the rate of a camera, and as fast as the writer can.
 * `npm run bench:ring`
 */
const SIDE = 2048
const FRAME_BYTES = SIDE * SIDE * 2
const SLOTS = 16 // as a camera's ring of this size has
const FRAMES = 200 // 1.7 GB
const ROUNDS = 5
const NO_WAITING_HZ = 1e9
const CAMERA_HZ = 43
const CAMERA_FRAMES = CAMERA_HZ * 8
const FAST_FRAMES = 1000
const REGIONS = Array.from({ length: 8 }, (_, at) => ({ x: 13 + 200 * at, y: 7 + 150 * at, width: 256, height: 256 }))

const folder = await mkdtemp('/dev/shm/kymograph-bench-ring-') // where a camera's ring is
const ringPath = path.join(folder, 'frames.ring')

async function written(pattern: Omit<PatternOptions, 'frames'>, measures: RingMeasures = {}): Promise<ThreadTimes> {
  await using ring = createRing({ path: ringPath, width: SIDE, height: SIDE, slots: SLOTS, ...measures })
  return await ring.startTestPattern({ rateHz: NO_WAITING_HZ, frames: FRAMES, ...pattern })
}

const WAYS = {
  memcpy: () => plainCopy(FRAME_BYTES, SLOTS, FRAMES),
  'ring, without statistics': () => written({ copied: 'unmeasured' }),
  'ring, statistics of every frame': () => written({ copied: 'measured' }),
  'ring, and the means of 8 regions of 256 x 256': () => written({ copied: 'measured' }, { regions: REGIONS }),
} as const

async function writerAlone(): Promise<void> {
  const names = Object.keys(WAYS) as (keyof typeof WAYS)[]
  const times = new Map(names.map((name) => [name, [] as ThreadTimes[]]))
  for (let round = 0; round < ROUNDS; round += 1) for (const name of round % 2 === 0 ? names : names.toReversed()) times.get(name)?.push(await WAYS[name]())
  const rate = (name: keyof typeof WAYS, which: keyof ThreadTimes) => (FRAME_BYTES * FRAMES) / median((times.get(name) ?? []).map((each) => each[which])) / 1e9
  const share = (name: keyof typeof WAYS, which: keyof ThreadTimes) => `${((100 * rate(name, which)) / rate('memcpy', which)).toFixed(0)} % of memcpy`
  say(`into the ring, ${FRAMES} frames of ${SIDE} x ${SIDE} x 16 bit, ${ROUNDS} rounds; by the processor's time, and by the clock`)
  for (const name of names) {
    const of = (which: keyof ThreadTimes) => `${rate(name, which).toFixed(2)} GB/s ${share(name, which)}`
    say(`${name.padEnd(46)} ${of('threadSeconds')}; ${of('seconds')}`)
  }
}

type Seen = { readonly read: number; readonly lost: number; readonly void: number; readonly seconds: number }
type Reader = { readonly name: string; readonly child: ChildProcess; readonly lines: AsyncIterator<string> }

async function startReader(name: string, command: readonly [string, ...string[]], environment: NodeJS.ProcessEnv = {}): Promise<Reader> {
  const [executable, ...given] = command
  const child = spawn(executable, [...given, ringPath], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...environment } })
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  if ((await lines.next()).value !== 'ready') throw new Error(`the reader of ${name} did not start`)
  return { name, child, lines }
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const typescriptReader = () => startReader('TypeScript', [process.execPath, '--import', 'tsx', here('ring-reader.ts')])
const pythonReader = (executable: string) => startReader('Python', [executable, here('ring_reader.py')], { PYTHONPATH: here('../native') })

async function withReaders(rateHz: number, frames: number, starts: readonly (() => Promise<Reader>)[]): Promise<void> {
  await using ring = createRing({ path: ringPath, width: SIDE, height: SIDE, slots: SLOTS })
  const readers = await Promise.all(starts.map((start) => start()))
  const { seconds, threadSeconds } = await ring.startTestPattern({ rateHz, frames, copied: 'measured' })
  const count = readers.length === 1 ? '1 reader ' : `${readers.length} readers`
  say(`${count}  writer ${(frames / seconds).toFixed(1)} frames/s, ${((1000 * threadSeconds) / frames).toFixed(2)} ms of the processor for each`)
  for (const { name, child, lines } of readers) {
    const seen = JSON.parse(String((await lines.next()).value)) as Seen
    if (seen.read + seen.lost + seen.void !== frames) throw new Error(`${name} saw ${JSON.stringify(seen)} of ${frames} frames`)
    say(`           ${name} read ${(seen.read / seen.seconds).toFixed(1)} frames/s, ${seen.read} whole; lost ${seen.lost}, void ${seen.void} of ${frames}`)
    child.kill()
  }
}

await setup()
const python: Python = await pythonWith(['numpy'])
try {
  await writerAlone()
  const { executable } = python
  if (executable === undefined) say(python.why)
  const second = executable === undefined ? typescriptReader : () => pythonReader(executable)
  for (const [what, rateHz, frames] of [
    [`at ${CAMERA_HZ} Hz, readers in other processes`, CAMERA_HZ, CAMERA_FRAMES],
    ['as fast as the writer can, readers in other processes', NO_WAITING_HZ, FAST_FRAMES],
  ] as const) {
    say(what)
    for (const starts of [[], [typescriptReader], [second], [typescriptReader, second]]) await withReaders(rateHz, frames, starts)
  }
} finally {
  await teardown()
  await rm(folder, { recursive: true, force: true })
}
