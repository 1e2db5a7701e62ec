import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../../../harness/database.ts'
import { until } from '../../../until.ts'
import { withKilledStation } from './killed-station.ts'
import { RunLab, startRunStation } from './run-lab.ts'

let server: TestDatabase
let lab: RunLab
beforeAll(async () => {
  server = await startTestDatabase()
  lab = await RunLab.open(server, { names: ['stage-x', 'power-meter'] })
})
afterAll(async () => {
  await lab[Symbol.asyncDispose]()
  await server.stop()
})

test('kill -9 of a station whose axis is under way: the axis goes on alone, is stopped by the one that comes back, and the feed says so', async () => {
  const accepted = async (): Promise<readonly string[]> =>
    (await readFile(join(lab.paths.labDir, 'esp300.log'), 'utf8').catch(() => '')).split('\n').map((line) => line.split(' ').at(-1) ?? '')
  await lab.station[Symbol.asyncDispose]()
  lab.lab.esp300.instrument.receive(Buffer.from('1VA0.5\r'), performance.now() / 1000) // it is under way for longer than a station needs to come back
  await withKilledStation(lab.paths, async () => {
    await lab.queue({
      type: 'linearScan',
      arguments: { axes: [{ role: 'stage-x', start: 24, stop: 1, relative: false }], num: 2, detectors: [{ role: 'power-meter' }], after: 'STAY' },
    })
    await until(async () => (await accepted()).some((command) => command.startsWith('1PA24')), { what: 'the axis to be sent off' })
  })
  expect(await accepted()).not.toContain('1ST')

  lab.station = await startRunStation(lab.paths)
  const device = lab.station.host.device(lab.deviceId('stage-x'))
  expect(device.state.motion?.moving).toBe(false)
  expect(device.reading('position')?.value).toBeLessThan(24)
  expect(await accepted()).toContain('1ST')
  await lab.station.shipper.caughtUp(AbortSignal.timeout(30_000))
  const told = (await lab.database.prisma.event.findMany()).map(({ summary }) => summary)
  expect(told).toContain('stage-x was stopped, because its station had been lost')
  expect(told).toContain('The station is back: it was lost, and did not end in order')
}, 120_000)
