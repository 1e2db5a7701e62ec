import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { NotSupported } from '../core/errors.ts'
import type { FrameRecording } from '../core/frame.ts'
import type {
  CameraStatistics,
  FrameTap,
  GpioInput,
  GpioInputOptions,
  LibraryAnswer,
  LibraryDevice,
  RecordingOptions,
  RingFrame,
  SpiDevice,
  SpiOptions,
  Stepper,
  StepperOptions,
  UsbtmcDevice,
} from './types.ts'

/** The binary's own exports. Only the files of this folder know them. */
export type Addon = {
  readonly openPseudoTerminal: () => { readonly masterFd: number; readonly slaveFd: number; readonly slavePath: string }
  readonly createRing: (options: { path: string; width: number; height: number; slots: number }) => AddonRing
  readonly mapRing: (path: string) => AddonRing
  readonly crc32c: (bytes: Uint8Array, before: number) => number
  readonly plainWrite: (options: { path: string; bytes: number; count: number }) => Promise<number>
  readonly loadPvcam: (path: string, environment: Readonly<Record<string, string>>) => Promise<AddonPvcam>
  readonly openSpi: (options: SpiOptions) => SpiDevice
  readonly openGpioInput: (options: GpioInputOptions) => GpioInput
  readonly openStepper: (options: StepperOptions) => Stepper
  readonly openUsbtmc: (path: string) => UsbtmcDevice
  readonly openDriverDevice: (path: string, settings: string) => Promise<LibraryAnswer<'device', LibraryDevice>>
}

export type AddonRing = {
  readonly path: string
  readonly slots: number
  readonly width: number
  readonly height: number
  readonly frameBytes: number
  readonly published: bigint
  readonly closed: boolean
  tap(bin: 1 | 2 | 4, after?: bigint): FrameTap | undefined
  frame(index: bigint): RingFrame | undefined
  record(options: RecordingOptions): FrameRecording
  startTestPattern(options: { rateHz?: number; frames: number }): Promise<void>
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
  temperature(): Promise<number>
  temperatureSetpoint(): Promise<number>
  setTemperatureSetpoint(celsius: number): Promise<void>
  start(options: object): Promise<AddonRing>
  stop(): Promise<void>
  close(): Promise<void>
  statistics(): CameraStatistics
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
