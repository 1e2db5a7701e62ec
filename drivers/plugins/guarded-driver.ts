import { asProblem, HardwareFault } from '../../core/errors.ts'
import type { DeviceHandle, Driver, DriverPort } from '../driver.ts'
import { ANSWERS } from './check-answers.ts'
import { checkedFinds, checkedLocation } from './check-driver.ts'
import { checkHandle } from './check-handle.ts'
import { checkedConfirmation, checkedReadings } from './check-values.ts'
import { type Culprit, inNameOf } from './stray-errors.ts'

/**
 * A plugin's driver as the station uses it: everything it does runs in its own name (stray-errors.ts), and what it opens, reads and confirms is looked at
 * before it is used. A new object for each load, also when the plugin exports the same one again: the station takes another object for another version.
 */
export function guardedDriver(driver: Driver, culprit: Culprit): Driver {
  const { probe } = driver
  return {
    ...described(driver),
    locate: (settings) => inNameOf(culprit, () => checkedLocation(driver.locate(settings))),
    openPort: (settings, context, signal) => inNameOf(culprit, async () => checkedPort(driver, await driver.openPort(settings, context, signal))),
    openDevice: (port, settings, context, signal) =>
      inNameOf(culprit, async () => guardedHandle(checkedHandle(driver, await driver.openDevice(port, settings, context, signal)), culprit)),
    ...(probe !== undefined && {
      probe: (...given: Parameters<typeof probe>) => inNameOf(culprit, async () => checkedFinds(await probe.apply(driver, given))),
    }),
  }
}

function described(driver: Driver): Omit<Driver, 'locate' | 'openPort' | 'openDevice' | 'probe'> {
  const { id, vendor, model, version, portKind, settings, capabilities, documentation, afterLostStation, portFamily } = driver
  return {
    ...{ id, vendor, model, version, portKind, settings, capabilities },
    ...(documentation !== undefined && { documentation }),
    ...(afterLostStation !== undefined && { afterLostStation }),
    ...(portFamily !== undefined && { portFamily }),
  }
}

function checkedPort({ id }: Driver, port: unknown): DriverPort {
  const { lost, [Symbol.asyncDispose]: dispose } = (port ?? {}) as Partial<DriverPort>
  if (lost instanceof AbortSignal && typeof dispose === 'function') return port as DriverPort
  throw new HardwareFault(`driver ${id} opened something else than a port: it needs lost, an AbortSignal, and [Symbol.asyncDispose]`, 'NONE')
}

function checkedHandle({ id }: Driver, handle: unknown): DeviceHandle {
  try {
    checkHandle(handle)
    return handle
  } catch (error) {
    throw new HardwareFault(`driver ${id} opened something else than a device: ${asProblem(error).message}`, 'NONE')
  }
}

function guardedHandle(handle: DeviceHandle, culprit: Culprit): DeviceHandle {
  const read: DeviceHandle['read'] = (names, signal) =>
    inNameOf(culprit, async () => checkedReadings(handle.parameters, names, await handle.read(names, signal)))
  const write: DeviceHandle['write'] = (name, value, signal) =>
    inNameOf(culprit, async () => checkedConfirmation(handle.parameters, name, await handle.write?.(name, value, signal)))
  return view(handle, culprit, { read, ...(handle.write !== undefined && { write }) })
}

const FACETS = new Set<PropertyKey>(['motion', 'trigger', 'commands', 'frames'])

/** A view, not a copy: getters say what is so now. `instead` stands for properties of the same name. */
function view<T extends object>(of: T, culprit: Culprit, instead: Partial<T> = {}): T {
  const seen = new WeakMap<object, unknown>()
  const guarded = (key: PropertyKey, value: object): unknown => {
    if (typeof value !== 'function') return view(value, culprit)
    const checked = (Object.hasOwn(ANSWERS, key) ? ANSWERS[String(key)] : undefined) ?? ((answer: unknown): unknown => answer)
    return (...given: unknown[]): unknown => checked(inNameOf(culprit, () => Reflect.apply(value, of, given)))
  }
  // The proxied object is an empty one: of a frozen handle a proxy could not give other functions.
  return new Proxy({} as T, {
    has: (_, key) => Reflect.has(of, key),
    get: (_, key) => {
      if (key in instead) return Reflect.get(instead, key)
      const value: unknown = inNameOf(culprit, () => Reflect.get(of, key, of))
      if (typeof value !== 'function' && !(FACETS.has(key) && typeof value === 'object' && value !== null)) return value
      const known = seen.get(value) ?? guarded(key, value)
      seen.set(value, known)
      return known
    },
  })
}
