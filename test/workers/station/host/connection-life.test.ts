import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DRIVERS } from '../../../../drivers/catalog.ts'
import { simulation as esp300 } from '../../../../drivers/newport-esp300/simulator.ts'
import { SimulatedTerminal } from '../../../../drivers/simulation/simulated-terminal.ts'
import type { ByteInstrument } from '../../../../drivers/simulation/simulator.ts'
import { simulation as ell14 } from '../../../../drivers/thorlabs-ell14/simulator.ts'
import { writeEntry } from '../../../../local/lab/book.ts'
import { until } from '../../../until.ts'
import { type HostBench, openHostBench, problemOf, record } from './bench.ts'
import { type SimulatedLab, startSimulations } from './simulated-lab.ts'

/** Real drivers, real pseudo-terminals. */
let lab: SimulatedLab
let bench: HostBench
beforeEach(async () => {
  lab = await startSimulations({ esp300, ell14 })
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await lab[Symbol.asyncDispose]()
})

/** What the feed of events says of a device, in order. */
const said = async (deviceId: string): Promise<readonly string[]> =>
  (await bench.entries()).flatMap((entry) => (entry.type === 'event' && entry.event.deviceId === deviceId ? [entry.event.summary] : []))

test('every device of a cable that is pulled says that it reconnects, and that it is connected when the cable is back', async () => {
  const settings = lab.running.get('ell14')?.devices ?? []
  expect(settings.length).toBeGreaterThan(1)
  const ids = settings.map((_, at) => `module-${at}`)
  bench = await openHostBench(
    DRIVERS,
    settings.map((one, at) => record(ids[at] ?? '', 'thorlabs-ell14', { ...one, address: 'sim://ell14' })),
    lab.folder,
  )
  await bench.connected(...ids)
  await lab.running.get('ell14')?.unplug()
  await until(() => ids.every((id) => bench.host.device(id).state.connection === 'RECONNECTING'))
  const [first = ''] = ids
  expect(await problemOf(bench.ask(first, { kind: 'move', by: 1, wait: true }))).toMatchObject({ code: 'DEVICE_OFFLINE', effect: 'NONE' })
  await lab.running.get('ell14')?.plugIn()
  await bench.connected(...ids)
  for (const id of ids) {
    const lines = await said(id)
    expect(lines.map((line) => /is (\w+)/.exec(line)?.[1])).toEqual(['connected', 'reconnecting', 'connected'])
    expect(lines[1]).toMatch(/reconnecting: .*ell14/)
  }
})

test('a wrong identity is refused by name, again and again, until the right instrument is there', async () => {
  // A controller of the same maker, where the ESP300 used to be.
  const smc: ByteInstrument = {
    receive: () => Buffer.from('SMC100 Version 1.0\r\n'),
    foreign: () => Buffer.from('?\r\n'),
    errors: [],
    provoke: () => undefined,
  }
  const linkPath = join(lab.folder, 'other.tty')
  await using other = new SimulatedTerminal({ instrument: smc, baudRate: 19_200, linkPath, seconds: () => performance.now() / 1000 })
  await other.plugIn()
  await writeEntry(lab.folder, 'other', { kind: 'serial', path: linkPath })
  const axis = (name: string, version: number) => record('axis', 'newport-esp300', { address: `sim://${name}`, axis: 1, flowControl: 'none' }, version)
  bench = await openHostBench(DRIVERS, [axis('other', 1)], lab.folder)
  await until(() => bench.host.device('axis').state.connection === 'FAILED', { deadlineMs: 20_000 })
  const { connectionReason, status } = bench.host.device('axis').state
  expect(connectionReason).toMatch(/SMC100 Version 1.0.*not an ESP300/)
  expect(status).toMatchObject({ code: 'ERROR', text: connectionReason })
  expect(await said('axis')).toEqual([`axis is failed: ${connectionReason}`])
  bench.registry = [axis('esp300', 2)]
  await bench.host.syncDevices()
  await bench.connected('axis')
  expect(bench.host.device('axis').state.identity).toMatch(/^ESP300/)
})
