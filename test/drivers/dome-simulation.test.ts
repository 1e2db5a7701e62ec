import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { domeRotator } from '../../drivers/dome-rotator/driver.ts'
import { simulation } from '../../drivers/dome-rotator/simulator.ts'
import type { DeviceHandle } from '../../drivers/driver.ts'
import type { RunningSimulation } from '../../drivers/simulation/simulation.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { type Bench, goodValue, never, open, openBench, readOne } from './bench.ts'
import { ARRIVES, failure } from './dome-rig.ts'

test('the simulation starts alone and turns when it is told', async () => {
  await using bench = await openBench()
  const accepted: string[] = []
  await using running = await simulation.start({ folder: bench.folder, name: 'a', seed: 1, timeFactor: 10, accepted: (command) => accepted.push(command) })
  await writeEntry(bench.folder, 'a', running.entry)
  await using opened = await open(domeRotator, { ...running.devices[0], address: 'sim://a' }, bench.context)
  await opened.device.motion?.moveTo(42, never)
  await until(async () => !(await opened.device.motion?.isMoving(never)), ARRIVES)
  expect(Math.abs(Number(await goodValue(opened.device, 'position')) - 42)).toBeLessThan(0.12)
})

describe('the simulation, told to go wrong', () => {
  let bench: Bench
  let running: RunningSimulation
  let opened: (AsyncDisposable & { readonly device: DeviceHandle }) | undefined

  beforeEach(async () => {
    bench = await openBench()
    running = await simulation.start({ folder: bench.folder, name: 'a', seed: 1, timeFactor: 10 })
    await writeEntry(bench.folder, 'a', running.entry)
  })

  afterEach(async () => {
    await opened?.[Symbol.asyncDispose]()
    opened = undefined
    await running[Symbol.asyncDispose]()
    await bench[Symbol.asyncDispose]()
  })

  async function reopened(): Promise<DeviceHandle> {
    await opened?.[Symbol.asyncDispose]()
    opened = await open(domeRotator, { ...running.devices[0], address: 'sim://a' }, bench.context)
    return opened.device
  }

  test('an encoder that freezes is noticed while the dome turns, and is well again', async () => {
    const device = await reopened()
    expect(running.troubles).toContain('frozen')
    running.inject({ kind: 'error', code: 'frozen' })
    await device.motion?.moveTo(60, never)
    expect(await failure(device)).toMatchObject({ facts: { instrumentCode: 'STAGNATION' } })
    running.inject({ kind: 'error', code: 'healthy' })
    await goodValue(device, 'moving')
    await device.commands?.invoke('set_azimuth', { azimuth: 40 }, never)
    await device.motion?.moveTo(41, never)
    await until(async () => !(await device.motion?.isMoving(never)), ARRIVES)
  })

  test('a switch that nothing presses is not found', async () => {
    const device = await reopened()
    running.inject({ kind: 'error', code: 'switch' })
    await device.motion?.home(never)
    expect(await failure(device)).toMatchObject({ facts: { instrumentCode: 'NO_SWITCH' } })
  })

  test('a controller whose cable is pulled stands, since it lives on USB, and boots when it is back', async () => {
    const device = await reopened()
    await device.motion?.moveTo(200, never)
    await running.unplug()
    expect(await failure(device)).toMatchObject({ code: 'DEVICE_OFFLINE', effect: 'DONE' })
    await running.plugIn()
    const again = await reopened()
    expect(await again.motion?.isMoving(never)).toBe(false)
    expect(await readOne(again, 'position')).toHaveProperty('bad') // nobody saw where it stopped
  })
})
