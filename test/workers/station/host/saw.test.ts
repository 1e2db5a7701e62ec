import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SimulatedRegisters } from '../../../../drivers/simulation/simulated-registers.ts'
import { smartSaw } from '../../../../drivers/smart-saw/driver.ts'
import { COMMAND } from '../../../../drivers/smart-saw/protocol.ts'
import { SmartSawSimulator } from '../../../../drivers/smart-saw/simulator.ts'
import { writeEntry } from '../../../../local/lab/book.ts'
import { until } from '../../../until.ts'
import { ADA, type HostBench, openHostBench, problemOf, record } from './bench.ts'

/** The saw behind its register profile, as a station has it: the real driver on a real Modbus TCP port. */
let lab: string
let saw: SmartSawSimulator
let port: SimulatedRegisters
let bench: HostBench
let accepted: string[]
const seconds = (): number => performance.now() / 1000
const reading = (name: string) => bench.host.device('saw').reading(name)

beforeEach(async () => {
  lab = await mkdtemp(join(tmpdir(), 'host-saw-'))
  accepted = []
  saw = new SmartSawSimulator({ random: () => 0.5, accepted: (command) => accepted.push(command) })
  port = new SimulatedRegisters({ instrument: saw, host: '127.0.0.1', port: 0, seconds })
  await port.plugIn()
  await writeEntry(lab, 'saw', { kind: 'tcp', host: '127.0.0.1', port: port.port })
  bench = await openHostBench([smartSaw], [record('saw', 'smart-saw', { address: 'sim://saw' })], lab)
  await bench.connected('saw')
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await port[Symbol.asyncDispose]()
  await rm(lab, { recursive: true })
})

it('is polled, and an out-of-range speed or a wrong unit never reaches the wire', async () => {
  await until(() => reading('state')?.value === 'idle')
  expect((await problemOf(bench.ask('saw', { kind: 'set', name: 'cutting_speed_target', value: 91 }))).code).toBe('LIMIT_VIOLATION')
  expect((await problemOf(bench.ask('saw', { kind: 'set', name: 'cutting_speed_target', value: 60, unit: 'bar' }))).code).toBe('INCOMPATIBLE_UNIT')
  expect(accepted).toEqual([])
  const answer = await bench.ask('saw', { kind: 'set', name: 'descent_speed_target', value: 0.5, unit: 'mm/s' })
  expect(answer.results[0]?.readings).toMatchObject([{ parameter: 'descent_speed_target', reading: { value: 30, quality: 'GOOD' } }])
  expect(accepted).toEqual(['2041=3000'])
})

it('starts by its command, alarms, is reset by another, and stands after an emergency stop', async () => {
  await bench.ask('saw', { kind: 'invoke', command: 'cut_start', arguments: {} })
  await until(() => reading('state')?.value === 'hydraulics active')
  saw.provoke('pulley-cover-open', seconds())
  await until(() => reading('alarms')?.value === 'pulley cover open')
  await bench.ask('saw', { kind: 'invoke', command: 'reset', arguments: {} })
  await until(() => reading('alarms')?.value === 'none')
  await bench.ask('saw', { kind: 'invoke', command: 'cut_start', arguments: {} })
  const report = await bench.host.emergencyStop(ADA, undefined, 0)
  expect(report.devices).toMatchObject([{ confirmed: true }])
  expect(accepted).toContain(`20=${COMMAND.cutCancel}`)
  expect(saw.state).toBe('idle')
})

it('is stale while its link is down, and comes back by itself', async () => {
  await until(() => reading('head_height')?.quality === 'GOOD')
  await port.unplug()
  await until(() => reading('head_height')?.quality === 'STALE')
  expect(bench.host.device('saw').state.connection).toBe('RECONNECTING')
  await port.plugIn()
  await bench.connected('saw')
  expect(reading('head_height')).toMatchObject({ quality: 'GOOD', value: 70 })
})
