import { execFile, execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'

const inProject = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))

let folder: string
let program: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-clock-'))
  program = path.join(folder, 'frame-clock')
  const sources = [inProject('test/native/frame-clock.cc'), inProject('native/src/frame_clock.cc')]
  await promisify(execFile)('c++', ['-std=c++20', '-Wall', '-Wextra', '-Werror', '-I', inProject('native/src'), ...sources, '-o', program])
}, 60_000)
afterAll(() => rm(folder, { recursive: true }))

const MS = 1_000_000
const START_MS = 1_700_000_000_000
const FRAMES = 200
const STEP_MS = 10
const BOOT_MS = 5_000 // of the camera's clock when the first frame ended

type Callback = { readonly trueMs: number; readonly hostMs: number }

/** What the clock says of frames every 10 ms of which the callbacks come at `hostMs(trueMs, frame)`, in milliseconds after the start. */
function timesOf(hostMs: (trueMs: number, frame: number) => number): number[] {
  const frames = Array.from({ length: FRAMES }, (_, frame): Callback => ({ trueMs: frame * STEP_MS, hostMs: hostMs(frame * STEP_MS, frame) }))
  const lines = frames.map(({ trueMs, hostMs }) => `${(BigInt(START_MS) + BigInt(hostMs)) * BigInt(MS)} ${(BOOT_MS + trueMs) * MS}`)
  const said = execFileSync(program, { input: lines.join('\n'), encoding: 'utf8' })
    .trim()
    .split('\n')
  return said.map((time) => Number(BigInt(time) - BigInt(START_MS) * BigInt(MS)) / MS)
}

const grows = (times: readonly number[]): boolean => times.every((time, at) => at === 0 || time > (times[at - 1] ?? 0))
const inMs = (time: number): number => Math.round(time)

test('a late callback makes no frame late, and times grow', () => {
  const late = [3, 0, 40, 7, 300]
  const times = timesOf((trueMs, frame) => trueMs + (late[frame % 5] ?? 0))
  expect(grows(times)).toBe(true)
  expect(times.slice(5).map(inMs)).toEqual(Array.from({ length: FRAMES - 5 }, (_, at) => (at + 5) * STEP_MS))
})

test('a first callback that was very late is made good without going back', () => {
  const times = timesOf((trueMs, frame) => trueMs + (frame === 0 ? 500 : 0))
  expect(grows(times)).toBe(true)
  expect(times.slice(51).map(inMs)).toEqual(Array.from({ length: FRAMES - 51 }, (_, at) => (at + 51) * STEP_MS))
})

test.each([
  ['forward', 3_600_000],
  ['back', -3_600_000],
  ['back by little more than the bound', -1_100],
])('a host clock that is set %s is followed at once, and intervals stay what they were', (_what, setMs) => {
  const times = timesOf((trueMs, frame) => trueMs + (frame < 100 ? 0 : setMs))
  expect(times.map(inMs)).toEqual(Array.from({ length: FRAMES }, (_, frame) => frame * STEP_MS + (frame < 100 ? 0 : setMs)))
})

test('a host clock that is set back by less leaves the order as it is', () => {
  const times = timesOf((trueMs, frame) => trueMs - (frame < 100 ? 0 : 200))
  expect(grows(times)).toBe(true)
  expect(times.slice(121).map(inMs)).toEqual(Array.from({ length: FRAMES - 121 }, (_, at) => (at + 121) * STEP_MS - 200))
})
