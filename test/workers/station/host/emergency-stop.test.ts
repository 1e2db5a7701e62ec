import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { EmergencyStopState } from '../../../../core/device.ts'
import { until } from '../../../until.ts'
import { ADA, type HostBench, never, openHostBench, problemOf, record } from './bench.ts'
import { Instrument, testDriver } from './test-driver.ts'

let left: Instrument
let right: Instrument
let meter: Instrument
let bench: HostBench

beforeEach(async () => {
  left = new Instrument()
  right = new Instrument()
  meter = new Instrument()
  left.unitsPerSecond = right.unitsPerSecond = 5
  bench = await openHostBench(
    [testDriver({ left, right, meter })],
    [
      record('left', 'test-bench', { address: 'left' }),
      record('right', 'test-bench', { address: 'right' }),
      record('meter', 'test-bench', { address: 'meter', moves: false }),
    ],
  )
  await bench.connected('left', 'right', 'meter')
})
afterEach(() => bench[Symbol.asyncDispose]())

describe('the emergency stop', () => {
  it('ends every move on every wire at once, and says when and what was confirmed', async () => {
    const moves = ['left', 'right'].map((id) => problemOf(bench.ask(id, { kind: 'move', to: 40, wait: true })))
    await until(() => left.moving && right.moving)
    const report = await bench.host.emergencyStop(ADA, 'smoke', 3)
    expect(left.moving || right.moving).toBe(false)
    expect([...left.heard, ...right.heard]).toEqual(['move 40', 'abort', 'move 40', 'abort'])
    expect(report.state).toMatchObject({ active: true, by: 'Ada', reason: 'smoke' })
    expect(report.devices).toHaveLength(2)
    for (const device of report.devices) {
      expect(device.confirmed).toBe(true)
      expect(device.sentMs).toBeGreaterThanOrEqual(3) // counted from the arrival at the api
      expect(device.sentMs).toBeLessThanOrEqual(device.confirmedMs ?? 0)
    }
    for (const problem of await Promise.all(moves)) expect(problem).toMatchObject({ code: 'EMERGENCY_STOPPED', effect: 'POSSIBLE' })
  })

  it('overtakes an exchange that hangs', async () => {
    left.silent.add('write')
    const setting = problemOf(bench.ask('left', { kind: 'set', name: 'gain', value: 5 }))
    await until(() => bench.journal.last > 0)
    const report = await bench.host.emergencyStop(ADA, undefined, 0)
    expect(report.devices.every(({ confirmed }) => confirmed)).toBe(true)
    expect(await setting).toMatchObject({ code: 'EMERGENCY_STOPPED' })
  })

  it('reaches a command that is still being accepted, also when it is released at once', async () => {
    const move = problemOf(bench.ask('left', { kind: 'move', to: 40, wait: true }))
    const stopping = bench.host.emergencyStop(ADA, 'smoke', 0)
    const released = bench.host.releaseEmergencyStop(ADA, 'all clear')
    await Promise.all([stopping, released])
    expect(await move).toMatchObject({ code: 'EMERGENCY_STOPPED' })
    expect(left.heard).not.toContain('move 40')
  })

  it('is not held up by a device that does not answer, and says which', async () => {
    left.silent.add('emergencyStop')
    right.go(40)
    const report = await bench.host.emergencyStop(ADA, undefined, 0)
    expect(right.moving).toBe(false)
    expect(report.devices.find(({ deviceId }) => deviceId === 'left')).toMatchObject({
      confirmed: false,
      problem: { code: 'HARDWARE_FAULT', facts: { deviceId: 'left' } },
    })
    expect(report.devices.find(({ deviceId }) => deviceId === 'right')).toMatchObject({ confirmed: true })
  })

  it('reaches a device that has come back and is still being read for the first time', async () => {
    left.unplug()
    await until(() => bench.host.device('left').state.connection === 'RECONNECTING')
    left.silent.add('read')
    const exchanges = vi.spyOn(left, 'exchange')
    left.plugged = true
    await until(() => exchanges.mock.calls.some(([name]) => name === 'read'))
    left.go(40) // at its panel
    const { devices } = await bench.host.emergencyStop(ADA, undefined, 0)
    expect(left.moving).toBe(false)
    expect(devices.find(({ deviceId }) => deviceId === 'left')).toMatchObject({ confirmed: true })
  })

  it('refuses everything that starts something until it is released, and nothing that stops or reads', async () => {
    await bench.host.emergencyStop(ADA, 'smoke', 0)
    left.heard.length = 0
    for (const call of [
      { kind: 'move', to: 1, wait: true },
      { kind: 'home', wait: true },
      { kind: 'set', name: 'gain', value: 1 },
    ] as const)
      expect(await problemOf(bench.ask('left', call))).toMatchObject({ code: 'EMERGENCY_STOPPED', effect: 'NONE', message: expect.stringContaining('by Ada') })
    expect(left.heard).toEqual([])
    expect(() => bench.host.claim('run-1', 1, ['left'])).toThrow(/emergency stop/)
    await bench.ask('left', { kind: 'stop' })
    await bench.ask('meter', { kind: 'read' })
    expect(await bench.host.releaseEmergencyStop(ADA, 'all clear')).toMatchObject({ active: false, by: 'Ada', reason: 'all clear' })
    await bench.ask('left', { kind: 'set', name: 'gain', value: 1 })
    expect(left.heard).toEqual(['stop', 'gain=1'])
  })

  it('is not undone by the release of an earlier one that is still on its way to the disk', async () => {
    await bench.host.emergencyStop(ADA, 'smoke', 0)
    const releasing = bench.host.releaseEmergencyStop(ADA, 'all clear')
    await bench.host.emergencyStop(ADA, 'fire', 0)
    expect(await releasing).toMatchObject({ active: true, reason: 'fire' })
    expect(await problemOf(bench.ask('left', { kind: 'move', to: 1, wait: true }))).toMatchObject({ code: 'EMERGENCY_STOPPED' })
    await bench.restart()
    expect(bench.host.stopState).toMatchObject({ active: true, reason: 'fire' })
  })

  it('tells the runs at once: their claims are over', async () => {
    await using claim = bench.host.claim('run-1', 1, ['left'])
    const told: EmergencyStopState[] = []
    bench.host.onEmergencyStop((state) => told.push(state))
    const stopping = bench.host.emergencyStop(ADA, undefined, 0)
    expect(told).toHaveLength(1)
    expect(claim.signal.reason).toMatchObject({ code: 'EMERGENCY_STOPPED' })
    await stopping
  })

  it('is told to who watches the station', async () => {
    const changes = bench.host.changes(never)[Symbol.asyncIterator]()
    await bench.host.emergencyStop(ADA, undefined, 0)
    await until(async () => {
      const { value } = await changes.next()
      return value?.kind === 'emergencyStop' && value.state.active
    })
  })

  it('stays over a restart of the station, and reaches what comes back', async () => {
    await bench.host.emergencyStop(ADA, 'smoke', 0)
    left.heard.length = 0
    await bench.restart()
    expect(bench.host.stopState).toMatchObject({ active: true, by: 'Ada', reason: 'smoke' })
    left.go(40) // moved on at the front panel meanwhile
    await bench.connected('left')
    expect(left.heard).toContain('abort')
    expect(await problemOf(bench.ask('left', { kind: 'move', to: 1, wait: true }))).toMatchObject({ code: 'EMERGENCY_STOPPED' })
    await bench.host.releaseEmergencyStop(ADA, undefined)
    await bench.restart()
    expect(bench.host.stopState.active).toBe(false)
  })
})
