import type * as problems from '../core/errors.ts'
import type { requireKind } from './address.ts'
import type { capabilitiesOf, Driver } from './driver.ts'
import type { NativeLibraryDriver } from './plugins/native-library.ts'
import type { readEach } from './readings.ts'
import type * as settings from './settings.ts'
import type { openSerial } from './transport/byte-transport.ts'
import type { ExchangeQueue } from './transport/exchange-queue.ts'
import type { SerialLine } from './transport/serial-line.ts'
import type { openTcp } from './transport/tcp-transport.ts'

/**
 * The plugin API: what a plugin may know of this program. It needs no import of ours when it runs: everything is given to it. These types are for its
 * author's editor and compiler.
 *
 * The number changes when a plugin that was written for it would no longer work; what is only added does not change it.
 */
export const PLUGIN_API_VERSION = 1

/** The default export of a plugin's module. Called once for each load; it opens and starts nothing. */
export type Plugin = (kymograph: Kymograph) => PluginOffer | Promise<PluginOffer>

export type PluginOffer = {
  /** Each with an id of its own, "<vendor>-<model>". */
  readonly drivers: readonly Driver[]
}

/** What is given to a plugin. */
export type Kymograph = {
  readonly api: typeof PLUGIN_API_VERSION
  /** The errors that a person can act on. What a driver throws beside them is shown as a HARDWARE_FAULT that may have acted. */
  readonly problems: Pick<
    typeof problems,
    | 'Problem'
    | 'InvalidValue'
    | 'NotFound'
    | 'NotSupported'
    | 'DeviceOffline'
    | 'DeviceBusy'
    | 'HardwareFault'
    | 'DeadlineExceeded'
    | 'LimitViolation'
    | 'messageOf'
    | 'asProblem'
  >
  /** Checks of a device's settings. */
  readonly settings: Pick<typeof settings, 'addressSetting' | 'addressOf' | 'wholeNumberOf' | 'choiceOf' | 'textOf' | 'refuseUnknown'>
  /** What `context.resolve` found, if it is of the kind that the driver needs. */
  readonly requireKind: typeof requireKind
  /** A serial port for this process alone. */
  readonly openSerial: typeof openSerial
  readonly openTcp: typeof openTcp
  /** Lines asked and answered on bytes: time-outs, turns, a stop that overtakes what waits. */
  readonly SerialLine: typeof SerialLine
  /** One exchange at a time on any other transport, in fair turns. */
  readonly ExchangeQueue: typeof ExchangeQueue
  /** Reads parameters one by one; what fails is bad with its reason. */
  readonly readEach: typeof readEach
  readonly capabilitiesOf: typeof capabilitiesOf
  /** A driver whose work is done by a shared library with the functions of native/include/kymograph_driver.h. */
  readonly nativeLibrary: (library: NativeLibraryDriver) => Driver
}

export type { Capability } from '../core/capability.ts'
export type { CommandSpec } from '../core/command-spec.ts'
export type { DeviceSettings, PortKind } from '../core/device.ts'
export type { Effect, ProblemCode, ProblemFacts } from '../core/errors.ts'
export type { Access, ParameterKind, ParameterSpec, SettingSpec } from '../core/parameter.ts'
export type { Measured, ParameterValue } from '../core/reading.ts'
export type { Place } from './address.ts'
export type {
  CommandFacet,
  DeviceHandle,
  Driver,
  DriverContext,
  DriverPort,
  EmissionFacet,
  ExposureFacet,
  LostStationRule,
  MotionFacet,
  Probed,
  ReadoutFacet,
  ResolvedAddress,
  ShutterFacet,
  TriggerFacet,
  WavelengthFacet,
} from './driver.ts'
export type { NativeLibraryDriver } from './plugins/native-library.ts'
export type { ByteTransport, SerialOptions } from './transport/byte-transport.ts'
export type { LineProtocol } from './transport/serial-line.ts'
