import { join } from 'node:path'
import type { DeviceSettings } from '../../core/device.ts'
import type { Problem } from '../../core/errors.ts'
import { SimulatedDome } from '../../drivers/dome-rotator/simulated-dome.ts'
import { Rp2040Simulator } from '../../drivers/dome-rotator/simulator.ts'
import type { DeviceHandle } from '../../drivers/driver.ts'
import { SimulatedTerminal } from '../../drivers/simulation/simulated-terminal.ts'
import { serveLines } from '../../drivers/transport/line-input.ts'
import { serveSpi } from '../../drivers/transport/spi-transport.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { until } from '../until.ts'
import { type Bench, never, openBench, problemOf } from './bench.ts'

const TIME_FACTOR = 10 // a move of 10 deg takes a second and a half
export const SWITCH_WIDTH = 2 // degrees: pressed for as long as the real one, at that pace
export const ARRIVES = { deadlineMs: 30_000 }

/** A dome whose motor controller is on a pseudo-terminal, its encoder and its switch on sockets. */
export interface DomeRig extends AsyncDisposable {
  readonly bench: Bench
  readonly dome: SimulatedDome
  readonly simulator: Rp2040Simulator
  readonly line: SimulatedTerminal
  readonly accepted: string[]
  readonly settings: DeviceSettings
  /** When the controller took the last command, by performance.now(). */
  readonly acceptedAtMs: number
  /** On the simulated clock. */
  readonly seconds: () => number
  /** The cable of the recalibration switch is cut. */
  cutSwitch(): Promise<void>
}

export async function openDomeRig(): Promise<DomeRig> {
  const seconds = (): number => (performance.now() / 1000) * TIME_FACTOR
  const accepted: string[] = []
  let acceptedAtMs = 0
  const note = (command: string): void => {
    accepted.push(command)
    acceptedAtMs = performance.now()
  }
  const bench = await openBench()
  const dome = new SimulatedDome({ random: () => 0.5, azimuth: 40, noise: 0, switchWidth: SWITCH_WIDTH })
  const simulator = new Rp2040Simulator({ random: () => 0.5, accepted: note }, dome, { boots: true })
  const linkPath = join(bench.folder, 'dome.tty')
  const line = new SimulatedTerminal({ instrument: simulator, baudRate: 115_200, linkPath, seconds })
  await line.plugIn()
  await writeEntry(bench.folder, 'dome', { kind: 'serial', path: linkPath })
  const [spi, gpio] = [join(bench.folder, 'dome.spi'), join(bench.folder, 'dome.gpio')]
  const pins = [
    await serveSpi(spi, (mode, bytes) => {
      simulator.advance(seconds())
      return simulator.dome.frame(mode).subarray(0, bytes.length)
    }),
    await serveLines(gpio, (pin) => {
      simulator.advance(seconds())
      return pin === 27 ? simulator.dome.switchLevel() : undefined
    }),
  ]
  return {
    bench,
    dome,
    simulator,
    line,
    accepted,
    settings: { address: 'sim://dome', encoder: `spi://${spi}`, recalibrationSwitch: `gpio://${gpio}`, startAzimuth: 40, fastest: 1.3 * TIME_FACTOR },
    get acceptedAtMs() {
      return acceptedAtMs
    },
    seconds,
    cutSwitch: async () => await pins.pop()?.[Symbol.asyncDispose](),
    async [Symbol.asyncDispose]() {
      await line[Symbol.asyncDispose]()
      for (const pin of pins) await pin[Symbol.asyncDispose]()
      await bench[Symbol.asyncDispose]()
    },
  }
}

export async function stands({ motion }: DeviceHandle): Promise<void> {
  await until(async () => !(await motion?.isMoving(never)), ARRIVES)
}

/** How the motion ended badly. */
export async function failure({ motion }: DeviceHandle): Promise<Problem> {
  return await until(async () => {
    try {
      await motion?.isMoving(never)
      return false
    } catch (error) {
      return problemOf(Promise.reject(error))
    }
  }, ARRIVES)
}
