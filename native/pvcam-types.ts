import type { Roi } from '../core/device.ts'
import type { Problem } from '../core/errors.ts'
import type { FrameRecording } from '../core/frame.ts'
import type { FrameRing, FrameTap, RecordingOptions, RingMeasures, TapOptions } from './types.ts'

export type PvcamValue = number | boolean | string

export type PvcamChoice = { readonly value: number; readonly name: string }

/** By PVCAM's numbers. */
export const PVCAM_TYPES = {
  1: 'INT16',
  2: 'INT32',
  4: 'FLOAT64',
  5: 'UINT8',
  6: 'UINT16',
  7: 'UINT32',
  8: 'UINT64',
  9: 'ENUM',
  11: 'BOOLEAN',
  12: 'INT8',
  13: 'TEXT',
  16: 'INT64',
  18: 'FLOAT32',
} as const
export type PvcamType = (typeof PVCAM_TYPES)[keyof typeof PVCAM_TYPES]

export const PVCAM_ACCESS = { 1: 'READ_ONLY', 2: 'READ_WRITE', 3: 'EXISTS', 4: 'WRITE_ONLY' } as const
export type PvcamAccess = (typeof PVCAM_ACCESS)[keyof typeof PVCAM_ACCESS]

/** What a camera says of one of its parameters now; the range and the choices may depend on others. */
export type PvcamDescription = {
  /** OTHER: a pointer, which cannot be read or set. */
  readonly type: PvcamType | 'OTHER'
  readonly access: PvcamAccess
  readonly minimum?: PvcamValue
  readonly maximum?: PvcamValue
  readonly increment?: PvcamValue
  readonly default?: PvcamValue
  /** Of an ENUM. */
  readonly choices: readonly PvcamChoice[]
}

export type CameraStatistics = {
  readonly produced: number
  readonly lost: number
  readonly frameRate: number
  /** Of the present or last stream, as the camera does it after its own rounding. */
  readonly exposureSeconds: number
  /** Why the last stream ended by itself before its last frame. */
  readonly ended?: string
}

export type CameraStart = {
  readonly roi: Roi
  /** Several, of which `roi` is the smallest rectangle around all: the pixels between them are 0. Needs the camera's metadata to be switched on. */
  readonly regions?: readonly Roi[]
  readonly binning: number | { readonly x: number; readonly y: number }
  readonly exposureSeconds: number
  /** Of the camera's own choices of PARAM_EXPOSURE_MODE and PARAM_EXPOSE_OUT_MODE; absent: it runs by itself, and its first one. */
  readonly triggerMode?: number
  readonly exposeOutMode?: number
  readonly ringPath: string
  readonly ringSlots: number
  /** Its regions in pixels of the frames: after the region of the sensor and the binning. */
  readonly measures?: RingMeasures
  readonly frames?: number
}

/**
 * A camera that PVCAM knows. One instance per opened camera; several at once are allowed. What reaches the library is done beside JavaScript's thread, one
 * call after the other in the order in which they were asked for: a stop() asked for during a start() stops what that start began.
 *
 * Throws HardwareFault with PVCAM's code and text. Parameters are named by PVCAM's ids (class << 16 | type << 24 | number); none is read or set while the
 * camera streams, because that breaks the acquisition: DeviceBusy.
 */
export interface PvcamCamera extends AsyncDisposable {
  readonly name: string
  readonly sensorWidth: number
  readonly sensorHeight: number
  /** At the present speed and gain. */
  readonly bitDepth: number
  readonly serialNumber: string
  readonly chipName: string
  readonly firmwareVersion: string
  /** undefined for what the camera does not have. */
  describe(ids: readonly number[]): Promise<readonly (PvcamDescription | undefined)[]>
  /** One for each, or why there is none. Enumerations are numbers. 64-bit numbers beyond 2^53 are not exact. */
  get(ids: readonly number[]): Promise<readonly (PvcamValue | Problem)[]>
  set(id: number, value: PvcamValue): Promise<void>
  /** Every parameter of every post-processing feature is as it was made. */
  resetPostProcessing(): Promise<void>
  /** While it streams in a mode that waits for one. false: it was not waiting. */
  softwareTrigger(): Promise<boolean>
  /** true once the camera is pulled out, false once it is closed. */
  readonly removed: Promise<boolean>
  /**
   * Sets regions, mode and exposure up and starts continuous acquisition into a new ring: register EOF callback, setup_cont, start_cont
   * (CIRC_NO_OVERWRITE); per callback: drain with get_oldest_frame, copy to the slot, then unlock. Exposures are exact to the microsecond below 71 minutes.
   * With `frames` it stops by itself after that many. A mode that waits for triggers waits without an end.
   */
  start(options: CameraStart): Promise<FrameRing>
  stop(): Promise<void>
  readonly streaming: boolean
  statistics(): CameraStatistics
  /** undefined until a frame newer than `after` has been published. */
  tap(options: TapOptions): Promise<FrameTap | undefined>
  /** Records from the running ring, from the next frame on. */
  record(options: RecordingOptions): FrameRecording
}

export interface Pvcam extends AsyncDisposable {
  readonly libraryVersion: string
  /** Names as enumeration gives them; always take the name from here. */
  cameras(): Promise<readonly string[]>
  open(name: string): Promise<PvcamCamera>
}

/** A frame with PVCAM's metadata, as the ring would show it. Times by the camera's clock. */
export type DecodedPvcamFrame = {
  readonly version: number
  readonly number: number
  readonly beginNs: bigint
  readonly endNs: bigint
  readonly exposureNs: bigint
  readonly bitDepth: number
  /** How many have pixels. */
  readonly regions: number
  readonly pixels: Uint16Array
}
