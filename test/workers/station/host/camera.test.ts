import { afterEach, beforeEach, expect, it } from 'vitest'
import { pvcamCamera } from '../../../../drivers/pvcam-camera/driver.ts'
import { simulation } from '../../../../drivers/pvcam-camera/simulator.ts'
import { type HostBench, openHostBench, record } from './bench.ts'
import { type SimulatedLab, startSimulations } from './simulated-lab.ts'

let lab: SimulatedLab
let bench: HostBench
beforeEach(async () => {
  lab = await startSimulations({ pvcam: simulation })
  bench = await openHostBench([pvcamCamera], [record('camera', 'pvcam-camera', { address: 'sim://pvcam' })], lab.folder)
  await bench.connected('camera')
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await lab[Symbol.asyncDispose]()
})

it('region and binning that a camera is configured with are readings, and changes with their cause', async () => {
  await bench.ask('camera', { kind: 'configureCamera', roi: { x: 8, y: 4, width: 64, height: 32 }, binning: 2 })
  const camera = bench.host.device('camera')
  expect([camera.reading('roi')?.value, camera.reading('binning')?.value]).toEqual(['8,4,64,32', '2x2'])
  const changes = (await bench.entries()).flatMap((note) => (note.type === 'change' ? [note] : []))
  expect(changes.map(({ parameter, old, new: next }) => [parameter, old?.value, next.value])).toEqual([
    ['roi', '0,0,512,512', '8,4,64,32'],
    ['binning', '1x1', '2x2'],
  ])
  expect(changes.every(({ cause }) => cause.kind === changes[0]?.cause.kind)).toBe(true)
})

it('what depends on a set is described anew to everybody', async () => {
  await bench.ask('camera', { kind: 'set', name: 'speed_mode', value: '100 MHz' })
  expect(bench.host.device('camera').spec('gain_mode').choices).toEqual(['HDR', 'CMS'])
})
