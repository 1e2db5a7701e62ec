import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { comediSimulatorPath, loadPvcam, pvcamSimulatorPath } from '../../native/devices.ts'
import type { Pvcam, PvcamCamera } from '../../native/pvcam-types.ts'
import { openFrameFile } from '../../storage/frame-file.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'
import { until } from '../until.ts'
import { pixelsOf, samePixels } from './pattern.ts'

const ENVIRONMENT = { PVCAM_VERSION: '7.1.1.118', KYMOGRAPH_PVCAM_SIM_FAIL_AFTER: '' }
const HANG_MS = 45_000 // the board hangs for a minute
const END_OF_STREAM = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0] // Arrow's

const TEMPERATURE = 0x0102020d // hundredths of a degree Celsius, as is the set point
const TEMPERATURE_SETPOINT = 0x0102020e

let folder: string
let pvcam: Pvcam
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-pvcam-'))
  pvcam = await loadPvcam(pvcamSimulatorPath(), { environment: ENVIRONMENT })
})
afterEach(async () => {
  await pvcam[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

const FULL = { x: 0, y: 0, width: 512, height: 512 }
const QUARTER = { x: 128, y: 128, width: 256, height: 256 }
const openFirst = async () => pvcam.open((await pvcam.cameras())[0] ?? '')
const startOptions = (more: Partial<Parameters<PvcamCamera['start']>[0]> = {}) => ({
  roi: FULL,
  binning: 1,
  exposureSeconds: 0.005,
  ringPath: path.join(folder, 'frames.ring'),
  ringSlots: 64,
  ...more,
})
/** For recordings of which no frame may be missing: two and a half seconds of frames that a busy disk has not taken yet. */
const roomy = (more: Partial<Parameters<PvcamCamera['start']>[0]> = {}) => startOptions({ roi: QUARTER, ringSlots: 512, ...more })

describe('the library', () => {
  test('names its cameras, and each says what it is', async () => {
    expect(pvcam.libraryVersion).toBe('7.1.1')
    expect(await pvcam.cameras()).toEqual(['pvcamSIM_0', 'pvcamSIM_1'])
    await using camera = await openFirst()
    expect(camera).toMatchObject({
      name: 'pvcamSIM_0',
      sensorWidth: 512,
      sensorHeight: 512,
      bitDepth: 16,
      serialNumber: 'SIM000000',
      chipName: 'KYMOGRAPH-SIM',
      firmwareVersion: '1.0',
    })
    await camera.set(TEMPERATURE_SETPOINT, -1500)
    const [setpoint, temperature] = await camera.get([TEMPERATURE_SETPOINT, TEMPERATURE])
    expect(setpoint).toBe(-1500)
    expect(Math.abs(Number(temperature) + 1500)).toBeLessThan(25)
  })

  test('opens and closes fifty times', async () => {
    for (let round = 0; round < 50; round += 1) {
      await using camera = await openFirst()
      await using ring = await camera.start(startOptions({ ringSlots: 4, exposureSeconds: 0 }))
      await until(() => ring.published > 0n, { everyMs: 1 })
      await camera.stop()
      expect(camera.streaming).toBe(false)
    }
    expect(await readdir(folder)).toEqual([])
  })
})

describe('errors carry the code and the text of PVCAM', () => {
  test('151: initialised without PVCAM_VERSION, in a process of its own', async () => {
    const { PVCAM_VERSION: _, ...environment } = process.env
    const script = fileURLToPath(new URL('load-pvcam.ts', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script], { env: environment })
    expect(JSON.parse(stdout)).toMatchObject({
      code: 'HARDWARE_FAULT',
      message: expect.stringContaining('PL_ERR_INSTALLATION_CORRUPTED'),
      facts: { instrumentCode: '151' },
    })
  })

  test('185: a binning that the camera does not offer, and the camera goes on afterwards', async () => {
    await using camera = await openFirst()
    await expect(camera.start(startOptions({ roi: { x: 0, y: 0, width: 510, height: 510 }, binning: 3 }))).rejects.toThrow(
      expect.objectContaining({
        code: 'HARDWARE_FAULT',
        message: expect.stringContaining('PL_ERR_CONFIGURATION_INVALID'),
        facts: { instrumentCode: '185', effect: 'POSSIBLE' },
      }),
    )
    expect(camera.streaming).toBe(false)
    expect(await readdir(folder)).toEqual([])
    await using ring = await camera.start(startOptions())
    await until(() => ring.published > 0n)
  })

  test('195: opened twice', async () => {
    await using camera = await openFirst()
    await expect(pvcam.open(camera.name)).rejects.toThrow(expect.objectContaining({ facts: { instrumentCode: '195', effect: 'NONE' } }))
  })

  test('what is asked wrongly never reaches the camera', async () => {
    await using camera = await openFirst()
    const refused = (more: object) => expect(camera.start(startOptions(more))).rejects.toThrow(expect.objectContaining({ code: 'INVALID_VALUE' }))
    await refused({ roi: { ...FULL, x: 1 } })
    await refused({ roi: { ...FULL, width: 0 } })
    await refused({ roi: { ...FULL, width: 511 }, binning: 2 })
    await refused({ exposureSeconds: -1 })
    await refused({ exposureSeconds: Number.NaN })
    await expect(pvcam.open('another')).rejects.toThrow(/no such camera/)
    await expect(loadPvcam('/nowhere/libpvcam.so')).rejects.toThrow(/cannot load the PVCAM library/)
  })
})

describe('a pending start', () => {
  test('leaves JavaScript its thread', async () => {
    await using camera = await openFirst()
    let turns = 0
    const count = () => {
      turns += 1
      next = setImmediate(count)
    }
    let next = setImmediate(count)
    await using ring = await camera.start(startOptions({ ringSlots: 1024 }))
    clearImmediate(next)
    expect(turns).toBeGreaterThan(0)
    expect(ring.slots).toBe(1024)
  })

  test('is followed by a stop that stops what it began', async () => {
    await using camera = await openFirst()
    const starting = camera.start(startOptions({ exposureSeconds: 1 })) // not ten of them, however late the stop is
    const stopping = camera.stop()
    const temperature = camera.get([TEMPERATURE])
    await using ring = await starting
    await stopping
    expect(camera.streaming).toBe(false)
    expect((await temperature)[0]).toBeLessThan(0)
    await using again = await camera.start(startOptions())
    await until(() => again.published > 0n)
    expect(ring.published).toBeLessThan(10n)
  })

  test('is followed by a second one, which is refused', async () => {
    await using camera = await openFirst()
    const starting = camera.start(startOptions())
    await expect(camera.start(startOptions())).rejects.toMatchObject({ code: 'DEVICE_BUSY' })
    await using ring = await starting
    await until(() => ring.published > 0n)
  })

  test('may be forgotten: closing the camera and the library waits for it', async () => {
    const camera = await openFirst()
    const starting = camera.start(startOptions())
    const closing = camera[Symbol.asyncDispose]()
    const unloading = pvcam[Symbol.asyncDispose]()
    const loading = loadPvcam(pvcamSimulatorPath(), { environment: ENVIRONMENT })
    await (await starting)[Symbol.asyncDispose]()
    await Promise.all([closing, unloading])
    expect(camera.streaming).toBe(false)
    await expect(camera.start(startOptions())).rejects.toThrow(/has been closed/)
    pvcam = await loading
    await using again = await openFirst()
    expect(again.name).toBe(camera.name)
    expect(await readdir(folder)).toEqual([])
  })
})

describe('a streaming camera', () => {
  test('records without a gap, and the file holds what the ring held', async () => {
    await using camera = await openFirst()
    await using ring = await camera.start(roomy())
    const recording = camera.record({
      ...prepareFrameLayout({ roi: QUARTER, binning: 1, exposureSeconds: 0.005 }),
      path: path.join(folder, 'frames.arrow'),
      frames: 200,
      keepFreeBytes: 0,
    })
    const seen = new Map<bigint, Uint16Array>()
    for (let last = 0n; recording.progress().state === 'running'; ) {
      const tap = await until(async () => (await camera.tap({ bin: 1, after: last })) ?? recording.progress().state !== 'running', { everyMs: 1 })
      if (tap === true) break
      seen.set(tap.sequence, pixelsOf(tap))
      last = tap.sequence
    }
    expect(await recording.ended).toMatchObject({ written: 200, dropped: 0, state: 'finished' })
    expect(camera.streaming).toBe(true)
    expect(camera.statistics().lost).toBe(0)
    await using file = await openFrameFile(path.join(folder, 'frames.arrow'))
    let compared = 0
    let before: { sequence: number; time: bigint; hardwareTimeNs: bigint | undefined } | undefined
    for await (const { sequence, time, hardwareTimeNs, pixels } of file.frames()) {
      if (before !== undefined) {
        expect(sequence).toBe(before.sequence + 1)
        expect(time).toBeGreaterThan(before.time) // by how much is the camera's to say: the host's time of the first frames is found out meanwhile
        expect(Number((hardwareTimeNs ?? 0n) - (before.hardwareTimeNs ?? 0n)) / 1e6).toBeCloseTo(5, 0)
      }
      before = { sequence, time, hardwareTimeNs }
      const tapped = seen.get(BigInt(sequence))
      if (tapped === undefined) continue
      expect(samePixels(pixels, tapped)).toBe(true)
      compared += 1
    }
    expect(compared).toBeGreaterThan(10)
    expect(ring.frameBytes).toBe(256 * 256 * 2)
  })

  test('never runs faster than exposure and rows allow, however its callbacks are coalesced', async () => {
    await using camera = await openFirst()
    const start = performance.now()
    await using ring = await camera.start(startOptions({ exposureSeconds: 0.02, frames: 40 }))
    await until(() => !camera.streaming)
    const seconds = (performance.now() - start) / 1000
    expect(ring.published).toBe(40n)
    expect(camera.statistics()).toMatchObject({ produced: 40, lost: 0 })
    expect(seconds).toBeGreaterThan(40 * 0.02) // a busy machine may be late, never early
  })

  test('refuses what would break the acquisition', async () => {
    await using camera = await openFirst()
    expect(() =>
      camera.record({ ...prepareFrameLayout({ roi: FULL, binning: 1, exposureSeconds: 1 }), path: path.join(folder, 'x'), keepFreeBytes: 0 }),
    ).toThrow(/start it before/)
    await using ring = await camera.start(startOptions())
    await expect(camera.get([TEMPERATURE])).rejects.toThrow(expect.objectContaining({ code: 'DEVICE_BUSY' }))
    await expect(camera.start(startOptions())).rejects.toThrow(expect.objectContaining({ code: 'DEVICE_BUSY' }))
    await until(() => ring.published > 10n)
  })

  test('shows a region and bins it in the camera', async () => {
    await using camera = await openFirst()
    await using ring = await camera.start(startOptions({ roi: { x: 100, y: 40, width: 64, height: 32 }, binning: 2 }))
    const tap = await until(() => camera.tap({ bin: 1 }))
    expect([tap.width, tap.height, ring.width, ring.height]).toEqual([32, 16, 32, 16])
    expect(tap.exposureNs).toBe(5_000_000n)
  })

  test('sees a spot that drifts over a noisy background', async () => {
    await using camera = await openFirst()
    await using ring = await camera.start(startOptions({ exposureSeconds: 0.01 }))
    const tap = await until(() => camera.tap({ bin: 1 }))
    expect(ring.published).toBeGreaterThan(0n)
    expect(tap.maximum).toBeGreaterThan(10_000)
    expect(tap.minimum).toBeGreaterThan(60)
    expect(tap.minimum).toBeLessThan(100)
    const centre = (pixels: Uint16Array) => pixels.indexOf(pixels.reduce((most, pixel) => Math.max(most, pixel), 0))
    const later = await until(() => camera.tap({ bin: 1, after: tap.sequence + 50n }))
    expect(centre(pixelsOf(later))).not.toBe(centre(pixelsOf(tap)))
  })
})

test('a camera that fails ends its stream, and its recording whole', async () => {
  await pvcam[Symbol.asyncDispose]()
  pvcam = await loadPvcam(pvcamSimulatorPath(), { environment: { ...ENVIRONMENT, KYMOGRAPH_PVCAM_SIM_FAIL_AFTER: '20' } })
  const exposureSeconds = 0.05 // the recording begins before the camera fails, a second later
  const layout = prepareFrameLayout({ roi: FULL, binning: 1, exposureSeconds })
  const target = path.join(folder, 'frames.arrow')
  await using camera = await openFirst()
  await using ring = await camera.start(startOptions({ exposureSeconds }))
  const { written, ...end } = await camera.record({ ...layout, path: target, frames: 100, keepFreeBytes: 0 }).ended
  expect(end).toMatchObject({ dropped: 0, state: 'finished', reason: 'the source stopped' })
  await using file = await openFrameFile(target) // from the next frame on: on a busy machine the camera is a few ahead
  const [first, last] = [await file.label(0), await file.label(written - 1)]
  expect(last.sequence).toBe(19)
  expect(last.exposureNs).toBe(50_000_000n)
  const clock = (last.hardwareTimeNs ?? 0n) - (first.hardwareTimeNs ?? 0n) // ticks of 100 us
  expect(Number(clock) / 1e9 / (written - 1)).toBeCloseTo(exposureSeconds, 3)
  await until(() => !camera.streaming)
  expect(ring.published).toBe(20n)
})

test('two cameras stream and record at once', async () => {
  const layout = prepareFrameLayout({ roi: QUARTER, binning: 1, exposureSeconds: 0.005 })
  await Promise.all(
    (await pvcam.cameras()).map(async (name) => {
      await using camera = await pvcam.open(name)
      await using ring = await camera.start(roomy({ ringPath: path.join(folder, `${name}.ring`) }))
      const recording = camera.record({ ...layout, path: path.join(folder, `${name}.arrow`), frames: 50, keepFreeBytes: 0 })
      expect(await recording.ended).toMatchObject({ written: 50, dropped: 0, state: 'finished' })
      expect(ring.published).toBeGreaterThanOrEqual(50n)
    }),
  )
})

test('libraries and cameras come and go, however their opening and closing overlap', async () => {
  for (let round = 0; round < 30; round += 1) {
    const unloading = pvcam[Symbol.asyncDispose]()
    pvcam = await loadPvcam(pvcamSimulatorPath(), { environment: ENVIRONMENT })
    const opened = await Promise.all((await pvcam.cameras()).map((name) => pvcam.open(name)))
    await Promise.all(opened.map((camera) => camera[Symbol.asyncDispose]()))
    await unloading
  }
})

test('a process may end while a camera starts', async () => {
  const script = fileURLToPath(new URL('exit-while-starting.ts', import.meta.url))
  await promisify(execFile)(process.execPath, ['--import', 'tsx', script, folder])
})

test('a process may end while a camera streams and records', async () => {
  const script = fileURLToPath(new URL('exit-while-recording.ts', import.meta.url))
  await promisify(execFile)(process.execPath, ['--import', 'tsx', script, folder])
  await using file = await openFrameFile(path.join(folder, 'frames.arrow'))
  expect(await file.count()).toBeGreaterThan(0)
})

test('a process may end while a board hangs: the cameras beside it are stopped, and their recordings whole', async () => {
  const script = fileURLToPath(new URL('exit-while-hanging.ts', import.meta.url))
  const boardLibrary = path.join(folder, 'libcomedi.so')
  await copyFile(comediSimulatorPath(), boardLibrary)
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, folder, boardLibrary], { timeout: HANG_MS, killSignal: 'SIGKILL' })
  expect(stdout).toBe('hangs\n')
  for (const name of await pvcam.cameras()) {
    const end = (await readFile(path.join(folder, `${name}.arrow`))).subarray(-END_OF_STREAM.length)
    expect([...end]).toEqual(END_OF_STREAM)
  }
}, 60_000)
