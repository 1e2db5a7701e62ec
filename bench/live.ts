import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { loadPvcam, pvcamSimulatorPath } from '../native/devices.ts'
import { createRing } from '../native/files.ts'
import type { FrameTap, TapOptions } from '../native/types.ts'
import { median, say } from './report.ts'

/**
 * What a live picture costs the station: taps of a 2048 x 2048 frame, each beside a copy of the same bytes (memcpy) in the same round. The rate is that of the
 * frame's bytes. And what LZ4 makes of the simulated camera's noise. `npm run bench:live`
 */
const SIDE = 2048
const FRAME_BYTES = SIDE * SIDE * 2
const ROUNDS = 9
const TAPS = 30 // of each kind in a round
const REGION = { x: 700, y: 500, width: 1024, height: 1024 }
const KINDS = {
  'copy (memcpy)': undefined,
  FULL: { bin: 1 },
  PREVIEW: { bin: 2 },
  FAST: { bin: 4 },
  'PREVIEW, a quarter': { bin: 2, region: REGION },
  'header only': { bin: 2, pixels: false },
} as const satisfies Record<string, TapOptions | undefined>
type Kind = keyof typeof KINDS

/** Milliseconds each. */
async function timed(times: number, work: () => Promise<unknown> | unknown): Promise<number> {
  const start = performance.now()
  for (let time = 0; time < times; time += 1) await work()
  return (performance.now() - start) / times
}

async function taps(folder: string): Promise<void> {
  await using ring = createRing({ path: path.join(folder, 'frames.ring'), width: SIDE, height: SIDE, slots: 4 })
  await ring.startTestPattern({ rateHz: 1000, frames: 4 })
  const [from, to] = [Buffer.alloc(FRAME_BYTES, 1), Buffer.alloc(FRAME_BYTES)]
  const kinds = Object.keys(KINDS) as Kind[]
  const took = new Map<Kind, number[]>(kinds.map((kind) => [kind, []]))
  for (let round = 0; round < ROUNDS; round += 1)
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
      const ask = KINDS[kind]
      took.get(kind)?.push(await timed(TAPS, () => (ask === undefined ? from.copy(to) : ring.tap(ask))))
    }
  say(`taps of ${SIDE} x ${SIDE} x 16 bit, ${TAPS} of each in ${ROUNDS} rounds, medians`)
  for (const [kind, ms] of took) {
    const ratios = ms.map((each, round) => (took.get('copy (memcpy)')?.[round] ?? Number.NaN) / each)
    const rate = FRAME_BYTES / 1e6 / (median(ms) / 1000)
    say(
      `${kind.padEnd(20)} ${median(ms).toFixed(2).padStart(6)} ms ${rate.toFixed(0).padStart(8)} MB/s of the frame ${median(ratios).toFixed(2).padStart(8)} x the rate of memcpy`,
    )
  }
}

async function packed(folder: string): Promise<void> {
  await using pvcam = await loadPvcam(pvcamSimulatorPath(), { environment: { PVCAM_VERSION: '7.1.1.118' } })
  await using camera = await pvcam.open((await pvcam.cameras())[0] ?? '')
  const roi = { x: 0, y: 0, width: camera.sensorWidth, height: camera.sensorHeight }
  await using ring = await camera.start({ roi, binning: 1, exposureSeconds: 0.001, ringPath: path.join(folder, 'camera.ring'), ringSlots: 8, frames: 1 })
  while (ring.published < 1n) await pause(1)
  say(`LZ4 of the simulated camera, ${roi.width} x ${roi.height}`)
  for (const [name, bin] of [
    ['FULL', 1],
    ['PREVIEW', 2],
    ['FAST', 4],
  ] as const) {
    const sizes: number[] = []
    const note = (tap: FrameTap | undefined): void => void sizes.push(tap?.data.byteLength ?? Number.NaN)
    const rawMs = await timed(TAPS, async () => note(await camera.tap({ bin })))
    const packedMs = await timed(TAPS, async () => note(await camera.tap({ bin, compress: true })))
    const [raw = 0, small = 0] = [sizes[0], sizes.at(-1)]
    say(
      `${name.padEnd(20)} ${(packedMs - rawMs).toFixed(2).padStart(6)} ms ${(raw / 1e3 / (packedMs - rawMs)).toFixed(0).padStart(8)} MB/s, to ${((100 * small) / raw).toFixed(0)} %`,
    )
  }
}

const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-bench-'))
try {
  await taps(folder)
  await packed(folder)
} finally {
  await rm(folder, { recursive: true, force: true })
}
