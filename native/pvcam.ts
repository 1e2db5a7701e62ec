import type { Roi } from '../core/device.ts'
import { asProblem, DeviceBusy, type Effect, type Problem } from '../core/errors.ts'
import type { FrameRecording } from '../core/frame.ts'
import { Turns } from '../core/turns.ts'
import { type AddonCamera, type AddonDescription, type AddonPvcam, loadAddon } from './addon.ts'
import { problemOf, withProblems, withProblemsLater } from './faults.ts'
import {
  type CameraStart,
  type CameraStatistics,
  type DecodedPvcamFrame,
  PVCAM_ACCESS,
  PVCAM_TYPES,
  type Pvcam,
  type PvcamCamera,
  type PvcamDescription,
  type PvcamValue,
} from './pvcam-types.ts'

import { NativeRing } from './rings.ts'
import type { FrameRing, FrameTap, RecordingOptions, TapOptions } from './types.ts'

export class OpenedPvcam implements Pvcam {
  readonly libraryVersion: string
  readonly #library: AddonPvcam
  readonly #calls = new Turns()

  constructor(library: AddonPvcam) {
    this.#library = library
    this.libraryVersion = library.version
  }

  cameras(): Promise<readonly string[]> {
    return this.#calls.take(() => withProblemsLater('NONE', () => this.#library.cameras()))
  }

  open(name: string): Promise<PvcamCamera> {
    return this.#calls.take(() => withProblemsLater('NONE', async () => new OpenedCamera(await this.#library.open(name))))
  }

  /** The library is let go once its last camera is closed too. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#calls.take(() => this.#library.close())
  }
}

class OpenedCamera implements PvcamCamera {
  readonly name: string
  readonly sensorWidth: number
  readonly sensorHeight: number
  readonly serialNumber: string
  readonly chipName: string
  readonly firmwareVersion: string
  readonly #camera: AddonCamera
  readonly #calls = new Turns()
  #ring: NativeRing | undefined

  constructor(camera: AddonCamera) {
    const identity = camera.identity
    this.#camera = camera
    this.name = identity.name
    this.sensorWidth = identity.sensorWidth
    this.sensorHeight = identity.sensorHeight
    this.serialNumber = identity.serialNumber
    this.chipName = identity.chipName
    this.firmwareVersion = identity.firmwareVersion
  }

  get bitDepth(): number {
    return withProblems('NONE', () => this.#camera.identity.bitDepth)
  }

  get removed(): Promise<boolean> {
    return this.#camera.removed
  }

  describe(ids: readonly number[]): Promise<readonly (PvcamDescription | undefined)[]> {
    return this.#call('NONE', async () => (await this.#camera.describe(ids)).map((each) => each && descriptionOf(each)))
  }

  get(ids: readonly number[]): Promise<readonly (PvcamValue | Problem)[]> {
    return this.#call('NONE', async () =>
      (await this.#camera.get(ids)).map((each) => (each instanceof Error ? asProblem(problemOf(each, 'NONE'), 'NONE') : each)),
    )
  }

  set(id: number, value: PvcamValue): Promise<void> {
    return this.#call('POSSIBLE', () => this.#camera.set(id, value))
  }

  resetPostProcessing(): Promise<void> {
    return this.#call('POSSIBLE', () => this.#camera.resetPostProcessing())
  }

  softwareTrigger(): Promise<boolean> {
    return this.#call('POSSIBLE', () => this.#camera.softwareTrigger())
  }

  start({ roi, regions = [roi], binning, ...options }: CameraStart): Promise<FrameRing> {
    const { x: binningX, y: binningY } = typeof binning === 'number' ? { x: binning, y: binning } : binning
    return this.#call('POSSIBLE', async () => {
      this.#ring = new NativeRing(await this.#camera.start({ regions, binningX, binningY, ...options }))
      return this.#ring
    })
  }

  stop(): Promise<void> {
    return this.#call('POSSIBLE', () => this.#camera.stop())
  }

  get streaming(): boolean {
    return this.#camera.streaming
  }

  statistics(): CameraStatistics {
    return withProblems('NONE', () => this.#camera.statistics())
  }

  async tap(options: TapOptions): Promise<FrameTap | undefined> {
    return this.#ring?.disposed === false ? this.#ring.tap(options) : undefined
  }

  record(options: RecordingOptions): FrameRecording {
    if (this.#ring === undefined || !this.streaming) throw new DeviceBusy(`${this.name} does not stream: start it before recording`, {})
    return this.#ring.record(options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#calls.take(() => this.#camera.close())
  }

  #call<T>(effect: Effect, call: () => Promise<T>): Promise<T> {
    return this.#calls.take(() => withProblemsLater(effect, call))
  }
}

function descriptionOf({ type, access, ...rest }: AddonDescription): PvcamDescription {
  return {
    type: PVCAM_TYPES[type as keyof typeof PVCAM_TYPES] ?? 'OTHER',
    access: PVCAM_ACCESS[access as keyof typeof PVCAM_ACCESS] ?? 'EXISTS',
    ...rest,
  }
}

/**
 * Takes a frame with PVCAM's metadata (header versions 1 to 3) apart and puts its regions together within `roi`, in sensor pixels; what none covers is 0.
 * The camera's own frames are decoded on the way into the ring; this is for bytes from elsewhere. Throws for bytes that are no such frame, or not all of it.
 */
export function decodePvcamFrame(bytes: Uint8Array, roi: Roi, binning: { readonly x: number; readonly y: number }): DecodedPvcamFrame {
  return withProblems('NONE', () => loadAddon().decodePvcamFrame({ bytes, ...roi, binningX: binning.x, binningY: binning.y }))
}
