import { expect, test, vi } from 'vitest'
import { SimulatedRegisters } from '../../../drivers/simulation/simulated-registers.ts'
import { smartSaw } from '../../../drivers/smart-saw/driver.ts'
import { COMMAND } from '../../../drivers/smart-saw/protocol.ts'
import { SmartSawSimulator } from '../../../drivers/smart-saw/simulator.ts'
import { writeEntry } from '../../../local/lab/book.ts'
import { never, open, openBench } from '../bench.ts'

/** Node's timers end up to a millisecond too early; these do always, and by more. */
vi.mock('node:timers/promises', async (original) => {
  const real = await original<typeof import('node:timers/promises')>()
  const early: typeof real.setTimeout = (ms = 0, value, options) => real.setTimeout(Math.max(0, ms - 50), value, options)
  return { ...real, setTimeout: early }
})

test('the device sees a button held for no less than its profile says, whenever the timer ends', async () => {
  const accepted: { readonly command: string; readonly atMs: number }[] = []
  const saw = new SmartSawSimulator({ random: () => 0.5, accepted: (command) => accepted.push({ command, atMs: performance.now() }) })
  await using server = new SimulatedRegisters({ instrument: saw, host: '127.0.0.1', port: 0, seconds: () => performance.now() / 1000 })
  await server.plugIn()
  await using bench = await openBench()
  await writeEntry(bench.folder, 'saw', { kind: 'tcp', host: '127.0.0.1', port: server.port })
  await using opened = await open(smartSaw, { address: 'sim://saw' }, bench.context)
  await opened.device.commands?.invoke('reset', {}, never)
  const [pressed, letGo] = accepted
  expect([pressed?.command, letGo?.command]).toEqual([`20=${COMMAND.reset}`, '20=0'])
  expect((letGo?.atMs ?? 0) - (pressed?.atMs ?? 0)).toBeGreaterThanOrEqual(1500)
})
