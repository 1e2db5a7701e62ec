import type { AcquisitionRequest, PreparedAcquisition, ScanLayout, ScanRecording } from '../core/acquisition.ts'
import type { Capability } from '../core/capability.ts'
import type { CommandSpec } from '../core/command-spec.ts'
import type { AcquisitionState, DeviceSettings, PortKind, Roi } from '../core/device.ts'
import type { FrameLayout, FrameMark, FramePicture, FrameRecording, FrameView } from '../core/frame.ts'
import type { ParameterSpec, SettingSpec } from '../core/parameter.ts'
import type { Measured, ParameterValue } from '../core/reading.ts'
import type { Clock } from '../core/time.ts'
import type { Place } from './address.ts'
import type { TakenStatistics } from './frame-statistics.ts'

/** What the station gives every driver. Nothing of it is global. */
export type DriverContext = {
  readonly clock: Clock
  /** Where `sim://<name>` leads: the lab's address book (drivers/address.ts). */
  readonly resolve: (address: string) => Promise<ResolvedAddress>
  readonly log: (message: string) => void
  /** A folder for what must be mapped or kept while the device is open (frame rings). */
  readonly workFolder: string
}

/** Where bytes, registers or a library are really found. */
export type ResolvedAddress = Place & { readonly simulated: boolean }

/**
 * The code that speaks to one model. A port (a serial line, a TCP connection, a loaded library) is opened once and shared by every device whose
 * `locate` names the same port; each device is one address on it.
 */
export interface Driver<Port extends DriverPort = DriverPort> {
  /** "<vendor>-<model>", also its folder. */
  readonly id: string
  readonly vendor: string
  readonly model: string
  readonly version: string
  readonly portKind: PortKind
  /** Drivers of one family share ports: what the one's openPort gives, the other's openDevice takes. Absent: this driver alone. */
  readonly portFamily?: string
  readonly settings: readonly SettingSpec[]
  readonly documentation?: string
  /** What a device of it will be able to do; derived, see capabilitiesOf. Known before one is connected. */
  readonly capabilities: readonly Capability[]
  /** What a station that was killed and comes back does with each device of it, before it takes any command. Absent: LEAVE. */
  readonly afterLostStation?: LostStationRule
  /** Checks the settings (InvalidValue) and says which port they name. Pure. */
  locate(settings: DeviceSettings): { readonly address: string; readonly subAddress?: string }
  openPort(settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<Port>
  /** Identifies the instrument (a wrong identity is refused by name) and reads what it needs to describe it. */
  openDevice(port: Port, settings: DeviceSettings, context: DriverContext, signal: AbortSignal): Promise<DeviceHandle>
  /**
   * Who of this model answers at `address`, which nobody has open: for discovery. Sends only questions that neither move nor change anything, on any
   * instrument that may be there, and takes at most PROBE_WITHIN_MS for each address of a bus. Empty when nothing of this model answers. Other drivers were
   * asked before: what they sent may stand in the instrument's input without an end, so a driver of text lines begins with its terminator alone.
   */
  readonly probe?: (address: string, context: DriverContext, signal: AbortSignal) => Promise<readonly Probed[]>
}

/** LEAVE: it goes on as it is. STOP: whatever moves is stopped. MAKE_SAFE: the handle's own makeSafe. */
export type LostStationRule = 'LEAVE' | 'STOP' | 'MAKE_SAFE'

/** An instrument that answered, and the settings that a device of it would be registered with (its address among them). */
export type Probed = { readonly identity: string; readonly settings: DeviceSettings }

export const PROBE_WITHIN_MS = 1000 // a person waits for the whole list; what is slower is registered by hand

export interface DriverPort extends AsyncDisposable {
  /** Aborted when the port is lost (unplugged, connection reset); its reason says why. */
  readonly lost: AbortSignal
}

/**
 * One open device. Every method may throw a Problem with its effect; none retries what moves something.
 * Which facets are there decides what the device can do.
 */
export interface DeviceHandle extends AsyncDisposable {
  /** What the instrument says it is, e.g. "ESP300 Version 3.04 07/27/01". */
  readonly identity: string
  readonly parameters: readonly ParameterSpec[]
  /** Aborted when this device alone is lost, while its port goes on for the others; its reason says why. Absent: only with the port. */
  readonly lost?: AbortSignal
  /** One answer per name. A failed read is `bad` with its reason; it throws only when the port is lost or the signal fires. */
  read(names: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Measured>>
  /** Writes an already checked value (in the parameter's unit), reads it back and returns what the instrument confirms. */
  readonly write?: (name: string, value: ParameterValue, signal: AbortSignal) => Promise<ParameterValue>
  readonly motion?: MotionFacet
  readonly readout?: ReadoutFacet
  readonly trigger?: TriggerFacet
  readonly exposure?: ExposureFacet
  readonly frames?: FrameFacet
  readonly acquisition?: AcquisitionFacet
  readonly registers?: { readonly count: number }
  readonly shutter?: ShutterFacet
  readonly emission?: EmissionFacet
  readonly wavelength?: WavelengthFacet
  readonly commands?: CommandFacet
  /**
   * Whether what was set last is still under way (a laser tunes, a shutter travels), by the instrument's own word; for what is not a motion. Throws
   * HardwareFault if it ended badly.
   */
  readonly underWay?: (signal: AbortSignal) => Promise<boolean>
  /** Closes, switches off, stops: the state in which it may be left alone. */
  readonly makeSafe?: (signal: AbortSignal) => Promise<void>
  /** Puts stop bytes on the wire before everything that waits, and resolves once they are written; `confirmed` once the instrument says that it stands. */
  readonly emergencyStop?: (signal: AbortSignal) => Promise<{ readonly confirmed: Promise<boolean> }>
}

export interface MotionFacet {
  /** UCUM code of positions and limits. */
  readonly unit: string
  /** Parameters that hold the measured position, the commanded one's unit, and the velocity. */
  readonly positionParameter: string
  readonly velocityParameter?: string
  /** How long the longest motion may take, homing included, where a minute is too short: a command that says nothing else has as long. */
  readonly longestMs?: number
  limits(): { readonly minimum?: number; readonly maximum?: number }
  /** Starts the move and returns when the instrument has accepted it (its error queue read). Absolute, in `unit`. */
  moveTo(position: number, signal: AbortSignal): Promise<void>
  /** Starts the search for home and returns when accepted. */
  home(signal: AbortSignal): Promise<void>
  /** By the instrument's own word. Throws HardwareFault if it stopped for a reason of its own. */
  isMoving(signal: AbortSignal): Promise<boolean>
  /** undefined where the instrument cannot tell. */
  homed(): boolean | undefined
  /** Decelerated stop; overtakes what waits on the port. */
  stop(signal: AbortSignal): Promise<void>
}

export interface ReadoutFacet {
  /** The parameter that is the main quantity. */
  readonly parameter: string
}

export interface TriggerFacet {
  trigger(frames: number, signal: AbortSignal): Promise<void>
}

/** Opened and closed by setting the parameter; its write keeps the instrument's own safety rules and reads back. */
export interface ShutterFacet {
  /** A BOOLEAN that may be set; true: open. */
  readonly parameter: string
}

/** Switched by setting the parameter; its write keeps the instrument's own safety rules and reads back. */
export interface EmissionFacet {
  /** A BOOLEAN that may be set; true: on. */
  readonly parameter: string
}

/** Tuned by setting `setpointParameter`; `underWay` says when it has arrived. The setpoint's limits are its range. */
export interface WavelengthFacet {
  /** The wavelength that is measured, where the instrument can tell, else the one that is set. In nm. */
  readonly parameter: string
  /** May be set. In nm. */
  readonly setpointParameter: string
}

/** What a device can do beside setting and moving (search a resonance, calibrate). */
export interface CommandFacet {
  readonly specs: readonly CommandSpec[]
  /** Arguments are checked against the spec before. Returns once the instrument confirms, or has accepted what `underWay` then follows. */
  invoke(name: string, given: Readonly<Record<string, ParameterValue>>, signal: AbortSignal): Promise<ParameterValue | undefined>
}

export interface ExposureFacet {
  readonly parameter: string
}

/** The pixels' path is native; here are its handles. */
export interface FrameFacet {
  readonly sensor: { readonly width: number; readonly height: number; readonly bitDepth: number }
  readonly temperatureParameter?: string
  /** Parameters that hold what is read out and its binning, where they are parameters too: a configuration changes them. */
  readonly roiParameter?: string
  readonly binningParameter?: string
  /** `regions`: whose means are taken, in pixels of the sensor. */
  configuration(): { readonly roi: Roi; readonly binning: number; readonly exposureSeconds: number; readonly regions?: readonly Roi[] }
  configure(change: { readonly roi?: Roi; readonly binning?: number; readonly exposureSeconds?: number }, signal: AbortSignal): Promise<void>
  startLive(signal: AbortSignal): Promise<void>
  stopLive(signal: AbortSignal): Promise<void>
  readonly streaming: boolean
  /** What was measured of every frame since this was asked last. For the station, which asks for everybody and makes readings of it: parameters that are `streamed`. Once more after the device was closed. */
  takeStatistics(): TakenStatistics
  statistics(): { readonly produced: number; readonly lost: number; readonly frameRate: number }
  /**
   * The newest frame, unless it is the one of `after`: cut, reduced and packed in native code, beside JavaScript's thread. undefined when there is none.
   * Throws InvalidValue for a region of the sensor of which the camera reads out nothing.
   */
  tap(view: FrameView, after?: FrameMark): Promise<FramePicture | undefined>
  /**
   * Starts the camera if it does not stream, and records `frames` frames (or until stop) to an Arrow IPC stream at `path`. Heads come from
   * storage (the run engine passes them), because drivers know nothing of Arrow.
   */
  record(
    layout: FrameLayout,
    options: { readonly path: string; readonly frames?: number; readonly keepFreeBytes: number; readonly segmentBytes?: number },
    signal: AbortSignal,
  ): Promise<FrameRecording>
}

/** Inputs that the device samples evenly, by its own clock. The samples' path is native; here are its handles. */
export interface AcquisitionFacet extends AcquisitionState {
  /** What the device will make of it, as its inputs are set now; nothing begins. Throws InvalidValue or LimitViolation that say what it can do. */
  prepare(request: AcquisitionRequest, signal: AbortSignal): Promise<PreparedAcquisition>
  /**
   * Begins, and records every scan once to an Arrow IPC stream at `path`. The layout comes from storage (the run engine passes it), because drivers know
   * nothing of Arrow.
   */
  record(
    prepared: PreparedAcquisition,
    layout: ScanLayout,
    options: { readonly path: string; readonly keepFreeBytes: number },
    signal: AbortSignal,
  ): Promise<ScanRecording>
}

/** The one place that turns facets into capabilities. `write` counts only if some parameter may be written. */
export function capabilitiesOf(device: {
  readonly parameters: readonly Pick<ParameterSpec, 'access'>[]
  readonly write?: unknown
  readonly motion?: unknown
  readonly readout?: unknown
  readonly trigger?: unknown
  readonly exposure?: unknown
  readonly frames?: unknown
  readonly acquisition?: unknown
  readonly registers?: unknown
  readonly shutter?: unknown
  readonly emission?: unknown
  readonly wavelength?: unknown
  readonly commands?: { readonly specs: readonly unknown[] }
}): readonly Capability[] {
  const has: [Capability, boolean][] = [
    ['MOVABLE', device.motion !== undefined],
    ['READABLE', device.readout !== undefined],
    ['TRIGGERABLE', device.trigger !== undefined],
    ['EXPOSURE_CONTROL', device.exposure !== undefined],
    ['FRAME_PRODUCER', device.frames !== undefined],
    ['PARAMETERIZED', device.parameters.length > 0],
    ['SETTABLE', device.write !== undefined && device.parameters.some((parameter) => parameter.access !== 'READ_ONLY')],
    ['ANALOG_INPUT', device.acquisition !== undefined],
    ['REGISTER_BANK', device.registers !== undefined],
    ['SHUTTER_CONTROL', device.shutter !== undefined],
    ['EMISSION_CONTROL', device.emission !== undefined],
    ['WAVELENGTH_TUNABLE', device.wavelength !== undefined],
    ['COMMANDABLE', device.commands !== undefined && device.commands.specs.length > 0],
  ]
  return has.filter(([, there]) => there).map(([capability]) => capability)
}
