import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { DeviceSettings } from '../core/device.ts'
import type { ParameterValue } from '../core/reading.ts'
import { resolveAddress } from '../drivers/address.ts'
import { builtInDriver } from '../drivers/catalog/built-in.ts'
import type { DeviceHandle, DriverContext } from '../drivers/driver.ts'
import { AFTER_SET_MS } from '../drivers/newport-1830c/protocol.ts'
import { GAP_MS } from '../drivers/newport-esp300/port.ts'
import type { RunningSimulation, Simulation } from '../drivers/simulation/simulation.ts'
import { SIMULATIONS } from '../drivers/simulations.ts'
import { LINKS } from '../drivers/spectra-physics-maitai/settings.ts'
import { openSerial } from '../drivers/transport/byte-transport.ts'
import { writeEntry } from '../local/lab/book.ts'
import { say } from './report.ts'

/**
 * Questions and commands per second on each simulated serial line, through the driver and its line on a real pseudo-terminal at the pace of the baud rate,
 * against what that rate allows: ten bits for each byte that went over the line in the same run, plus the pauses that the instrument's documents ask for
 * (a pause runs from when the operating system has the bytes, so a set can be faster by the time of its own few).
 * Beside it, the same questions by a bare loop on the same port, without driver, queue or checks: what this machine and its pseudo-terminals reach at all.
 * `npm run bench:serial [-- <driver> …]`
 */
const SECONDS = 3
const WARM_UP = 3
const BITS_PER_BYTE = 10
const LINE_END = 10 // LF
const never = new AbortController().signal

/** What a driver is timed with; one that is not named here is asked for its first polled parameter. `bare`: what reading it puts on the line. */
type Work = {
  readonly read: string
  readonly bare?: readonly string[]
  /** After each reading, as the manual asks for. */
  readonly pauseMs?: number
  readonly set?: { readonly name: string; readonly values: readonly [ParameterValue, ParameterValue]; readonly pauseMs: number }
}
const WORK: Readonly<Record<string, Work>> = {
  'newport-esp300': { read: 'position', bare: ['1TP?\r'], set: { name: 'velocity', values: [10, 11], pauseMs: GAP_MS } },
  'newport-1830c': { read: 'power', bare: ['D?\n', 'U?\n', 'Q?\n'], set: { name: 'wavelength', values: [800, 801], pauseMs: AFTER_SET_MS } },
  'spectra-physics-maitai': {
    read: 'power',
    bare: ['read:pow?\n'],
    set: { name: 'wavelength_setpoint', values: [820, 821], pauseMs: LINKS.usb.afterSetMs },
  },
  // Its manual asks for 50 ms after each message; a set is four: the command, *OPC?, *ESR? and the read-back.
  'lakeshore-336': { read: 'heater_1', bare: ['HTR? 1\r\n'], pauseMs: 50, set: { name: 'setpoint_1', values: [77, 78], pauseMs: 4 * 50 } },
}

const wanted = process.argv.slice(2)
const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-bench-'))
try {
  for (const simulation of SIMULATIONS) if (wanted.length === 0 || wanted.includes(simulation.driverId)) await benchmark(simulation)
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function benchmark(simulation: Simulation): Promise<void> {
  const name = simulation.driverId
  const driver = builtInDriver(name)
  await using running = await simulation.start({ folder, name, seed: 1 })
  if (driver === undefined || running.wire === undefined) return // not a serial line
  await writeEntry(folder, name, running.entry)
  const settings: DeviceSettings = { ...running.devices[0], address: `sim://${name}` }
  const work = WORK[name]
  if (work?.bare !== undefined) await timeBare(`${name}: the same questions by a bare loop`, running, work.bare)
  await using port = await driver.openPort(settings, context(), never)
  await using device = await driver.openDevice(port, settings, context(), never)
  await timeDriver(name, running, device, work ?? usual(device))
}

async function timeDriver(name: string, running: RunningSimulation, device: DeviceHandle, work: Work | undefined): Promise<void> {
  if (work === undefined) return say(`${name}: nothing of it is read regularly`)
  await report(`${name}: read ${work.read}`, running, work.pauseMs ?? 0, async () => {
    const reading = (await device.read([work.read], never)).get(work.read)
    if (reading === undefined || 'bad' in reading) throw new Error(`${work.read} of ${name} is bad: ${reading?.bad}`)
  })
  const { set } = work
  if (set === undefined) return
  let turn = 0
  await report(`${name}: set ${set.name}, with its confirmation`, running, set.pauseMs, async () => {
    turn += 1
    await device.write?.(set.name, set.values[turn % 2 === 0 ? 0 : 1], never)
  })
}

/** Writes a question, waits for the end of a line, and writes the next. */
async function timeBare(what: string, running: RunningSimulation, questions: readonly string[]): Promise<void> {
  if (running.entry.kind !== 'serial' || running.wire === undefined) return
  await using port = await openSerial({ path: running.entry.path, baudRate: running.wire.baudRate, flowControl: 'none' }, never)
  let answered: (() => void) | undefined
  port.onBytes((bytes) => {
    if (bytes.includes(LINE_END)) answered?.()
  })
  await report(what, running, 0, async () => {
    for (const question of questions) {
      await new Promise<void>((resolve, reject) => {
        answered = resolve
        port.write(Buffer.from(question, 'latin1')).catch(reject)
      })
    }
  })
}

function usual(device: DeviceHandle): Work | undefined {
  const polled = device.parameters.find(({ access, pollMs }) => access !== 'WRITE_ONLY' && pollMs !== undefined)
  return polled && { read: polled.name }
}

async function report(what: string, running: RunningSimulation, pauseMs: number, once: () => Promise<void>): Promise<void> {
  for (let count = 0; count < WARM_UP; count += 1) await once()
  const before = running.wire
  const startMs = performance.now()
  let count = 0
  while (performance.now() - startMs < SECONDS * 1000) {
    await once()
    count += 1
  }
  const seconds = (performance.now() - startMs) / 1000
  const after = running.wire
  if (before === undefined || after === undefined) return
  const bytes = (after.bytes - before.bytes) / count
  const boundPerSecond = 1 / ((bytes * BITS_PER_BYTE) / after.baudRate + pauseMs / 1000)
  const perSecond = count / seconds
  say(
    `${what}: ${perSecond.toFixed(1)} per second; ${bytes.toFixed(1)} bytes each at ${after.baudRate} baud` +
      `${pauseMs > 0 ? ` and ${pauseMs} ms of pause` : ''} allow ${boundPerSecond.toFixed(1)}: ${((100 * perSecond) / boundPerSecond).toFixed(0)} % of the bound`,
  )
}

function context(): DriverContext {
  return {
    clock: { wallNs: () => BigInt(Date.now()) * 1_000_000n, monotonicNs: () => process.hrtime.bigint() },
    resolve: (address) => resolveAddress(address, folder),
    log: say,
    workFolder: folder,
  }
}
