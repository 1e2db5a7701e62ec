import { expect } from 'vitest'
import type { ParameterSpec } from '../../../core/parameter.ts'
import type { Measured } from '../../../core/reading.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import type { Fault } from '../../../drivers/simulation/simulation.ts'
import { until } from '../../until.ts'
import { never } from '../bench.ts'
import type { FaultCheck } from './check.ts'
import { openDevices, type SimulatedInstrument } from './instrument.ts'
import { expectTrue, isReadable, known, read, usual } from './values.ts'
import { HANG_MS, within } from './within.ts'

const PARAMETERS_LOOKED_AT = 12 // of a device that has more, every n-th: registers of one block fail alike
const A_LITTLE_LATE_MS = 30 // within every driver's patience
const MUTE_FOR = 200 // replies; however often a driver asks
const MUTE_PARAMETERS = 4 // of which one is good
const TOO_LATE_MS = 20 // after that patience

/** A reply that goes wrong is never taken for good, and the next one is right. Each fault has an instrument of its own: they wait beside each other. */
export const faults: readonly FaultCheck[] = Array.from({ length: PARAMETERS_LOOKED_AT }, (_, turn) => ({
  name: `no fault of the line makes a wrong value of parameter ${turn + 1}`,
  run: async (start) => {
    await Promise.all([
      sufferOn(start, turn, [{ kind: 'silent' }], true),
      sufferOn(start, turn, [{ kind: 'foreign' }]),
      sufferOn(start, turn, [{ kind: 'garbage' }]),
      sufferOn(start, turn, [{ kind: 'cut' }, { kind: 'late', byMs: A_LITTLE_LATE_MS }]),
    ])
  },
}))

/** The parameter of this turn suffers the faults one after the other, and at the end, if wanted, one that is just later than the driver's patience. */
async function sufferOn(start: Parameters<FaultCheck['run']>[0], turn: number, suffered: readonly Fault[], andTooLate = false): Promise<void> {
  await using instrument = await start()
  await using opened = await openDevices(instrument, 1)
  const { device } = opened
  const all = device.parameters.filter(isReadable)
  const spec = (all.length <= PARAMETERS_LOOKED_AT ? all : all.filter((_, at) => at % Math.ceil(all.length / PARAMETERS_LOOKED_AT) === 0))[turn]
  if (spec === undefined) return
  let patienceMs: number | undefined
  for (const fault of suffered) {
    patienceMs = await suffer(instrument, device, spec, fault)
    if (patienceMs === undefined) return // asked for once, at the start
  }
  if (andTooLate && patienceMs !== undefined) await suffer(instrument, device, spec, { kind: 'late', byMs: Math.ceil(patienceMs) + TOO_LATE_MS })
  expect(opened.port.lost.aborted, 'the port is lost').toBe(false)
}

/** How long the driver took for the reading; undefined when the instrument was not asked. */
async function suffer(instrument: SimulatedInstrument, device: DeviceHandle, spec: ParameterSpec, fault: Fault): Promise<number | undefined> {
  const before = await usual(device, spec.name)
  instrument.simulation.inject(fault)
  const startMs = performance.now()
  const faulty = await read(device, spec.name)
  const tookMs = performance.now() - startMs
  if (instrument.simulation.faultsLeft > 0) return undefined
  const after = before.some((each) => known(each) !== undefined) ? await goodAgain(device, spec.name) : await read(device, spec.name)
  expectTrue(spec, faulty, [...before, after])
  return tookMs
}

/** The line comes into step by itself: at once, or by the exchange after. */
export async function goodAgain(device: DeviceHandle, name: string): Promise<Measured> {
  return await until(
    async () => {
      const reading = await read(device, name)
      return known(reading) === undefined ? false : reading
    },
    { what: `a good reading of ${name} after the fault`, deadlineMs: HANG_MS },
  )
}

/** Neither the last value nor 0: nobody knows what it is now. */
export const mute: FaultCheck = {
  name: 'has no value of an instrument that says nothing',
  run: async (start) => {
    await using instrument = await start()
    await using opened = await openDevices(instrument, 1)
    const { device } = opened
    const specs = device.parameters.filter(isReadable)
    const { simulation } = instrument
    for (const { name } of [...specs.filter(({ pollMs }) => pollMs !== undefined), ...specs].slice(0, MUTE_PARAMETERS)) {
      if (known(await read(device, name)) === undefined) continue
      simulation.inject(...Array.from({ length: MUTE_FOR }, () => ({ kind: 'silent' }) as const))
      const left = simulation.faultsLeft
      const reading = await read(device, name)
      if (simulation.faultsLeft === left) return // it comes from elsewhere: the driver's own knowledge, or another line
      expect(known(reading), `${name} of a mute instrument`).toBeUndefined()
      // Asked again it has none either; the driver may have given the instrument up meanwhile.
      const again = await read(device, name).catch((error: unknown) => ({ bad: String(error), lost: opened.port.lost.aborted }))
      expect(known(again), `${name} of an instrument that stays mute`).toBeUndefined()
      if ('lost' in again) expect(again.lost, `the port is lost when a read throws (${again.bad})`).toBe(true)
      return
    }
  },
}

/** Many faults in a row, of all kinds, while everything is read: whatever is good is true. */
export const storm: FaultCheck = {
  name: 'stands a storm of faults, and works after it',
  run: async (start) => {
    await using instrument = await start()
    await using opened = await openDevices(instrument, 1)
    const { device } = opened
    const still = device.parameters.filter((spec) => isReadable(spec) && spec.pollMs === undefined)
    const specs = (still.length > 0 ? still : device.parameters.filter(isReadable)).slice(0, 3)
    const before = await Promise.all(specs.map((spec) => usual(device, spec.name)))
    instrument.simulation.inject({ kind: 'garbage' }, { kind: 'late', byMs: A_LITTLE_LATE_MS }, { kind: 'cut' })
    const during = await within('reading through the storm', Promise.all(specs.map((spec) => device.read([spec.name], never))))
    const all = device.parameters.filter(isReadable).map(({ name }) => name)
    const over = async (): Promise<boolean> => {
      if (instrument.simulation.faultsLeft > 0) await device.read(all, never)
      return instrument.simulation.faultsLeft === 0
    }
    await until(over, { deadlineMs: HANG_MS, what: 'the end of the storm' })
    for (const [at, spec] of specs.entries()) {
      const was = before[at] ?? []
      const faulty = during[at]?.get(spec.name)
      if (faulty === undefined || was.every((each) => known(each) === undefined)) continue
      expectTrue(spec, faulty, [...was, await goodAgain(device, spec.name)])
    }
  },
}
