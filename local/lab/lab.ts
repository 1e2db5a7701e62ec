import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../core/errors.ts'
import type { BookEntry } from '../../drivers/address.ts'
import { Newport1830cSimulator } from '../../drivers/newport-1830c/simulator.ts'
import { Esp300Simulator } from '../../drivers/newport-esp300/simulator.ts'
import { simulatorLibrary } from '../../drivers/pvcam-camera/simulator.ts'
import { seededRandom } from '../../drivers/simulation/random.ts'
import { SimulatedRegisters } from '../../drivers/simulation/simulated-registers.ts'
import { SimulatedTerminal } from '../../drivers/simulation/simulated-terminal.ts'
import type { RunningSimulation } from '../../drivers/simulation/simulation.ts'
import type { SimulatorHost } from '../../drivers/simulation/simulator.ts'
import { SmartSawSimulator } from '../../drivers/smart-saw/simulator.ts'
import { CannotStart } from '../../link/child.ts'
import { readEntry, removeEntry, writeEntry } from './book.ts'
import { CommandLog } from './command-log.ts'
import type { LabConfig } from './config.ts'
import { besides, INSTRUMENTS, startInstrument } from './instruments.ts'
import { lightAt } from './world.ts'

const HOST = '127.0.0.1'
const ESP300_BAUD = 19_200
const METER_BAUD = 9600

/** The simulated lab. Its instruments are at hand for faults; everybody else finds them through the address book. */
export interface Lab extends AsyncDisposable {
  readonly book: Readonly<Record<string, BookEntry>>
  readonly esp300: { readonly instrument: Esp300Simulator; readonly line: SimulatedTerminal }
  readonly powerMeter: { readonly instrument: Newport1830cSimulator; readonly line: SimulatedTerminal }
  readonly saw: { readonly instrument: SmartSawSimulator; readonly port: SimulatedRegisters }
  /** Those that share nothing with the others' world, by the name of their address. */
  readonly instruments: Readonly<Record<string, RunningSimulation>>
}

/** Throws CannotStart when the saw's port is taken. One lab per folder: the supervisor holds the lock of the data folder. */
export async function startLab(config: LabConfig): Promise<Lab> {
  const { folder } = config
  await mkdir(folder, { recursive: true })
  const random = seededRandom(config.seed)
  const seconds = (): number => performance.now() / 1000
  const host = (name: string): SimulatorHost => {
    const log = new CommandLog(join(folder, `${name}.log`))
    return { random, accepted: (command) => log.append(command) }
  }
  const link = (name: string): string => join(folder, `${name}.tty`)

  const stages = new Esp300Simulator(host('esp300'))
  const esp300 = new SimulatedTerminal({ instrument: stages, baudRate: ESP300_BAUD, linkPath: link('esp300'), seconds })
  const meter = new Newport1830cSimulator(host('power-meter'), { light: (at) => lightAt(stages.position(1, at)) })
  const powerMeter = new SimulatedTerminal({ instrument: meter, baudRate: METER_BAUD, linkPath: link('power-meter'), seconds })
  const saw = new SmartSawSimulator(host('saw'), { operator: config.operator })
  const sawPort = new SimulatedRegisters({ instrument: saw, host: HOST, port: config.sawPort ?? (await portOfLastTime(folder, 'saw')) ?? 0, seconds })

  const parts: AsyncDisposable[] = [esp300, powerMeter, sawPort]
  try {
    await esp300.plugIn()
    await powerMeter.plugIn()
    await sawPort.plugIn().catch((error: unknown) => {
      throw new CannotStart(`the simulated saw cannot listen on ${HOST}:${sawPort.port} (${messageOf(error)}); set LAB_SAW_PORT to a free one`)
    })
    const book: Record<string, BookEntry> = {
      esp300: { kind: 'serial', path: link('esp300') },
      'power-meter': { kind: 'serial', path: link('power-meter') },
      saw: { kind: 'tcp', host: HOST, port: sawPort.port },
      pvcam: { kind: 'library', path: simulatorLibrary() },
    }
    const instruments: Record<string, RunningSimulation> = {}
    for (const [name, driverId] of Object.entries(INSTRUMENTS)) {
      const port = await portOfLastTime(folder, name)
      const { accepted } = host(name)
      const running = await startInstrument(driverId, { folder, name, seed: config.seed, accepted, ...(port !== undefined && { port }) })
      parts.push(running)
      instruments[name] = running
      Object.assign(book, { [name]: running.entry }, besides(name, folder))
    }
    for (const [name, entry] of Object.entries(book)) await writeEntry(folder, name, entry)
    return {
      book,
      esp300: { instrument: stages, line: esp300 },
      powerMeter: { instrument: meter, line: powerMeter },
      saw: { instrument: saw, port: sawPort },
      instruments,
      [Symbol.asyncDispose]: async () => {
        await closeAll(parts)
        // Those on TCP stay: they remember the port.
        for (const [name, { kind }] of Object.entries(book)) if (kind !== 'tcp') await removeEntry(folder, name)
      },
    }
  } catch (error) {
    await closeAll(parts)
    throw error
  }
}

async function portOfLastTime(folder: string, name: string): Promise<number | undefined> {
  const entry = await readEntry(folder, name)
  return entry?.kind === 'tcp' ? entry.port : undefined
}

async function closeAll(parts: readonly AsyncDisposable[]): Promise<void> {
  await Promise.all(parts.map((part) => part[Symbol.asyncDispose]()))
}
