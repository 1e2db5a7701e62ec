import type { Capability } from './capability.ts'
import type { CommandSpec } from './command-spec.ts'
import type { ParameterSpec } from './parameter.ts'
import type { ParameterValue, Reading } from './reading.ts'
import type { WallNs } from './time.ts'

export type ConnectionState = 'DISCONNECTED' | 'CONNECTING' | 'CONNECTED' | 'RECONNECTING' | 'FAILED'
export type StatusCode = 'IDLE' | 'BUSY' | 'WARNING' | 'ERROR' | 'UNSTABLE' | 'DISABLED'
export type DeviceStatus = { readonly code: StatusCode; readonly text?: string; readonly since: WallNs }
export type PortKind = 'SERIAL' | 'RS485' | 'TCP' | 'MODBUS_TCP' | 'MODBUS_RTU' | 'USB' | 'SPI' | 'NATIVE' | 'SIMULATED'

/** Settings as a person gave them; the driver's SettingSpecs say what is allowed. */
export type DeviceSettings = Readonly<Record<string, ParameterValue>>

/** A device as it is registered: what PostgreSQL holds. One axis of a shared controller is one device. */
export type DeviceRecord = {
  readonly id: string
  readonly name: string
  readonly label?: string
  readonly driverId: string
  readonly stationId: string
  readonly settings: DeviceSettings
  readonly version: number
}

export type MotionState = {
  readonly moving?: boolean
  readonly homed?: boolean
  readonly unit: string
  readonly minimum?: number
  readonly maximum?: number
  /** Names of the parameters that hold them. */
  readonly positionParameter: string
  readonly velocityParameter?: string
  /** How long its longest motion may take, where a minute is too short. */
  readonly longestMs?: number
}

export type Roi = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

export type CameraState = {
  readonly width: number
  readonly height: number
  readonly bitDepth: number
  readonly dtype: 'uint16'
  readonly roi: Roi
  readonly binning: { readonly x: number; readonly y: number }
  readonly exposureParameter: string
  readonly temperatureParameter?: string
  readonly streaming: boolean
  readonly frameRate?: number
  readonly framesProduced: number
  readonly framesDropped: number
}

/** Names of the parameters of a tunable source; both in nm. They are the same where the instrument cannot measure. */
export type WavelengthState = { readonly parameter: string; readonly setpointParameter: string }

/** Where a registered address leads on this host. `path`: the same address by a name that stays, where the host knows one. */
export type PortState = { readonly address: string; readonly path: string; readonly serialNumber?: string; readonly vendor?: string }

export type ParameterState = {
  readonly spec: ParameterSpec
  /** Small number that stands for (device, name) on this station until its next start. */
  readonly handle: number
  readonly reading?: Reading
  readonly setpoint?: Reading
}

/** What a device can sample by its own clock. */
export type AcquisitionState = {
  /** The parameters that read one input each. */
  readonly inputs: readonly string[]
  readonly minimumRateHz: number
  /** Of single values: a scan of two inputs comes at half of it at most. */
  readonly maximumRateHz: number
}

/** A device as its station sees it now. */
export type DeviceState = {
  readonly id: string
  readonly name: string
  readonly driverId: string
  readonly simulated: boolean
  readonly identity?: string
  readonly connection: ConnectionState
  readonly connectionReason?: string
  readonly connectionSince: WallNs
  readonly status: DeviceStatus
  readonly capabilities: readonly Capability[]
  readonly parameters: readonly ParameterState[]
  readonly motion?: MotionState
  /** The parameter that is the main quantity; null unless READABLE. */
  readonly readoutParameter?: string
  readonly camera?: CameraState
  readonly acquisition?: AcquisitionState
  /** The parameter that opens and closes it, and that switches it on; absent unless it has them. */
  readonly shutterParameter?: string
  readonly emissionParameter?: string
  readonly wavelength?: WavelengthState
  /** What it can do beside; absent: nothing. */
  readonly commands?: readonly CommandSpec[]
  /** Where it was found when it was connected the last time. */
  readonly port?: PortState
  /** The run that holds the device now. */
  readonly runId?: string
}

export type EmergencyStopState = { readonly active: boolean; readonly by?: string; readonly reason?: string; readonly at?: WallNs }
