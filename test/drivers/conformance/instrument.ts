import type { DeviceSettings } from '../../../core/device.ts'
import { builtInDriver } from '../../../drivers/catalog/built-in.ts'
import type { DeviceHandle, Driver, DriverContext, DriverPort } from '../../../drivers/driver.ts'
import type { RunningSimulation, Simulation } from '../../../drivers/simulation/simulation.ts'
import { writeEntry } from '../../../local/lab/book.ts'
import { never, openBench } from '../bench.ts'
import { within } from './within.ts'

/** What the suite is run over: an instrument and the driver that claims it. Simulated ones can be told to fail; real ones cannot. */
export interface Instrument extends AsyncDisposable {
  readonly driver: Driver
  /** Of each of its devices, the address included. */
  readonly settings: readonly DeviceSettings[]
  readonly context: DriverContext
  /** Commands that the simulated instrument accepted; undefined for a real one, whose mind is its own. */
  readonly accepted?: readonly string[]
  readonly simulation?: RunningSimulation
}

export interface SimulatedInstrument extends Instrument {
  readonly accepted: string[]
  readonly simulation: RunningSimulation
}

export type Pace = { readonly lineFactor?: number; readonly timeFactor?: number }

const FAST_LINE = 50 // of the real rate: the time on the wire is not what is looked at here
const SEED = 20_260

/** The simulation on its own transport, in a folder of its own. */
export async function startSimulated(
  simulation: Simulation,
  pace: Pace = {},
  driver: Driver | undefined = builtInDriver(simulation.driverId),
): Promise<SimulatedInstrument> {
  if (driver === undefined) throw new Error(`no driver is called ${simulation.driverId}`)
  const bench = await openBench()
  const accepted: string[] = []
  try {
    const running = await simulation.start({
      folder: bench.folder,
      name: 'subject',
      seed: SEED,
      lineFactor: FAST_LINE,
      ...pace,
      accepted: (command) => accepted.push(command),
    })
    await writeEntry(bench.folder, 'subject', running.entry)
    return {
      driver,
      accepted,
      simulation: running,
      context: bench.context,
      settings: running.devices.map((settings) => ({ ...settings, address: 'sim://subject' })),
      [Symbol.asyncDispose]: async () => {
        await running[Symbol.asyncDispose]()
        await bench[Symbol.asyncDispose]()
      },
    }
  } catch (error) {
    await bench[Symbol.asyncDispose]()
    throw error
  }
}

export type Opened = AsyncDisposable & { readonly port: DriverPort; readonly devices: readonly DeviceHandle[]; readonly device: DeviceHandle }

/** Opening is work, what follows is mostly waiting: so many at once leave every instrument and driver of this process time to answer. */
const OPENING_AT_ONCE = 6
let opening = 0
const waiting: (() => void)[] = []

/** Every device of the instrument on its one port, or the first `count`. */
export function openDevices(instrument: Instrument, count = instrument.settings.length): Promise<Opened> {
  return inTurn(() => openNow(instrument, count))
}

/** Not more of this kind at once than the process can serve in time. */
export async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (opening >= OPENING_AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
  opening += 1
  try {
    return await work()
  } finally {
    opening -= 1
    waiting.shift()?.()
  }
}

async function openNow(instrument: Instrument, count: number): Promise<Opened> {
  const { driver, context } = instrument
  const [first, ...others] = instrument.settings.slice(0, count)
  if (first === undefined) throw new Error(`${driver.id} has no device to open`)
  const port = await within('opening the port', driver.openPort(first, context, never))
  const devices: DeviceHandle[] = []
  const close = async (): Promise<void> => {
    for (const device of devices) await within('closing a device', device[Symbol.asyncDispose]())
    await within('closing the port', port[Symbol.asyncDispose]())
  }
  try {
    const device = await within('opening a device', driver.openDevice(port, first, context, never))
    devices.push(device)
    for (const settings of others) devices.push(await within('opening a device', driver.openDevice(port, settings, context, never)))
    return { port, device, devices, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
