import { afterEach, beforeEach, expect, test } from 'vitest'
import { thorlabsEll14 } from '../../../../drivers/thorlabs-ell14/driver.ts'
import { simulation } from '../../../../drivers/thorlabs-ell14/simulator.ts'
import { until } from '../../../until.ts'
import { ADA, type HostBench, never, openHostBench, problemOf, record } from './bench.ts'
import { type SimulatedLab, startSimulations } from './simulated-lab.ts'

/** Three mounts on one bus, as a station has them; their own time goes faster, the line keeps its pace. */
let lab: SimulatedLab
let bench: HostBench
let accepted: string[]
const MOUNTS = ['two', 'three', 'eight'] as const

beforeEach(async () => {
  accepted = []
  lab = await startSimulations({
    bus: { ...simulation, start: (options) => simulation.start({ ...options, timeFactor: 10, accepted: (command) => accepted.push(command) }) },
  })
  const settings = lab.running.get('bus')?.devices ?? []
  bench = await openHostBench(
    [thorlabsEll14],
    MOUNTS.map((name, at) => record(name, 'thorlabs-ell14', { ...settings[at], address: 'sim://bus' })),
    lab.folder,
  )
  await bench.connected(...MOUNTS)
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await lab[Symbol.asyncDispose]()
})

const invoke = (device: string, command: string, given: Record<string, string | number> = {}) =>
  bench.ask(device, { kind: 'invoke', command, arguments: given })
const position = (device: string): number => Number(bench.host.device(device).reading('position')?.value)
const now = async (device: string): Promise<unknown> => (await bench.host.device(device).readNow(['position'], never)).get('position')?.value

test('three mounts are told to move at once, two move together, and each answers from where it stands', async () => {
  const answers = await Promise.all(MOUNTS.map((name) => bench.ask(name, { kind: 'move', to: 90, wait: true })))
  for (const { state, results } of answers) {
    expect(state).toBe('DONE')
    expect(results[0]?.readings[0]?.reading.value).toBeCloseTo(90, 0)
  }
})

test('commands of its own are done when the mount is', async () => {
  await invoke('two', 'move_relative', { distance: 30 })
  expect(await now('two')).toBeCloseTo(30, 0)
  await invoke('two', 'jog_forward')
  expect(await now('two')).toBeCloseTo(75, 0)
  await invoke('three', 'search_resonance', { motor: 2 })
  const { results } = await invoke('three', 'current_curve', { motor: 2 })
  expect(results[0]?.value).toHaveLength(174)
  await invoke('three', 'isolate', { minutes: 10 })
  await until(() => bench.host.device('three').reading('position')?.quality === 'BAD')
  await invoke('three', 'isolate', { minutes: 0 })
  await until(() => bench.host.device('three').reading('position')?.quality === 'GOOD')
})

test('a group moves with its leader, and the station sees every member move', async () => {
  await invoke('three', 'join_group', { address: '2' })
  await bench.ask('two', { kind: 'move', to: 120, wait: true })
  await until(() => Math.abs(position('three') - 120) < 0.5)
  expect(position('eight')).toBeCloseTo(0, 0)
})

test('an emergency stop reaches every mount, also one whose bus is busy for seconds', async () => {
  const curve = problemOf(invoke('eight', 'current_curve', { motor: 1 }))
  await until(() => accepted.includes('8c1'))
  const { devices } = await bench.host.emergencyStop(ADA, undefined, 0)
  expect(devices.every(({ confirmed }) => confirmed)).toBe(true)
  expect((await curve).code).toBe('EMERGENCY_STOPPED')
})
