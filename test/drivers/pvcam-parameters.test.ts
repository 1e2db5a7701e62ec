import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkValue } from '../../core/parameter.ts'
import { pvcamCamera } from '../../drivers/pvcam-camera/driver.ts'
import { KNOWN_PARAMETERS } from '../../drivers/pvcam-camera/known-parameters.ts'
import { snakeCase } from '../../drivers/pvcam-camera/post-processing.ts'
import { simulation } from '../../drivers/pvcam-camera/simulator.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { prepareFrameLayout } from '../../storage/frame-heads.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, openBench, problemOf } from './bench.ts'

const FULL = { quality: 'FULL', compression: 'NONE' } as const
const settings = { address: 'sim://camera' }

let bench: Bench
let library: string
let running: Awaited<ReturnType<typeof simulation.start>>
beforeEach(async () => {
  bench = await openBench()
  running = await simulation.start({ folder: bench.folder, name: 'camera', seed: 1, lineFactor: 1, timeFactor: 1 })
  await writeEntry(bench.folder, 'camera', running.entry)
  library = join(bench.folder, 'camera.so')
})
afterEach(async () => {
  await running[Symbol.asyncDispose]()
  await bench[Symbol.asyncDispose]()
})

async function opened(more: object = {}) {
  const { device, ...rest } = await open(pvcamCamera, { ...settings, ...more }, bench.context)
  const spec = (name: string) => device.parameters.find((each) => each.name === name)
  const set = async (name: string, value: number | string | boolean) => {
    const described = spec(name)
    if (described === undefined || device.write === undefined) throw new Error(`there is no ${name} to set`)
    return await device.write(name, checkValue(described, value), never)
  }
  return { device, spec, set, frames: device.frames ?? expect.fail('no camera'), [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose]() }
}

describe('parameters', () => {
  test('are those that the camera has, with its ranges, choices and units', async () => {
    await using camera = await opened()
    const names = camera.device.parameters.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    // pulse outputs, programmable scans and cooling modes are not this camera's
    expect(names).not.toContain('scan_mode')
    expect(names).not.toContain('cooling_mode')
    expect(KNOWN_PARAMETERS.filter(({ name }) => names.includes(name)).length).toBeGreaterThan(30)
    expect(camera.spec('temperature_setpoint')).toMatchObject({ kind: 'FLOAT', access: 'READ_WRITE', unit: 'Cel', minimum: -25, maximum: 25, step: 0.01 })
    expect(camera.spec('exposure')).toMatchObject({ unit: 's', minimum: 1e-6, maximum: 10_000, step: 1e-6 })
    expect(camera.spec('fan_speed')).toMatchObject({ kind: 'ENUM', choices: ['High', 'Medium', 'Low', 'Off'] })
    expect(camera.spec('binning')?.choices).toEqual(['1x1', '2x2', '4x4', '8x8'])
    expect(camera.spec('trigger_mode')?.choices).toEqual(expect.arrayContaining(['Internal Trigger', 'Edge Trigger', 'Software Trigger Edge']))
    expect(camera.spec('host_rotate')?.choices).toEqual(['None', '180']) // a quarter would change the shape of the frames
    expect(camera.spec('readout_time')).toMatchObject({ kind: 'FLOAT', access: 'READ_ONLY', unit: 'us' })
    expect(camera.spec('denoising_no_of_iterations')).toMatchObject({ kind: 'INTEGER', minimum: 1, maximum: 10 })
    expect(camera.spec('despeckle_bright_low_enabled')).toMatchObject({ kind: 'BOOLEAN', access: 'READ_WRITE' })
    expect(await goodValue(camera.device, 'model_name')).toBe('PrimeBSI')
  })

  test('that depend on another are described anew', async () => {
    await using camera = await opened()
    expect(camera.spec('readout_port')).toMatchObject({ access: 'READ_ONLY', choices: ['CMOS'] })
    expect(camera.spec('speed_mode')?.choices).toEqual(['200 MHz', '100 MHz'])
    expect(camera.spec('gain_mode')?.choices).toEqual(['Default', 'Full well', 'Balanced', 'Sensitivity'])
    expect(await camera.set('gain_mode', 'Sensitivity')).toBe('Sensitivity')
    expect([await goodValue(camera.device, 'bit_depth'), camera.frames.sensor.bitDepth]).toEqual([11, 11])
    expect(await camera.set('speed_mode', '100 MHz')).toBe('100 MHz')
    expect(camera.spec('gain_mode')?.choices).toEqual(['HDR', 'CMS'])
    expect([await goodValue(camera.device, 'gain_mode'), await goodValue(camera.device, 'pixel_time')]).toEqual(['HDR', 10])
    expect(await problemOf(camera.device.write?.('gain_mode', 'Sensitivity', never) ?? Promise.resolve())).toMatchObject({
      code: 'INVALID_VALUE',
      message: expect.stringContaining('choose one of HDR, CMS'),
    })
    await using other = await opened({ camera: 'pvcamSIM_1' })
    expect(other.spec('readout_port')?.choices).toEqual(['Sensitivity', 'Speed', 'Dynamic Range'])
    expect(await other.set('readout_port', 'Speed')).toBe('Speed')
    expect([other.spec('speed_mode')?.choices, other.spec('gain_mode')?.choices]).toEqual([['200 MHz'], ['Full well', 'Balanced']])
  })

  test('of the post-processing are set one by one, and all at once as they were made', async () => {
    await using camera = await opened()
    expect(await camera.set('denoising_enabled', true)).toBe(true)
    expect(await camera.set('denoising_no_of_iterations', 9)).toBe(9)
    expect(await goodValue(camera.device, 'despeckle_bright_low_enabled')).toBe(false)
    const noise = async () => {
      await camera.device.trigger?.trigger(1, never)
      const picture = await until(() => camera.frames.tap(FULL))
      return picture.header.minimum
    }
    const quiet = await noise()
    await camera.device.commands?.invoke('reset_post_processing', {}, never)
    expect(await goodValue(camera.device, 'denoising_no_of_iterations')).toBe(3)
    expect(await noise()).toBeLessThan(quiet - 5)
    expect(snakeCase('QUANTVIEW E-')).toBe('quantview_e')
    expect(snakeCase('3D Filter')).toBe('feature_3d_filter')
  })

  test('are told from before while it streams, and a set goes in between', async () => {
    await using camera = await opened()
    await camera.frames.startLive(never)
    expect(await goodValue(camera.device, 'fan_speed')).toBe('High')
    // of the set-up before this one, and of the sensor before it was read out
    for (const name of ['readout_time', 'temperature']) expect((await camera.device.read([name], never)).get(name)).toMatchObject({ quality: 'UNCERTAIN' })
    expect(await camera.set('fan_speed', 'Low')).toBe('Low')
    expect(camera.frames.streaming).toBe(true)
    expect(await goodValue(camera.device, 'fan_speed')).toBe('Low')
    await until(() => camera.frames.tap(FULL))
    await camera.frames.stopLive(never)
  })
})

describe('what is read out', () => {
  test('is one region or several, and a frame is the rectangle around them', async () => {
    await using camera = await opened()
    expect(await goodValue(camera.device, 'roi')).toBe('0,0,512,512')
    expect(await camera.set('binning', '2x2')).toBe('2x2')
    expect(await camera.set('roi', '100,40,16,8;132,56,32,16')).toBe('100,40,16,8; 132,56,32,16')
    expect(camera.frames.configuration()).toMatchObject({ roi: { x: 100, y: 40, width: 64, height: 32 }, binning: 2 })
    await camera.device.trigger?.trigger(2, never)
    const { header, pixels } = await until(() => camera.frames.tap(FULL))
    expect(header).toMatchObject({ width: 32, height: 16, roi: { x: 100, y: 40, width: 64, height: 32 } })
    const lit = new Uint16Array(pixels.buffer, pixels.byteOffset, 512)
    expect([lit[0], lit[8], lit[8 * 32 + 16], lit[511]].map((pixel) => (pixel ?? 0) > 0)).toEqual([true, false, true, true])
    await camera.frames.configure({ roi: { x: 0, y: 0, width: 32, height: 32 } }, never)
    expect(await goodValue(camera.device, 'roi')).toBe('0,0,32,32')
    expect(await camera.set('roi', '')).toBe('0,0,512,512') // all of it
  })

  test.each([
    ['500,0,16,16', 'LIMIT_VIOLATION', 'roi.width'],
    ['512,0,1,1', 'LIMIT_VIOLATION', 'roi.x'],
    ['1,2,3', 'INVALID_VALUE', 'roi: "1,2,3" is no region'],
    ['0,0,10,10;21,0,10,10', 'INVALID_VALUE', 'whole binned pixels apart'],
    [Array(16).fill('0,0,2,2').join(';'), 'INVALID_VALUE', 'at most 15'],
  ])('%s is refused with words', async (text, code, words) => {
    await using camera = await opened()
    await camera.set('binning', '2x2')
    expect(await problemOf(camera.set('roi', text))).toMatchObject({ code, message: expect.stringContaining(words), effect: 'NONE' })
    expect(await goodValue(camera.device, 'roi')).toBe('0,0,512,512')
  })
})

describe('triggers', () => {
  test('by software, of a plan and by hand', async () => {
    await using camera = await opened()
    await camera.set('exposure', 0.002)
    expect(await camera.set('trigger_mode', 'Software Trigger Edge')).toBe('Software Trigger Edge')
    await camera.device.trigger?.trigger(3, never)
    expect(await goodValue(camera.device, 'frames_produced')).toBe(3)
    expect(await problemOf(camera.device.commands?.invoke('software_trigger', {}, never) ?? Promise.resolve())).toMatchObject({ code: 'DEVICE_BUSY' })
    await camera.frames.startLive(never)
    expect(await goodValue(camera.device, 'armed')).toBe(true)
    await until(async () => (await camera.device.commands?.invoke('software_trigger', {}, never)) === true)
    await until(async () => (await goodValue(camera.device, 'frames_produced')) === 1)
    await camera.frames.stopLive(never)
    expect(await goodValue(camera.device, 'armed')).toBe(false)
  })

  test('from outside are waited for, until somebody gives up', async () => {
    await using camera = await opened()
    await camera.set('trigger_mode', 'Edge Trigger')
    await camera.frames.startLive(never)
    await writeFile(`${library}.pulse`, '')
    await until(async () => (await goodValue(camera.device, 'frames_produced')) === 1)
    await camera.frames.stopLive(never)
    const patience = new AbortController()
    const waiting = problemOf(camera.device.trigger?.trigger(1, patience.signal) ?? Promise.resolve())
    await until(() => camera.frames.streaming)
    patience.abort()
    expect(await waiting).toMatchObject({ effect: 'POSSIBLE' })
    expect(camera.frames.streaming).toBe(false)
  })
})

describe('a camera that is pulled out', () => {
  test('is lost at once and alone, its recording ends whole with the reason, and it is found again', async () => {
    {
      await using first = await opened({ camera: 'pvcamSIM_0' })
      await using second = await opened({ camera: 'pvcamSIM_1' })
      await second.frames.startLive(never)
      const { roi, binning, exposureSeconds } = first.frames.configuration()
      const recording = await first.frames.record(
        prepareFrameLayout({ roi, binning, exposureSeconds }),
        { path: join(bench.folder, 'frames.arrow'), keepFreeBytes: 0 },
        never,
      )
      await until(() => recording.progress().written > 2)
      await writeFile(`${library}.removed`, 'pvcamSIM_0')
      await until(() => first.device.lost?.aborted)
      expect(first.device.lost?.reason).toMatchObject({ code: 'DEVICE_OFFLINE', message: expect.stringContaining('pvcamSIM_0 was removed') })
      expect(await problemOf(first.device.read(['temperature'], never))).toMatchObject({ code: 'DEVICE_OFFLINE' })
      expect(await recording.ended).toMatchObject({ state: 'finished', dropped: 0, reason: 'the camera was removed' })
      expect(second.device.lost?.aborted).toBe(false)
      const produced = second.frames.statistics().produced
      await until(() => second.frames.statistics().produced > produced)
      expect(await problemOf(opened({ camera: 'pvcamSIM_0' }))).toMatchObject({ code: 'DEVICE_OFFLINE', message: expect.stringContaining('not pvcamSIM_0') })
      await rm(`${library}.removed`)
    }
    await using again = await opened({ camera: 'pvcamSIM_0' })
    expect(await goodValue(again.device, 'fan_speed')).toBe('High')
  })
})

test('a fault in the midst of a set is told with PVCAM’s code and what helps', async () => {
  await using camera = await opened()
  await mkdir(`${library}.faults`, { recursive: true })
  await writeFile(join(`${library}.faults`, '1'), 'error 195')
  expect(await problemOf(camera.set('fan_speed', 'Low'))).toMatchObject({
    code: 'HARDWARE_FAULT',
    facts: { instrumentCode: '195', effect: 'POSSIBLE' },
    message: expect.stringMatching(/^pl_set_param: PL_ERR_DEVICE_BUSY.*\(PVCAM error 195\): another program has the camera open/),
  })
  expect(await goodValue(camera.device, 'fan_speed')).toBe('High')
})
