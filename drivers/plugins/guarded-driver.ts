import { asProblem, HardwareFault } from '../../core/errors.ts'
import type { DeviceHandle, Driver, DriverPort } from '../driver.ts'
import { checkedFinds, checkHandle } from './check-driver.ts'
import { type Culprit, inNameOf } from './stray-errors.ts'

/**
 * A plugin's driver as the station uses it: everything it does runs in its own name (stray-errors.ts), and what it opens is looked at before it is used. A new
 * object for each load, also when the plugin exports the same one again: the station takes another object for another version.
 */
export function guardedDriver(driver: Driver, culprit: Culprit): Driver {
  const { probe } = driver
  return {
    ...described(driver),
    locate: (settings) => inNameOf(culprit, () => driver.locate(settings)),
    openPort: (settings, context, signal) => inNameOf(culprit, async () => checkPort(driver, await driver.openPort(settings, context, signal))),
    openDevice: (port, settings, context, signal) =>
      inNameOf(culprit, async () => {
        const handle: unknown = await driver.openDevice(port, settings, context, signal)
        try {
          checkHandle(handle)
        } catch (error) {
          throw new HardwareFault(`driver ${driver.id} opened something else than a device: ${asProblem(error).message}`, 'NONE')
        }
        return guardedHandle(handle, culprit)
      }),
    ...(probe !== undefined && {
      probe: (...given: Parameters<typeof probe>) => inNameOf(culprit, async () => checkedFinds(await probe.apply(driver, given))),
    }),
  }
}

function described(driver: Driver): Pick<Driver, 'id' | 'vendor' | 'model' | 'version' | 'portKind' | 'settings' | 'capabilities'> {
  const { id, vendor, model, version, portKind, settings, capabilities, documentation, afterLostStation } = driver
  return {
    ...{ id, vendor, model, version, portKind, settings, capabilities },
    ...(documentation !== undefined && { documentation }),
    ...(afterLostStation !== undefined && { afterLostStation }),
  }
}

function checkPort({ id }: Driver, port: unknown): DriverPort {
  const { lost, [Symbol.asyncDispose]: dispose } = (port ?? {}) as Partial<DriverPort>
  if (lost instanceof AbortSignal && typeof dispose === 'function') return port as DriverPort
  throw new HardwareFault(`driver ${id} opened something else than a port: it needs lost, an AbortSignal, and [Symbol.asyncDispose]`, 'NONE')
}

/** A view of the handle, not a copy: its getters say what is so now. */
function guardedHandle(handle: DeviceHandle, culprit: Culprit): DeviceHandle {
  return view(handle, culprit, new WeakMap())
}

const FACETS = new Set<PropertyKey>(['motion', 'trigger', 'commands', 'frames'])

function view<T extends object>(of: T, culprit: Culprit, seen: WeakMap<object, unknown>): T {
  // The proxied object is an empty one: of a frozen handle a proxy could not give other functions.
  return new Proxy({} as T, {
    has: (_, key) => Reflect.has(of, key),
    get: (_, key) => {
      const value: unknown = inNameOf(culprit, () => Reflect.get(of, key, of))
      const guards = typeof value === 'function' || (FACETS.has(key) && typeof value === 'object' && value !== null)
      if (!guards) return value
      const known = seen.get(value)
      if (known !== undefined) return known
      const guarded =
        typeof value === 'function'
          ? (...given: unknown[]): unknown => inNameOf(culprit, () => Reflect.apply(value, of, given))
          : view(value as object, culprit, seen)
      seen.set(value as object, guarded)
      return guarded
    },
  })
}
