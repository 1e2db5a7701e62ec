import { afterEach, beforeEach, expect, test } from 'vitest'
import { DRIVERS } from '../../../../drivers/catalog.ts'
import { simulation } from '../../../../drivers/thorlabs-ell14/simulator.ts'
import { ADA, type HostBench, never, openHostBench, record } from './bench.ts'
import { type SimulatedLab, startSimulations } from './simulated-lab.ts'

/** Three modules on one bus: the real driver, a real pseudo-terminal, the line's own pace. */
let lab: SimulatedLab
let bench: HostBench
const [greedy, modest, third] = ['greedy', 'modest', 'third'] as const
beforeEach(async () => {
  lab = await startSimulations({ bus: simulation })
  const settings = lab.running.get('bus')?.devices ?? []
  bench = await openHostBench(
    DRIVERS,
    [greedy, modest, third].map((name, at) => record(name, 'thorlabs-ell14', { ...settings[at], address: 'sim://bus' })),
    lab.folder,
  )
  await bench.connected(greedy, modest, third)
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await lab[Symbol.asyncDispose]()
})

test('a device that asks much does not keep its neighbours on the bus waiting, and a stop waits for nobody', async () => {
  const busy = bench.host.device(greedy)
  const asked = 100
  let answered = 0
  const flood = Array.from({ length: asked }, async () => {
    const answer = (await busy.readNow(['position'], never)).get('position')
    if (answer?.quality === 'GOOD') answered += 1
    return answer
  })
  const reading = await bench.host.device(modest).readNow(['position'], never)
  expect(reading.get('position')?.quality).toBe('GOOD')
  expect(answered).toBeLessThan(asked / 4) // its turn came among the first, not behind all of them

  const { devices } = await bench.host.emergencyStop(ADA, undefined, 0)
  expect(devices.map(({ deviceId, confirmed }) => [deviceId, confirmed]).sort()).toEqual([
    [greedy, true],
    [modest, true],
    [third, true],
  ])
  const unanswered = (await Promise.all(flood)).filter((answer) => answer?.quality !== 'GOOD')
  expect(unanswered.length).toBeGreaterThan(asked / 2)
  expect(unanswered.at(-1)).toMatchObject({ quality: 'BAD', reason: expect.stringContaining('emergency stop') })
})
