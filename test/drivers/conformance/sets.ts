import { expect } from 'vitest'
import { Problem } from '../../../core/errors.ts'
import { checkValue, type ParameterSpec } from '../../../core/parameter.ts'
import type { ParameterValue } from '../../../core/reading.ts'
import type { DeviceHandle } from '../../../drivers/driver.ts'
import type { RunningSimulation } from '../../../drivers/simulation/simulation.ts'
import { until } from '../../until.ts'
import { never, problemOf } from '../bench.ts'
import type { Check, FaultCheck } from './check.ts'
import { type Instrument, openDevices } from './instrument.ts'
import { badValues, goodValues, known, read } from './values.ts'
import { within } from './within.ts'

const ARRIVED_WITHIN_MS = 30_000
/** Refusals by the instrument's own rules are allowed, if nothing was done: these, and any that gives the instrument's own code. */
const REFUSALS = new Set(['INTERLOCK_BLOCKED', 'DEVICE_BUSY', 'NOT_SUPPORTED', 'LIMIT_VIOLATION'])

/** As the station does it: checked, then written. */
export async function set(device: DeviceHandle, spec: ParameterSpec, value: ParameterValue, unit?: string): Promise<ParameterValue> {
  const checked = checkValue(spec, value, unit)
  if (device.write === undefined) throw new Error(`${spec.name} may be written, and the device writes nothing`)
  return await within(`setting ${spec.name}`, device.write(spec.name, checked, never))
}

export function settable(device: DeviceHandle): readonly ParameterSpec[] {
  return device.parameters.filter(({ access }) => access !== 'READ_ONLY')
}

/** What was set last is there. */
export async function arrived(device: DeviceHandle): Promise<void> {
  const { underWay } = device
  if (underWay === undefined) return
  await until(async () => !(await within('asking whether it is under way', underWay.call(device, never))), { deadlineMs: ARRIVED_WITHIN_MS, everyMs: 20 })
}

export const sets: readonly Check[] = [
  {
    name: 'sets what may be set, and reads it back',
    onHardware: 'MOVE',
    run: async (start) => {
      await using instrument = await start({ timeFactor: 20 })
      await using opened = await openDevices(instrument)
      for (const device of opened.devices) {
        const done = []
        for (const spec of settable(device)) if (await setAndReadBack(device, spec)) done.push(spec.name)
        if (settable(device).length > 0) expect(done.length, `what of ${device.identity} could be set`).toBeGreaterThan(0)
      }
    },
  },
  {
    name: 'never puts on the wire what is out of range, of another kind or in another unit',
    onHardware: 'LOOK',
    run: async (start) => {
      await using instrument = await start()
      await using opened = await openDevices(instrument)
      const before = instrument.accepted?.length
      for (const device of opened.devices) {
        for (const spec of device.parameters) {
          const present = spec.access === 'READ_WRITE' ? await read(device, spec.name) : undefined
          if (spec.access === 'READ_ONLY') {
            expect((await problemOf(set(device, spec, goodValues(spec, undefined)[0] ?? 0))).code).toBe('READ_ONLY')
            continue
          }
          for (const { value, unit, why } of badValues(spec)) {
            const problem = await problemOf(set(device, spec, value, unit)).catch((error: unknown) =>
              expect.fail(`${spec.name} = ${JSON.stringify(value)} ${unit ?? ''} is ${why}: ${String(error)}`),
            )
            expect(problem.effect, `${spec.name} = ${JSON.stringify(value)} is ${why}`).toBe('NONE')
          }
          if (typeof present !== 'undefined' && spec.deadband === undefined && spec.pollMs === undefined && !('bad' in present))
            expect(await read(device, spec.name), `${spec.name} after what was refused`).toEqual(present)
        }
        expect((await problemOf(within('an unknown write', writeUnknown(device)))).effect, 'setting what there is not').toBe('NONE')
      }
      // What a driver says by itself (it keeps a watchdog quiet) it said before, too.
      const usual = new Set(instrument.accepted?.slice(0, before))
      expect(
        (instrument.accepted ?? []).slice(before).filter((command) => !usual.has(command)),
        'commands that reached the instrument',
      ).toEqual([])
    },
  },
]

async function writeUnknown(device: DeviceHandle): Promise<void> {
  if (device.write === undefined) throw new Problem('NOT_SUPPORTED', 'the device writes nothing')
  await device.write('no_such_parameter', 1, never)
}

/** false when the instrument's own rules forbid it now. */
async function setAndReadBack(device: DeviceHandle, spec: ParameterSpec): Promise<boolean> {
  const readable = spec.access === 'READ_WRITE'
  const original = readable ? known(await read(device, spec.name)) : undefined
  let done = false
  for (const value of [...goodValues(spec, original), ...(original === undefined ? [] : [original])]) {
    try {
      const confirmed = await set(device, spec, value)
      await arrived(device)
      expectNear(spec, confirmed, value, ROUNDING)
      if (readable) expectNear(spec, known(await read(device, spec.name)), confirmed, READ_BACK)
      done = true
    } catch (error) {
      if (!(error instanceof Problem) || !(REFUSALS.has(error.code) || error.facts.instrumentCode !== undefined)) throw error
      expect(error.effect, `${spec.name} = ${String(value)} was refused: ${error.message}`).toBe('NONE')
    }
  }
  return done
}

const ROUNDING = 1e-2 // an instrument rounds to its own counts
const READ_BACK = 1e-6 // and what it confirmed it says again

function expectNear(spec: ParameterSpec, actual: ParameterValue | undefined, wanted: ParameterValue, tolerance: number): void {
  const what = `${spec.name} was set to ${JSON.stringify(wanted)} and is ${JSON.stringify(actual)}`
  if (typeof wanted === 'number' && typeof actual === 'number')
    expect(Math.abs(actual - wanted), what).toBeLessThanOrEqual(Math.max(tolerance * Math.max(1, Math.abs(wanted)), spec.step ?? 0, spec.deadband ?? 0))
  else expect(actual, what).toEqual(wanted)
}

export type EasySet = { readonly spec: ParameterSpec; readonly values: readonly ParameterValue[] }

/** The first parameter that may be set again and again without harm, and is the instrument's own: another value than it has, and the one that it has. */
export async function easySet(device: DeviceHandle, simulation: RunningSimulation): Promise<EasySet | undefined> {
  for (const spec of settable(device).filter(({ access }) => access === 'READ_WRITE')) {
    const present = known(await read(device, spec.name))
    const values = goodValues(spec, present)
    if (present === undefined || values[0] === undefined) continue
    try {
      const left = simulation.faultsLeft
      simulation.inject({ kind: 'late', byMs: 0 }) // no fault at all, but it tells whether the instrument was spoken to
      await set(device, spec, values[0])
      await arrived(device)
      if (simulation.faultsLeft > left) continue
      await set(device, spec, present)
      await arrived(device)
      return { spec, values: [values[0], present] }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
    }
  }
  return undefined
}

const FAULTS = ['silent', 'foreign', 'garbage', 'cut'] as const

export const faultySets: readonly FaultCheck[] = FAULTS.map((kind) => ({
  name: `a set whose answer is ${kind} says truly whether it may have acted`,
  run: async (start) => {
    await using instrument = await start()
    await using opened = await openDevices(instrument, 1)
    const { device } = opened
    const easy = await easySet(device, instrument.simulation)
    if (easy === undefined) return
    const { spec, values } = easy
    const accepted = instrument.accepted.length
    instrument.simulation.inject({ kind })
    const outcome = await set(device, spec, values[0] ?? 0).then(
      (value) => ({ value }),
      (error: unknown) => ({ error }),
    )
    const acted = instrument.accepted.length > accepted
    const tells = accepted > 0 // what a library is told, nobody hears
    if ('error' in outcome) {
      expect(outcome.error).toBeInstanceOf(Problem)
      if (acted) expect((outcome.error as Problem).effect, `${String(outcome.error)}, though the instrument accepted it`).not.toBe('NONE')
    } else if (tells) expect(acted, 'a set that is told to have been done').toBe(true)
    await expectAtWork(instrument, device, spec)
    await set(device, spec, values[1] ?? 0)
    await arrived(device)
    expectNear(spec, known(await read(device, spec.name)), values[1] ?? 0, ROUNDING)
  },
}))

/** The faults are used up and the line is in step again. */
async function expectAtWork(instrument: Instrument, device: DeviceHandle, spec: ParameterSpec): Promise<void> {
  await until(async () => known(await read(device, spec.name)) !== undefined, {
    what: `a good reading of ${spec.name} after the fault`,
    deadlineMs: ARRIVED_WITHIN_MS,
  })
  expect(instrument.simulation?.faultsLeft ?? 0).toBe(0)
}
