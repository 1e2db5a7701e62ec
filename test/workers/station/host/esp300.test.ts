import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newportEsp300 } from '../../../../drivers/newport-esp300/driver.ts'
import { Esp300Simulator } from '../../../../drivers/newport-esp300/simulator.ts'
import { SimulatedTerminal } from '../../../../drivers/simulation/simulated-terminal.ts'
import { writeEntry } from '../../../../local/lab/book.ts'
import { until } from '../../../until.ts'
import { ADA, type HostBench, openHostBench, problemOf, record } from './bench.ts'

/** Three axes on one serial line: the real driver, a real pseudo-terminal, the line's own pace. */
let lab: string
let controller: Esp300Simulator
let line: SimulatedTerminal
let bench: HostBench
const seconds = (): number => performance.now() / 1000
const AXES = ['x', 'y', 'z'] as const

beforeEach(async () => {
  lab = await mkdtemp(join(tmpdir(), 'host-lab-'))
  controller = new Esp300Simulator({ random: () => 0.5, accepted: () => undefined })
  const linkPath = join(lab, 'esp300.tty')
  line = new SimulatedTerminal({ instrument: controller, baudRate: 19_200, linkPath, seconds })
  await line.plugIn()
  await writeEntry(lab, 'esp300', { kind: 'serial', path: linkPath })
  bench = await openHostBench(
    [newportEsp300],
    AXES.map((name, at) => record(name, 'newport-esp300', { address: 'sim://esp300', axis: at + 1, flowControl: 'none' })),
    lab,
  )
  await bench.connected(...AXES)
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await line[Symbol.asyncDispose]()
  await rm(lab, { recursive: true })
})

describe('a controller with three axes', () => {
  it('moves an axis and answers when the controller says that it stands', async () => {
    const answer = await bench.ask('y', { kind: 'move', to: 500, unit: 'um', wait: true })
    expect(answer.state).toBe('DONE')
    expect(answer.results[0]?.readings[0]?.reading.value).toBeCloseTo(0.5, 3)
    expect(bench.host.device('y').state).toMatchObject({ simulated: true, motion: { moving: false, unit: 'mm' } })
  })

  it('sets a velocity and reads it back', async () => {
    const answer = await bench.ask('x', { kind: 'set', name: 'velocity', value: 5 })
    expect(answer.results[0]?.readings).toMatchObject([{ parameter: 'velocity', reading: { value: 5, quality: 'GOOD' } }])
  })

  it('stops all axes at an emergency stop, under load', async () => {
    controller.receive(Buffer.from('1VA2;2VA2;3VA2\r'), seconds()) // ten seconds: none arrives before the others have begun
    const moves = AXES.map((axis) => problemOf(bench.ask(axis, { kind: 'move', to: 20, wait: true })))
    await until(() => controller.moving(1, seconds()) && controller.moving(2, seconds()) && controller.moving(3, seconds()))
    const report = await bench.host.emergencyStop(ADA, undefined, 0)
    for (const device of report.devices) {
      expect(device.confirmed).toBe(true)
      expect(device.sentMs).toBeLessThanOrEqual(device.confirmedMs ?? 0)
    }
    for (const problem of await Promise.all(moves)) expect(problem.code).toBe('EMERGENCY_STOPPED')
    for (const axis of [1, 2, 3] as const) expect(controller.moving(axis, seconds())).toBe(false)
  })

  it('comes back after its cable was pulled', async () => {
    await line.unplug()
    await until(() => AXES.every((axis) => bench.host.device(axis).reading('position')?.quality === 'STALE'))
    await line.plugIn()
    await bench.connected(...AXES)
    expect(bench.host.device('x').reading('position')).toMatchObject({ quality: 'GOOD' })
  })

  it("says in the instrument's words why it did not move", async () => {
    await bench.ask('x', { kind: 'set', name: 'motor_on', value: false })
    expect(await problemOf(bench.ask('x', { kind: 'move', to: 5, wait: true }))).toMatchObject({
      code: 'HARDWARE_FAULT',
      facts: { deviceId: 'x', instrumentCode: expect.any(String) },
    })
  })
})
