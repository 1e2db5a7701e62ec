import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { PvcamCamera } from '../../native/pvcam-types.ts'
import { until } from '../until.ts'
import { openCamera, type SimulatedPvcam, simulatedPvcam, startOf } from './pvcam-simulated.ts'

const ID = {
  columns: 0x0602003a,
  setpoint: 0x0102020e,
  port: 0x090200f7,
  speed: 0x01020201,
  pixelTime: 0x06020204,
  gain: 0x01020200,
  gainName: 0x0d020202,
  bitDepth: 0x010201ff,
  metadata: 0x0b0300a8,
  resetTimestamp: 0x0b0300b0,
  readoutTime: 0x040200b3,
  clearingTime: 0x100200b4,
  summingCount: 0x07020103,
  recommended: 0x0803012c,
  smartExposures: 0x0e0202be,
  coolingMode: 0x090200d6,
}

let simulated: SimulatedPvcam
let camera: PvcamCamera
beforeEach(async () => {
  simulated = await simulatedPvcam()
  camera = await openCamera(simulated)
})
afterEach(async () => {
  await camera[Symbol.asyncDispose]()
  await simulated[Symbol.asyncDispose]()
})

describe('a camera describes', () => {
  test.each([
    ['signed 16 bits, with a range', ID.setpoint, { type: 'INT16', access: 'READ_WRITE', minimum: -2500, maximum: 2500, increment: 1, default: -2000 }],
    ['unsigned 16 bits', ID.columns, { type: 'UINT16', access: 'READ_ONLY', minimum: 512, maximum: 512 }],
    ['unsigned 32 bits', ID.summingCount, { type: 'UINT32', access: 'READ_WRITE', minimum: 1, maximum: 1000 }],
    ['unsigned 64 bits', ID.recommended, { type: 'UINT64', access: 'READ_ONLY', default: 32 * 512 * 512 * 2 }],
    ['signed 64 bits', ID.clearingTime, { type: 'INT64', access: 'READ_ONLY' }],
    ['a real number', ID.readoutTime, { type: 'FLOAT64', access: 'READ_ONLY' }],
    ['a flag', ID.metadata, { type: 'BOOLEAN', access: 'READ_WRITE', choices: [] }],
    ['what can only be written', ID.resetTimestamp, { type: 'BOOLEAN', access: 'WRITE_ONLY' }],
    ['a text', ID.gainName, { type: 'TEXT', access: 'READ_ONLY' }],
    ['an enumeration, with the camera’s own names', ID.port, { type: 'ENUM', access: 'READ_WRITE', choices: [{ value: 0, name: 'CMOS' }] }],
  ])('%s', async (_what, id, description) => {
    expect((await camera.describe([id]))[0]).toMatchObject(description)
  })

  test('nothing that it does not have', async () => {
    expect(await camera.describe([ID.coolingMode, ID.smartExposures])).toEqual([undefined, undefined])
  })
})

test('values of every type are read and set, and one that fails says why without the others', async () => {
  await camera.set(ID.setpoint, -1234)
  await camera.set(ID.metadata, true)
  await camera.set(ID.summingCount, 7)
  const [setpoint, metadata, summing, missing, real, name] = await camera.get([
    ID.setpoint,
    ID.metadata,
    ID.summingCount,
    ID.coolingMode,
    ID.readoutTime,
    ID.gainName,
  ])
  expect([setpoint, metadata, summing, name]).toEqual([-1234, true, 7, 'Default'])
  expect(real).toBeTypeOf('number')
  expect(missing).toMatchObject({ code: 'HARDWARE_FAULT', message: expect.stringContaining('not available'), facts: { instrumentCode: '9003' } })
})

test('a value that the type cannot hold never reaches the camera, one out of range is refused by it', async () => {
  await expect(camera.set(ID.setpoint, 40_000)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  await expect(camera.set(ID.setpoint, 1.5)).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  await expect(camera.set(ID.setpoint, 'cold')).rejects.toMatchObject({ code: 'INVALID_VALUE' })
  await expect(camera.set(ID.setpoint, 3000)).rejects.toMatchObject({ code: 'HARDWARE_FAULT', facts: { instrumentCode: '9005' } })
  await expect(camera.set(ID.columns, 3)).rejects.toMatchObject({ facts: { instrumentCode: '9007' } })
  expect(await camera.get([ID.setpoint])).toEqual([-2000])
})

test('gains depend on the speed, and pixel time and bit depth on both', async () => {
  const at = async () => {
    const [pixelTime, bitDepth, name] = await camera.get([ID.pixelTime, ID.bitDepth, ID.gainName])
    return { pixelTime, bitDepth, name, gains: (await camera.describe([ID.gain]))[0]?.maximum }
  }
  expect(await at()).toEqual({ pixelTime: 5, bitDepth: 16, name: 'Default', gains: 4 })
  await camera.set(ID.gain, 4)
  expect(await at()).toMatchObject({ bitDepth: 11, name: 'Sensitivity' })
  expect(camera.bitDepth).toBe(11)
  await camera.set(ID.speed, 1)
  expect(await at()).toEqual({ pixelTime: 10, bitDepth: 16, name: 'HDR', gains: 2 })
  await camera.set(ID.gain, 2)
  await expect(camera.set(ID.gain, 3)).rejects.toMatchObject({ code: 'HARDWARE_FAULT' })
  await using ring = await camera.start(startOf(simulated, { frames: 3 }))
  await until(() => !camera.streaming)
  expect((await camera.tap({ bin: 1 }))?.maximum).toBeLessThanOrEqual(4095)
  expect(ring.published).toBe(3n)
})

test('another camera has other ports, each with speeds of its own', async () => {
  await using other = await openCamera(simulated, 1)
  expect((await other.describe([ID.port]))[0]?.choices.map(({ name }) => name)).toEqual(['Sensitivity', 'Speed', 'Dynamic Range'])
  await other.set(ID.port, 1)
  expect(await other.get([ID.pixelTime, ID.gainName])).toEqual([5, 'Full well'])
  await other.set(ID.port, 2)
  expect(await other.get([ID.pixelTime, ID.gainName])).toEqual([10, 'HDR'])
})

test('nothing is described, read or set while it streams: the library would be asked in the midst of an acquisition', async () => {
  await using ring = await camera.start(startOf(simulated))
  for (const refused of [camera.get([ID.setpoint]), camera.describe([ID.setpoint]), camera.set(ID.setpoint, 0), camera.resetPostProcessing()])
    await expect(refused).rejects.toMatchObject({ code: 'DEVICE_BUSY' })
  const before = ring.published
  await until(() => ring.published > before + 10n) // the simulator stalls when it is asked
})
