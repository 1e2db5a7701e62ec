import { describe, expect, test } from 'vitest'
import type { ParameterSpec } from '../../../../core/parameter.ts'
import type { BoundPlan } from '../../../../core/plan.ts'
import type { DeviceHandle } from '../../../../drivers/driver.ts'
import type { HostedDevice } from '../../../../workers/station/host/hosted-device.ts'
import { bindPlan } from '../../../../workers/station/runs/bound-plan.ts'
import { checkTargets, readOrigins } from '../../../../workers/station/runs/targets.ts'

const never = new AbortController().signal
const POSITION: ParameterSpec = { name: 'position', description: '', kind: 'FLOAT', access: 'READ_ONLY', unit: 'mm', deadband: 0.0005 }
const unused = async (): Promise<never> => {
  throw new Error('nothing is moved here')
}

/** An axis from 0 to 25 mm that stands where it is told. */
function axisAt(position: number): HostedDevice {
  const motion = {
    unit: 'mm',
    positionParameter: 'position',
    limits: () => ({ minimum: 0, maximum: 25 }),
    moveTo: unused,
    home: unused,
    isMoving: async () => false,
    homed: () => true,
    stop: unused,
  }
  const handle: DeviceHandle = {
    identity: 'axis',
    parameters: [POSITION],
    read: unused,
    motion,
    readout: { parameter: 'position' },
    [Symbol.asyncDispose]: async () => undefined,
  }
  const reading = { time: 1n, quality: 'GOOD', value: position } as const
  return {
    record: { id: 'x', name: 'x', driverId: 'd', stationId: 's', settings: {}, version: 1 },
    driver: undefined,
    handle,
    get state(): never {
      throw new Error('not asked')
    },
    stops: 0,
    spec: () => POSITION,
    reading: () => reading,
    setpoint: () => undefined,
    readNow: async () => new Map([['position', reading]]),
    set: unused,
    moveTo: unused,
    home: unused,
    stop: unused,
    settled: unused,
    arrived: unused,
  }
}

function scan(start: number, stop: number, more: { relative?: boolean; unit?: string; num?: number; after?: 'STAY' | 'RETURN' } = {}): BoundPlan {
  const { relative = false, unit, num = 3, after = 'STAY' } = more
  const axes = [{ role: 'x', start, stop, relative, ...(unit !== undefined && { unit }) }]
  return { type: 'linearScan', arguments: { axes, num, detectors: [{ role: 'x' }], after }, bindings: [{ role: 'x', deviceId: 'x' }] }
}

async function check(plan: BoundPlan, position = 10): Promise<readonly number[]> {
  const run = bindPlan(plan, { devices: new Map([['x', axisAt(position)]]) })
  const origins = await readOrigins(run, never)
  await checkTargets(run, origins, never)
  return origins
}

describe('a plan is walked before anything moves', () => {
  test('in the unit of the plan', async () => {
    expect(await check(scan(0, 2.5, { unit: 'cm' }))).toEqual([1])
    await expect(check(scan(0, 2.6, { unit: 'cm' }))).rejects.toMatchObject({
      code: 'LIMIT_VIOLATION',
      facts: { given: 26, maximum: 25, unit: 'mm', deviceId: 'x' },
    })
    await expect(check(scan(0, 1, { unit: 'W' }))).rejects.toMatchObject({ code: 'INCOMPATIBLE_UNIT' })
  })

  test('relative to where the axis stands', async () => {
    await check(scan(-10, 15, { relative: true }))
    await expect(check(scan(-10, 16, { relative: true }))).rejects.toMatchObject({ code: 'LIMIT_VIOLATION', facts: { given: 26 } })
  })

  test('with each place that is wrong, the first ten of them', async () => {
    const rejected = check(scan(20, 200, { num: 1000 })).catch((error: unknown) => error)
    expect(await rejected).toMatchObject({ code: 'PLAN_REJECTED', facts: { reasons: expect.objectContaining({ length: 10 }) } })
  })

  test('to its end, also when that is far away, without holding the process up', async () => {
    let turns = 0
    const counting = setInterval(() => (turns += 1), 1)
    await check(scan(0, 25, { num: 300_000 }))
    clearInterval(counting)
    expect(turns).toBeGreaterThan(5)
  })

  test('an axis that rests on its limit may come back to it, noise or not', async () => {
    expect(await check(scan(1, 2, { after: 'RETURN' }), -0.00004)).toEqual([0])
    expect(await check(scan(1, 2, { after: 'RETURN' }), 25.0003)).toEqual([25])
    await expect(check(scan(1, 2, { after: 'RETURN' }), -0.1)).rejects.toMatchObject({ code: 'LIMIT_VIOLATION' })
  })
})

test('an axis that is also a detector has one column', () => {
  const { columns } = bindPlan(scan(0, 1), { devices: new Map([['x', axisAt(0)]]) })
  expect(columns.map(({ name }) => name)).toEqual(['time', 'seq_num', 'x', 'x_setpoint'])
})
