import { describe, expect, test } from 'vitest'
import type { Measured } from '../../../core/reading.ts'
import type { DeviceHandle, Driver, DriverPort } from '../../../drivers/driver.ts'
import { simulation } from '../../../drivers/newport-1830c/simulator.ts'
import { CHECKS, FAULT_CHECKS } from './checks.ts'
import { type Pace, type SimulatedInstrument, startSimulated } from './instrument.ts'

/** Drivers that do wrong, each in one way that the suite is there for. */

const TIMEOUT_MS = 90_000
const HONEST_SETS = 2 // while the check looks for something to set

/** The meter's driver with one thing changed in its devices. */
function spoilt(spoil: (device: DeviceHandle) => Partial<DeviceHandle>, change: (driver: Driver) => Partial<Driver> = () => ({})) {
  return async (pace?: Pace): Promise<SimulatedInstrument> => {
    const instrument = await startSimulated(simulation, pace)
    const { driver } = instrument
    const openDevice = async (...[port, ...rest]: Parameters<Driver['openDevice']>): Promise<DeviceHandle> => {
      const device = await driver.openDevice(port, ...rest)
      // Its methods know only itself.
      const bound = new Proxy(device, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name, target)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
      const wrong = spoil(bound)
      return new Proxy(bound, { get: (target, name) => (name in wrong ? Reflect.get(wrong, name) : Reflect.get(target, name)) })
    }
    return { ...instrument, driver: { ...driver, openDevice, ...change(driver) } }
  }
}

type Start = (pace?: Pace) => Promise<SimulatedInstrument>
const check = (name: string, start: Start): Promise<void> => {
  const found = [...CHECKS, ...FAULT_CHECKS].find((candidate) => candidate.name.startsWith(name)) ?? expect.fail(`no check ${name}`)
  return found.run(start)
}

const WRONG: readonly (readonly [string, string, Start])[] = [
  [
    'that gives the last value when a reply does not come',
    'has no value',
    spoilt((device) => {
      const last = new Map<string, Measured>()
      return {
        read: async (names, signal) => {
          for (const [name, measured] of await device.read(names, signal)) if (!('bad' in measured) || !last.has(name)) last.set(name, measured)
          return new Map(names.map((name) => [name, last.get(name) ?? { bad: 'never read' }]))
        },
      }
    }),
  ],
  [
    'that gives 0 when a reply does not come',
    'no fault of the line makes a wrong value of parameter 1',
    spoilt((device) => ({
      read: async (names, signal) =>
        new Map([...(await device.read(names, signal))].map(([name, measured]) => [name, 'bad' in measured ? { value: 0 } : measured])),
    })),
  ],
  [
    'that reads not a number',
    'reads every parameter',
    spoilt((device) => ({
      read: async (names, signal) =>
        new Map([...(await device.read(names, signal))].map(([name, measured]) => [name, name === 'power' ? { value: Number.NaN } : measured])),
    })),
  ],
  ['that forgets a parameter', 'reads every parameter', spoilt(() => ({ read: async () => new Map() }))],
  ['that hides what it does', 'identifies itself', spoilt(() => ({ parameters: [] }))],
  [
    'that has a unit that is none',
    'describes its parameters',
    spoilt((device) => ({ parameters: device.parameters.map((spec) => ({ ...spec, ...(spec.unit && { unit: 'nanometers' }) })) })),
  ],
  [
    'that names a parameter for people',
    'describes its parameters',
    spoilt((device) => ({ parameters: device.parameters.map((spec) => ({ ...spec, name: `The ${spec.name}` })) })),
  ],
  ['that sets and does not look', 'sets what may be set', spoilt(() => ({ write: async (_name, value) => value }))],
  [
    'that says that it did what it did not',
    'a set whose answer is silent',
    spoilt((device) => {
      let sets = 0
      return {
        write: async (name, value, signal) => {
          sets += 1
          return sets <= HONEST_SETS ? ((await device.write?.(name, value, signal)) ?? value) : value
        },
      }
    }),
  ],
  [
    'that writes what it cannot know',
    'never puts on the wire',
    spoilt((device) => ({ write: async (_name, value, signal) => (await device.write?.('range', '1', signal)) ?? value })),
  ],
  [
    'that takes any setting',
    'refuses settings',
    spoilt(
      () => ({}),
      () => ({ locate: ({ address }) => ({ address: String(address) }) }),
    ),
  ],
  [
    'that keeps its port',
    'lets go of the port',
    spoilt(
      () => ({}),
      (driver) => ({
        openPort: async (...given) => {
          const port = await driver.openPort(...given)
          return new Proxy(port, {
            get: (target, name) => (name === Symbol.asyncDispose ? async () => undefined : Reflect.get(target, name, target)),
          }) as DriverPort
        },
      }),
    ),
  ],
]

describe.concurrent('the suite refuses a driver', { timeout: TIMEOUT_MS }, () => {
  test.each(WRONG)('%s', async (_what, name, start) => {
    await expect(check(name, start)).rejects.toThrow()
  })

  test('and none that is right', async () => {
    for (const name of new Set(WRONG.map(([, each]) => each)))
      await check(
        name,
        spoilt(() => ({})),
      )
  })
})
