import type { ConnectionState } from './device.ts'
import type { Reading } from './reading.ts'
import type { WallNs } from './time.ts'

export type DatasetKind = 'TABLE' | 'FRAMES'
export type DatasetState = 'RECORDING' | 'COMPLETE' | 'RECOVERED' | 'FAILED' | 'ARCHIVED'

export type ColumnType = 'float64' | 'int64' | 'uint64' | 'bool' | 'utf8' | 'timestamp[ns]' | 'uint16'

/** A column of a dataset. Every column of a physical quantity has a unit. */
export type DatasetColumn = {
  readonly name: string
  readonly type: ColumnType
  /** UCUM. */
  readonly unit?: string
  readonly deviceId?: string
  readonly parameter?: string
  /** Of one cell, [height, width] for frames; absent for a scalar. */
  readonly shape?: readonly number[]
}

/** A finished file: name within the dataset's or export's folder, size, lower-case hex SHA-256 (absent while it is still computed). */
export type DatasetFile = { readonly name: string; readonly bytes: number; readonly sha256?: string; readonly mediaType: string }

export type ManifestEntry = {
  readonly deviceId: string
  readonly deviceName: string
  readonly parameter: string
  readonly unit?: string
  readonly reading: Reading
}

/** A registered device at that moment. One that never connected in this life of its station has no parameters: the connection and its reason say why. */
export type ManifestDevice = {
  readonly deviceId: string
  readonly deviceName: string
  readonly driverId: string
  readonly connection: ConnectionState
  readonly connectionReason?: string
}

/** Stands for the version of a driver that is not there: its plugin is gone, or its station has not been heard. */
export const UNKNOWN_VERSION = 'unknown'

/** What was true at one moment: every parameter, every device, every driver and its version (or UNKNOWN_VERSION), the software's own version and commit. */
export type Manifest = {
  readonly takenAt: WallNs
  /** Absent in a manifest from before they were kept. */
  readonly devices?: readonly ManifestDevice[]
  readonly parameters: readonly ManifestEntry[]
  readonly software: { readonly version: string; readonly commit: string; readonly drivers: Readonly<Record<string, string>>; readonly node: string }
}

/** Name of the file beside each recording that says what it is. */
export const MANIFEST_FILE = 'manifest.json'
export const TABLE_FILE = 'table.arrow'
export const FRAMES_FILE = 'frames.arrow'
