import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Roi } from '../core/device.ts'
import { NotSupported } from '../core/errors.ts'
import type { FrameRecording } from '../core/frame.ts'
import type { CameraStatistics, DecodedPvcamFrame, PvcamChoice, PvcamDescription, PvcamValue } from './pvcam-types.ts'
import type {
  ComediAcquisitionOptions,
  ComediBoard,
  ComediChannel,
  ComediCommandOptions,
  ComediPlaybackOptions,
  ComediSamples,
  ComediTiming,
  FrameStamp,
  FrameTap,
  GpioInput,
  GpioInputOptions,
  LibraryAnswer,
  LibraryDevice,
  PatternOptions,
  RecordingOptions,
  RegionSeriesOptions,
  RingFrame,
  RingMeasures,
  ScanRecordingOptions,
  SpiDevice,
  SpiOptions,
  Stepper,
  StepperOptions,
  TapOptions,
  ThreadTimes,
  UsbtmcDevice,
} from './types.ts'

/** The binary's own exports. Only the files of this folder know them. */
export type Addon = {
  readonly openPseudoTerminal: () => { readonly masterFd: number; readonly slaveFd: number; readonly slavePath: string }
  readonly createRing: (options: { path: string; width: number; height: number; slots: number } & RingMeasures) => AddonRing
  readonly mapRing: (path: string) => AddonRing
  readonly crc32c: (bytes: Uint8Array, before: number) => number
  readonly regionSeries: (options: RegionSeriesOptions) => Promise<Float64Array>
  readonly plainCopy: (options: { bytes: number; places: number; count: number }) => Promise<ThreadTimes>
  readonly regionPixels: (options: RegionSeriesOptions) => Promise<Uint16Array>
  readonly decompressBody: (codec: string, bytes: Uint8Array, into: Uint8Array) => Promise<void>
  readonly plainWrite: (options: { path: string; bytes: number; count: number }) => Promise<number>
  readonly decodePvcamFrame: (options: {
    readonly bytes: Uint8Array
    readonly x: number
    readonly y: number
    readonly width: number
    readonly height: number
    readonly binningX: number
    readonly binningY: number
  }) => DecodedPvcamFrame
  readonly loadPvcam: (path: string, environment: Readonly<Record<string, string>>) => Promise<AddonPvcam>
  readonly openSpi: (options: SpiOptions) => SpiDevice
  readonly openGpioInput: (options: GpioInputOptions) => GpioInput
  readonly openStepper: (options: StepperOptions) => Stepper
  readonly openUsbtmc: (path: string) => UsbtmcDevice
  readonly openComedi: (library: string, device: string) => Promise<AddonComedi>
  readonly openDriverDevice: (path: string, settings: string) => Promise<LibraryAnswer<'device', LibraryDevice>>
}

export type AddonRing = {
  readonly path: string
  readonly slots: number
  readonly width: number
  readonly height: number
  readonly frameBytes: number
  readonly saturation: number
  readonly regions: readonly Roi[]
  readonly published: bigint
  readonly closed: boolean
  tap(options: TapOptions): Promise<FrameTap | undefined>
  stamps(from: bigint, most: number): readonly FrameStamp[]
  frame(index: bigint, into?: Uint16Array): RingFrame | undefined
  record(options: RecordingOptions): FrameRecording
  startTestPattern(options: PatternOptions): Promise<ThreadTimes>
  dispose(): Promise<void>
}

/** Calls that reach the library are made on the thread pool, which keeps no order: make the next one when the last has been answered. */
export type AddonPvcam = {
  readonly version: string
  cameras(): Promise<readonly string[]>
  open(name: string): Promise<AddonCamera>
  close(): Promise<void>
}

/** As AddonPvcam. */
export type AddonCamera = {
  readonly identity: {
    readonly name: string
    readonly sensorWidth: number
    readonly sensorHeight: number
    readonly bitDepth: number
    readonly serialNumber: string
    readonly chipName: string
    readonly firmwareVersion: string
  }
  readonly streaming: boolean
  readonly removed: Promise<boolean>
  describe(ids: readonly number[]): Promise<readonly (AddonDescription | undefined)[]>
  /** An Error stands for what could not be read. */
  get(ids: readonly number[]): Promise<readonly (PvcamValue | Error)[]>
  set(id: number, value: PvcamValue): Promise<void>
  resetPostProcessing(): Promise<void>
  softwareTrigger(): Promise<boolean>
  start(options: object): Promise<AddonRing>
  stop(): Promise<void>
  close(): Promise<void>
  statistics(): CameraStatistics
}

/** Type and access are the numbers of native/src/pvcam_api.h. */
export type AddonDescription = Omit<PvcamDescription, 'type' | 'access'> & {
  readonly type: number
  readonly access: number
  readonly choices: readonly PvcamChoice[]
}

/** Calls are made one after the other, in the order in which they were asked for. */
export type AddonComedi = {
  describe(): { readonly driver: string; readonly board: string; readonly version: string; readonly subdevices: readonly AddonSubdevice[] }
  read(channel: ComediChannel): Promise<number>
  write(options: ComediChannel & { readonly value: number }): Promise<void>
  configureLine(options: AddonLine & { readonly output: boolean }): Promise<void>
  lineIsOutput(options: AddonLine): Promise<boolean>
  readLine(options: AddonLine): Promise<boolean>
  writeLine(options: AddonLine & { readonly high: boolean }): Promise<void>
  bits(options: Parameters<ComediBoard['bits']>[0]): Promise<number>
  startCounter(options: {
    readonly subdevice: number
    readonly slow: boolean
    readonly falling: boolean
    readonly pin?: number
    readonly gatePin?: number
  }): Promise<void>
  startPulses(options: { readonly subdevice: number; readonly lowTicks: number; readonly highTicks: number }): Promise<void>
  stopCounter(options: { readonly subdevice: number }): Promise<void>
  counterRuns(options: { readonly subdevice: number }): Promise<boolean>
  outputFrequency(options: { readonly subdevice: number; readonly slow: boolean; readonly divider: number }): Promise<void>
  resetCounter(options: { readonly subdevice: number }): Promise<void>
  check(options: ComediCommandOptions): Promise<ComediTiming>
  acquire(options: ComediAcquisitionOptions): Promise<AddonAcquisition>
  play(options: ComediPlaybackOptions): Promise<AddonPlayback>
  close(): Promise<void>
}

type AddonLine = { readonly subdevice: number; readonly line: number }

/** Type, flags and units are the numbers of native/src/comedi_api.h. */
export type AddonSubdevice = {
  readonly type: number
  readonly flags: number
  readonly channels: number
  readonly maxdata: number
  readonly ranges: readonly { readonly minimum: number; readonly maximum: number; readonly unit: number }[]
}

export type AddonAcquisition = {
  readonly scanIntervalNs: number
  readonly convertIntervalNs: number
  makeRing(options: ScanRecordingOptions): AddonRing
  pour(): Promise<void>
  readonly lastScans: number
  latest(): ComediSamples | undefined
  abandon(): void
  take(options: { readonly maximumScans: number }): Promise<ComediSamples | undefined>
  stop(): Promise<void>
}

export type AddonPlayback = {
  readonly scanIntervalNs: number
  waitForEnd(): Promise<void>
  stop(): Promise<void>
}

/** The build folder as seen from the sources (native/) and from the compiled tree (dist/native/). */
const BUILD_FOLDERS = ['./build/Release/', '../../native/build/Release/']

let loaded: Addon | undefined

/** The path of a product of native/build.mjs. Throws NotSupported with the cure if it has not been built. */
export function builtFile(name: string): string {
  const path = BUILD_FOLDERS.map((folder) => fileURLToPath(new URL(folder + name, import.meta.url))).find(existsSync)
  if (path === undefined) throw new NotSupported(`${name} has not been built: run node native/build.mjs`)
  return path
}

/** Loads the binary at the first call and not before: importing this file touches nothing. */
export function loadAddon(): Addon {
  loaded ??= createRequire(import.meta.url)(builtFile('kymograph.node')) as Addon
  return loaded
}
