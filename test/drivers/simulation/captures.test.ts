import { afterEach, beforeEach, expect, test } from 'vitest'
import { SIMULATIONS } from '../../../drivers/simulations.ts'
import { openSerial } from '../../../drivers/transport/byte-transport.ts'
import { until } from '../../until.ts'
import { type Bench, never, openBench } from '../bench.ts'

/** What was recorded from real instruments: an outside program gets the same bytes from the simulated one, no faster than the line carries them. */

const BITS_PER_BYTE = 10
const TIMER_MS = 2 // a timer may be early by one, at each end
const MAITAI = 'Spectra Physics,MaiTai,3227/51054/40856,0245-2.00.34 / CD00000019 / 214-00.004.057\n'

let bench: Bench
beforeEach(async () => {
  bench = await openBench()
})
afterEach(() => bench[Symbol.asyncDispose]())

test.each([
  { driverId: 'newport-esp300', baudRate: 19_200, sent: '*IDN?\r\n', heard: 'ESP300 Version 3.04 07/27/01\r\n' },
  { driverId: 'newport-esp300', baudRate: 19_200, sent: '1ID?\r', heard: 'TS50DC.5, SN1263\r\n' },
  { driverId: 'newport-1830c', baudRate: 9600, sent: 'W?\n', heard: '0800\n' },
  { driverId: 'spectra-physics-maitai', baudRate: 115_200, sent: '*IDN?\n', heard: MAITAI },
  { driverId: 'spectra-physics-maitai', variant: 'rs232', baudRate: 9600, sent: '*IDN?\r', heard: MAITAI, takesMs: 2000 },
  { driverId: 'thorlabs-ell14', baudRate: 9600, sent: '2in', heard: '2IN0E1140051720231701016800023000\r\n' },
  { driverId: 'thorlabs-ell14', baudRate: 9600, sent: '3in', heard: '3IN0E1140028420211501016800023000\r\n' },
  { driverId: 'thorlabs-ell14', baudRate: 9600, sent: '8in', heard: '8IN0E1140060920231701016800023000\r\n' },
  { driverId: 'thorlabs-ell14', baudRate: 9600, sent: '2i1', heard: '2I1100B85FFFFFFFF00B7008D\r\n' },
])('$driverId at $baudRate baud answers $sent', async ({ driverId, variant, baudRate, sent, heard, takesMs = 0 }) => {
  const simulation = SIMULATIONS.find((each) => each.driverId === driverId)
  if (simulation === undefined) throw new Error(`there is no simulation of ${driverId}`)
  await using running = await simulation.start({ folder: bench.folder, name: 'subject', seed: 1, ...(variant !== undefined && { variant }) })
  const { entry } = running
  if (entry.kind !== 'serial') throw new Error(`${driverId} is on no serial line`)
  await using port = await openSerial({ path: entry.path, baudRate, flowControl: 'none' }, never)
  let bytes = ''
  port.onBytes((more) => {
    bytes += Buffer.from(more).toString('latin1')
  })
  const askedMs = performance.now()
  await port.write(Buffer.from(sent, 'latin1'))
  await until(() => bytes.length >= heard.length, { everyMs: 1 })
  const tookMs = performance.now() - askedMs
  expect(bytes).toBe(heard)
  const command = sent.replace(/\n$/, '') // a CR ends one, whatever follows
  expect(tookMs).toBeGreaterThan(((command.length + heard.length) * BITS_PER_BYTE * 1000) / baudRate + takesMs - TIMER_MS)
})
