import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { FrameRing } from '../../native/types.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'
import { until } from '../until.ts'
import { pixelsOf } from './pattern.ts'
import { openCamera, simulatedPvcam, startOf } from './pvcam-simulated.ts'

const METADATA = 0x0b0300a8
const TEMPERATURE = 0x0102020d
const EDGE = 2304
const SOFTWARE_FIRST = 2816
const SOFTWARE_EDGE = 3072

const stampsOf = (ring: FrameRing) => ring.stamps(0n)
const stepsOf = (ring: FrameRing) => stampsOf(ring).map(({ sequence }, at, all) => (at === 0 ? 0n : sequence - (all[at - 1]?.sequence ?? 0n)))

describe('metadata', () => {
  test.each(['1', '2', '3'])('of version %s gives every frame its own clock and exposure', async (version) => {
    await using simulated = await simulatedPvcam({ METADATA: version })
    await using camera = await openCamera(simulated)
    await camera.set(METADATA, true)
    await using ring = await camera.start(startOf(simulated, { frames: 5, exposureSeconds: 0.001_25 }))
    await until(() => !camera.streaming)
    for (const [at, stamp] of stampsOf(ring).entries()) {
      expect(stamp.exposureNs).toBe(1_250_000n)
      // the period is the exposure; frame n ends n periods after the start, in the simulator's ticks of 100 us
      expect(stamp.hardwareTimeNs).toBe(BigInt(Math.floor(((at + 1) * 1_250_000) / 100_000)) * 100_000n)
    }
  })

  test('puts several regions together, with nothing between them', async () => {
    await using simulated = await simulatedPvcam()
    await using camera = await openCamera(simulated)
    const regions = [
      { x: 100, y: 40, width: 16, height: 8 },
      { x: 132, y: 56, width: 32, height: 16 },
    ]
    const start = startOf(simulated, { roi: { x: 100, y: 40, width: 64, height: 32 }, regions, binning: 2, frames: 2 })
    await expect(camera.start(start)).rejects.toThrow(/metadata to be switched on/)
    await camera.set(METADATA, true)
    await using ring = await camera.start(start)
    await until(() => !camera.streaming)
    expect([ring.width, ring.height]).toEqual([32, 16])
    const tap = await camera.tap({ bin: 1 })
    const pixels = tap === undefined ? new Uint16Array() : pixelsOf(tap)
    const lit = (x: number, y: number) => (x < 8 && y < 4) || (x >= 16 && y >= 8)
    for (let y = 0; y < 16; y += 1) for (let x = 0; x < 32; x += 1) expect((pixels[32 * y + x] ?? 0) > 0, `${x}, ${y}`).toBe(lit(x, y))
  })

  test('that is garbage loses that frame, and is told when all is', async () => {
    await using simulated = await simulatedPvcam({ SPOIL_EVERY: '4' })
    await using camera = await openCamera(simulated)
    await camera.set(METADATA, true)
    await using ring = await camera.start(startOf(simulated, { frames: 9 }))
    await until(() => !camera.streaming)
    expect(stepsOf(ring)).toEqual([0n, 1n, 1n, 2n, 1n, 1n, 2n, 1n, 1n])
    expect(camera.statistics()).toMatchObject({ produced: 9, lost: 2 })

    await using spoilt = await simulatedPvcam({ SPOIL_EVERY: '1' })
    await using other = await openCamera(spoilt)
    await other.set(METADATA, true)
    await using none = await other.start(startOf(spoilt))
    await until(() => !other.streaming)
    expect(none.published).toBe(0n)
    expect(other.statistics().ended).toMatch(/cannot be understood: .*signature/)
  })
})

describe('frame numbers', () => {
  test('go past the end of 31 bits', async () => {
    await using simulated = await simulatedPvcam({ FIRST_FRAME: String(2 ** 31 - 3) })
    await using camera = await openCamera(simulated)
    await using ring = await camera.start(startOf(simulated, { frames: 8 }))
    await until(() => !camera.streaming)
    expect(stepsOf(ring)).toEqual([0n, ...Array<bigint>(7).fill(1n)])
    expect(camera.statistics()).toMatchObject({ produced: 8, lost: 2 ** 31 - 4 }) // those before the first
  })

  test('that are missing are counted', async () => {
    await using simulated = await simulatedPvcam({ LOSE_EVERY: '5' })
    await using camera = await openCamera(simulated)
    await using ring = await camera.start(startOf(simulated, { frames: 9 }))
    await until(() => !camera.streaming)
    expect(stepsOf(ring)).toEqual([0n, 1n, 1n, 1n, 2n, 1n, 1n, 1n, 2n])
    expect(camera.statistics()).toMatchObject({ produced: 9, lost: 2 })
  })

  test('a picture tells how many frames before it were lost, whatever was lost since', async () => {
    await using simulated = await simulatedPvcam({ LOSE_EVERY: '5' })
    await using camera = await openCamera(simulated)
    await using _ring = await camera.start(startOf(simulated))
    const lostBefore = new Map<bigint, bigint>()
    await until(async () => {
      const tap = await camera.tap({ bin: 1 })
      if (tap !== undefined) lostBefore.set(tap.sequence, tap.sequence - tap.index)
      return lostBefore.size > 40
    })
    for (const [sequence, lost] of lostBefore) expect(lost, `of frame ${sequence}`).toBe((sequence + 1n) / 5n)
  })
})

test('exposures are exact to the microsecond, below a millisecond too, and beyond the range of one resolution', async () => {
  await using simulated = await simulatedPvcam()
  await using camera = await openCamera(simulated)
  for (const exposureSeconds of [0.000_001, 0.000_25, 0.001_001, 0.000_137]) {
    await using ring = await camera.start(startOf(simulated, { exposureSeconds, frames: 1 }))
    await until(() => !camera.streaming)
    expect(camera.statistics().exposureSeconds).toBe(exposureSeconds)
    expect(stampsOf(ring)[0]?.exposureNs).toBe(BigInt(Math.round(exposureSeconds * 1e9)))
  }
  await using long = await camera.start(startOf(simulated, { exposureSeconds: 12.345 })) // more than 10^7 us: in ms
  expect(camera.statistics().exposureSeconds).toBe(12.345)
  expect(long.published).toBe(0n)
  await camera.stop()
  await using longer = await camera.start(startOf(simulated, { exposureSeconds: 10_000 })) // 10^4 s
  expect(camera.statistics().exposureSeconds).toBe(10_000)
  await camera.stop()
  await expect(camera.start(startOf(simulated, { exposureSeconds: 10_001 }))).rejects.toThrow(/beyond what the camera can do/)
  expect(longer.published).toBe(0n)
})

describe('triggers', () => {
  test('by software: one for each frame, and refused while none is waited for', async () => {
    await using simulated = await simulatedPvcam()
    await using camera = await openCamera(simulated)
    await expect(camera.softwareTrigger()).rejects.toMatchObject({ code: 'DEVICE_BUSY' })
    await using ring = await camera.start(startOf(simulated, { triggerMode: SOFTWARE_EDGE }))
    for (let frame = 1n; frame <= 3n; frame += 1n) {
      await until(async () => await camera.softwareTrigger())
      await until(() => ring.published === frame)
    }
    await camera.stop()
    await using free = await camera.start(startOf(simulated, { triggerMode: SOFTWARE_FIRST }))
    await until(async () => await camera.softwareTrigger())
    await until(() => free.published > 5n) // goes on by itself
    expect(await camera.softwareTrigger()).toBe(false)
    expect(ring.published).toBe(3n)
    await camera.stop()
    await using own = await camera.start(startOf(simulated))
    await expect(camera.softwareTrigger()).rejects.toMatchObject({ facts: { instrumentCode: '185' } })
    await until(() => own.published > 0n)
  })

  test('from outside: waits without an end, and gives one frame for each', async () => {
    await using simulated = await simulatedPvcam()
    await using camera = await openCamera(simulated)
    await using ring = await camera.start(startOf(simulated, { triggerMode: EDGE, exposeOutMode: 3 }))
    for (let frame = 1n; frame <= 2n; frame += 1n) {
      await writeFile(`${simulated.library}.pulse`, '')
      await until(() => ring.published === frame)
    }
    expect(camera.streaming).toBe(true)
    expect(camera.statistics().ended).toBeUndefined()
  })

  test('that the camera does not have are refused before it is asked', async () => {
    await using simulated = await simulatedPvcam()
    await using camera = await openCamera(simulated)
    await expect(camera.start(startOf(simulated, { triggerMode: 3328 }))).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      message: expect.stringContaining('triggerMode'),
    })
    await expect(camera.start(startOf(simulated, { exposeOutMode: 5 }))).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  })
})

describe('two cameras at once', () => {
  test('get their own frames, whatever context the library hands to their callbacks', async () => {
    await using simulated = await simulatedPvcam({ CONTEXT: 'last' })
    const streamed = [0.002, 0.003].map(async (exposureSeconds, at) => {
      await using camera = await openCamera(simulated, at)
      await camera.set(METADATA, true)
      const roi = { x: 0, y: 0, width: 64 + 32 * at, height: 48 }
      await using ring = await camera.start(startOf(simulated, { roi, exposureSeconds, ringPath: join(simulated.folder, `${at}.ring`) }))
      const layout = prepareFrameLayout({ roi, binning: 1, exposureSeconds })
      const recording = camera.record({ ...layout, path: join(simulated.folder, `${at}.arrow`), frames: 60, keepFreeBytes: 0 })
      expect(await recording.ended).toMatchObject({ written: 60, dropped: 0, state: 'finished' })
      const stamps = stampsOf(ring)
      expect(new Set(stamps.map(({ exposureNs }) => exposureNs))).toEqual(new Set([BigInt(exposureSeconds * 1e9)]))
      const [first, last] = [stamps[0], stamps.at(-1)]
      const hardware = Number((last?.hardwareTimeNs ?? 0n) - (first?.hardwareTimeNs ?? 0n)) / (stamps.length - 1)
      expect(hardware / 1e9).toBeCloseTo(exposureSeconds, 4)
      expect(camera.statistics().lost).toBe(0)
    })
    await Promise.all(streamed)
  })

  test('one that is pulled out ends with a reason, and the other goes on', async () => {
    await using simulated = await simulatedPvcam()
    await using first = await openCamera(simulated, 0)
    await using second = await openCamera(simulated, 1)
    await using ring = await first.start(startOf(simulated))
    await using other = await second.start(startOf(simulated, { ringPath: join(simulated.folder, 'other.ring') }))
    const layout = prepareFrameLayout({ roi: startOf(simulated).roi, binning: 1, exposureSeconds: 0.002 })
    const recording = first.record({ ...layout, path: join(simulated.folder, 'frames.arrow'), keepFreeBytes: 0 })
    await until(() => recording.progress().written > 3)
    await writeFile(`${simulated.library}.removed`, first.name)
    expect(await first.removed).toBe(true)
    expect(await recording.ended).toMatchObject({ state: 'finished', dropped: 0 })
    await until(() => !first.streaming)
    expect(first.statistics().ended).toBe('the camera was removed')
    expect(await simulated.pvcam.cameras()).toEqual([second.name])
    const before = other.published
    await until(() => other.published > before + 5n)
    expect(ring.published).toBeGreaterThan(3n)
    const closed = second.removed
    await second[Symbol.asyncDispose]()
    expect(await closed).toBe(false)
  })
})

test('each known code is told with PVCAM’s text, and with what helps', async () => {
  await using simulated = await simulatedPvcam()
  await using camera = await openCamera(simulated)
  await mkdir(`${simulated.library}.faults`)
  for (const [code, text, cure] of [
    ['151', 'PL_ERR_INSTALLATION_CORRUPTED', 'PVCAM_VERSION'],
    ['185', 'PL_ERR_CONFIGURATION_INVALID', 'choose others among its own'],
    ['195', 'PL_ERR_DEVICE_BUSY', 'another program has the camera open'],
    ['77', 'unknown error (PVCAM error 77)', ''],
  ] as const) {
    await writeFile(join(`${simulated.library}.faults`, code), `error ${code}`)
    const told = { code: 'HARDWARE_FAULT', facts: { instrumentCode: code, effect: 'POSSIBLE' } }
    const start = await camera.start(startOf(simulated)).catch((error: unknown) => error) // setting the resolution, or the set-up
    expect(start).toMatchObject({ ...told, message: expect.stringMatching(/^pl_(set_param|exp_setup_cont): /) })
    expect(start).toMatchObject({ message: expect.stringContaining(text) })
    expect(start).toMatchObject({ message: expect.stringContaining(cure) })
    await writeFile(join(`${simulated.library}.faults`, code), `error ${code}`)
    expect((await camera.get([TEMPERATURE]))[0]).toMatchObject({ ...told, facts: { instrumentCode: code, effect: 'NONE' } })
  }
})
