import { afterEach, beforeEach, expect, test } from 'vitest'
import { bindPlan } from '../../../../workers/station/runs/bound-plan.ts'
import { measureRow } from '../../../../workers/station/runs/measure.ts'
import { settle } from '../../../../workers/station/runs/settle.ts'
import { checkTargets } from '../../../../workers/station/runs/targets.ts'
import { until } from '../../../until.ts'
import { type HostBench, never, openHostBench, record } from '../host/bench.ts'
import { Laser, laserDriver } from '../host/laser-driver.ts'

let laser: Laser
let bench: HostBench
beforeEach(async () => {
  laser = new Laser()
  bench = await openHostBench([laserDriver({ laser })], [record('laser', 'test-laser', { address: 'laser' })])
  await bench.connected('laser')
})
afterEach(() => bench[Symbol.asyncDispose]())

const scanOf = (parameter: string | undefined, start: number, stop: number) =>
  bindPlan(
    {
      type: 'linearScan',
      arguments: {
        axes: [{ role: 'source', start, stop, relative: false, ...(parameter !== undefined && { parameter }) }],
        num: 3,
        detectors: [{ role: 'source', parameters: ['shutter'] }],
        after: 'STAY',
      },
      bindings: [{ role: 'source', deviceId: 'laser' }],
    },
    bench.host,
  )

test.each([undefined, 'wavelength', 'wavelength_setpoint'])(
  'a scan of a wavelength (named %s) sets the setpoint, waits until the laser has arrived, and records where it is',
  async (parameter) => {
    const bound = scanOf(parameter, 700, 1000)
    const [axis] = bound.axes
    if (axis === undefined) throw new Error('no axis')
    expect([axis.sets.name, axis.spec.name, axis.unit]).toEqual(['wavelength_setpoint', 'wavelength', 'nm'])
    expect(bound.columns.map(({ name }) => name)).toEqual(['time', 'seq_num', 'laser_wavelength', 'laser_wavelength_setpoint', 'laser_shutter'])
    await checkTargets(bound, [800], never)

    await axis.device.set(axis.sets.name, 850, axis.unit, { cause: { kind: 'PLAN' } }, never)
    let settled = false
    const settling = settle([{ axis, value: 850, stops: axis.device.stops }], { tolerance: 0.5 }, never).then(() => (settled = true))
    const { asked } = laser
    await until(() => laser.asked > asked + 2)
    expect(settled).toBe(false)
    laser.arrive()
    laser.wavelengthNm = 849.8
    await settling
    const row = await measureRow(bound, 1, [850], { wallNs: () => 0n, monotonicNs: () => 0n }, never)
    expect(row.slice(2)).toEqual([849.8, 850, false])
  },
)

test('its limits are those of the setpoint', async () => {
  await expect(checkTargets(scanOf('wavelength', 600, 1000), [800], never)).rejects.toMatchObject({ code: 'LIMIT_VIOLATION' })
})

test('a laser that does not get there ends the point with its own word', async () => {
  const [axis] = scanOf(undefined, 700, 1000).axes
  if (axis === undefined) throw new Error('no axis')
  laser.fault = 'E7'
  await axis.device.set(axis.sets.name, 850, axis.unit, { cause: { kind: 'PLAN' } }, never)
  await expect(settle([{ axis, value: 850, stops: 0 }], {}, never)).rejects.toMatchObject({ facts: { instrumentCode: 'E7' } })
})
