import type { Capability } from '../../core/capability.ts'
import type { DeviceSettings } from '../../core/device.ts'
import { DeviceOffline, InvalidValue } from '../../core/errors.ts'
import type { SettingSpec } from '../../core/parameter.ts'
import { requireKind } from '../address.ts'
import type { Driver, DriverContext, DriverPort, LostStationRule } from '../driver.ts'
import { refuseUnknown, textOf } from '../settings.ts'
import { LibraryCalls } from './library-calls.ts'
import { openLibraryDevice } from './library-device.ts'

/** A driver whose work is done by a shared library with the functions of native/include/kymograph_driver.h. */
export type NativeLibraryDriver = {
  /** "<vendor>-<model>" */
  readonly id: string
  readonly vendor: string
  readonly model: string
  readonly version: string
  /** Absolute path of the shared library. A device at sim://<name> is opened with the library that the address book names instead. */
  readonly path: string
  /** Beside `address`, a text that the library understands. */
  readonly settings?: readonly SettingSpec[]
  readonly documentation?: string
  /** The parameter that is the main quantity. */
  readonly readout?: string
  /** Whether some parameter may be set. Default true. */
  readonly settable?: boolean
  /** STOP calls kymograph_stop. */
  readonly afterLostStation?: Exclude<LostStationRule, 'MAKE_SAFE'>
  /** Longest that any of its calls takes; what takes longer is given up as hung. Default 10 s. */
  readonly callWithinMs?: number
}

const CALL_WITHIN_MS = 10_000 // an instrument that is asked over its slowest line answers in two

type LibraryPort = DriverPort & { readonly path: string; readonly lose: (reason: DeviceOffline) => void }

export function nativeLibrary(library: NativeLibraryDriver): Driver {
  const { id, vendor, model, version, documentation, afterLostStation, readout, settable = true } = library
  const settings: readonly SettingSpec[] = [address(library), ...(library.settings ?? [])]
  const capabilities: readonly Capability[] = [
    ...(readout === undefined ? [] : ['READABLE' as const]),
    'PARAMETERIZED',
    ...(settable ? ['SETTABLE' as const] : []),
  ]
  const calls = new LibraryCalls(library.callWithinMs ?? CALL_WITHIN_MS)
  const locate = (given: DeviceSettings): { readonly address: string } => {
    refuseUnknown(given, settings)
    const place = textOf(given, address(library))
    if (place === '') throw new InvalidValue('address is missing: where the instrument is, as the library understands it', ['address'])
    return { address: place }
  }
  const driver: Driver<LibraryPort> = {
    ...{ id, vendor, model, version, settings, capabilities, portKind: 'NATIVE' },
    ...(documentation !== undefined && { documentation }),
    ...(afterLostStation !== undefined && { afterLostStation }),
    locate,
    openPort: async (given, context) => openPort(locate(given).address, library.path, context),
    openDevice: (port, given, _, signal) =>
      openLibraryDevice({ ...port, calls, name: `${locate(given).address} of ${id}`, settings: given, ...(readout !== undefined && { readout }) }, signal),
  }
  return driver
}

function address({ id }: NativeLibraryDriver): SettingSpec {
  return { name: 'address', kind: 'TEXT', required: true, description: `Where the instrument is, as the library of ${id} understands it` }
}

/** The library has the line; this only says when it is lost. */
async function openPort(place: string, path: string, { resolve }: DriverContext): Promise<LibraryPort> {
  const lost = new AbortController()
  const lose = (reason: DeviceOffline): void => lost.abort(reason)
  return {
    lost: lost.signal,
    lose,
    path: place.startsWith('sim://') ? requireKind(await resolve(place), 'library', place).path : path,
    [Symbol.asyncDispose]: async () => lose(new DeviceOffline(`${place}: closed`, {})),
  }
}
