import { join } from 'node:path'
import type { DeviceSettings } from '../../../core/device.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import { SimulatedTerminal } from '../../../drivers/simulation/simulated-terminal.ts'
import { thorlabsEll14 } from '../../../drivers/thorlabs-ell14/driver.ts'
import { Ell14Bus, RECORDED_MODULES } from '../../../drivers/thorlabs-ell14/simulator.ts'
import { writeEntry } from '../../../local/lab/book.ts'
import { until } from '../../until.ts'
import { type Bench, never, open, openBench } from '../bench.ts'
import { simulatedTime } from '../simulated-time.ts'

/** Modules that end each move where they were told. */
export const EXACT_MODULES = RECORDED_MODULES.map((module) => ({ ...module, spreadPulses: 0 }))

type Port = Parameters<typeof thorlabsEll14.openDevice>[0]

/** Three simulated modules on a pseudo-terminal, with their time as fast as a test wants it. */
export type BusBench = Bench & {
  readonly bus: Ell14Bus
  readonly line: SimulatedTerminal
  readonly accepted: readonly string[]
  /** Of the modules' time, from now on. */
  timeFactor: number
  readonly settings: DeviceSettings
  /** A module on a port of its own: address 2 unless `change` says otherwise. */
  open(change?: DeviceSettings): ReturnType<typeof open<Port>>
  /** Another module on the same port. */
  next(port: Port, change: DeviceSettings): Promise<DeviceHandle>
}

export async function openBus(baudRate = 115_200): Promise<BusBench> {
  const bench = await openBench()
  const accepted: string[] = []
  const bus = new Ell14Bus({ random: () => 0.5, accepted: (command) => accepted.push(command) }, { modules: EXACT_MODULES })
  const linkPath = join(bench.folder, 'ell14.tty')
  const settings = { address: 'sim://ell14', busAddress: '2', baudRate }
  const time = simulatedTime()
  const opened: BusBench = {
    ...bench,
    bus,
    accepted,
    settings,
    get timeFactor() {
      return time.factor
    },
    set timeFactor(factor) {
      time.factor = factor
    },
    line: new SimulatedTerminal({ instrument: bus, baudRate, linkPath, seconds: time.seconds }),
    open: (change = {}) => open(thorlabsEll14, { ...settings, ...change }, bench.context),
    next: (port, change) => thorlabsEll14.openDevice(port, { ...settings, ...change }, bench.context, never),
    [Symbol.asyncDispose]: async () => {
      await opened.line[Symbol.asyncDispose]()
      await bench[Symbol.asyncDispose]()
    },
  }
  await opened.line.plugIn()
  await writeEntry(bench.folder, 'ell14', { kind: 'serial', path: linkPath })
  return opened
}

/** Until the motion is over; throws what the module ended with. */
export function settled(device: DeviceHandle): Promise<void> {
  return ended(() => device.motion?.isMoving(never))
}

/** Until what a command began is over; throws what the module ended with. */
export function over(device: DeviceHandle): Promise<void> {
  return ended(() => device.underWay?.(never))
}

async function ended(goesOn: () => Promise<boolean> | undefined): Promise<void> {
  const failure = await until(
    () =>
      Promise.resolve(goesOn()).then(
        (more) => (more ? undefined : 'nothing'),
        (error: unknown) => ({ error }),
      ),
    { everyMs: 25 },
  )
  if (failure !== 'nothing') throw failure.error
}
