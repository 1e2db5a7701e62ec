import { DeviceBusy } from '../core/errors.ts'
import type { FrameRecording } from '../core/frame.ts'
import type { AddonCamera, AddonPvcam } from './addon.ts'
import { withProblems } from './faults.ts'
import { NativeRing } from './rings.ts'
import type { CameraStatistics, FrameRing, FrameTap, Pvcam, PvcamCamera, RecordingOptions } from './types.ts'

export class OpenedPvcam implements Pvcam {
  readonly libraryVersion: string
  #library: AddonPvcam

  constructor(library: AddonPvcam) {
    this.#library = library
    this.libraryVersion = library.version
  }

  cameras(): readonly string[] {
    return withProblems('NONE', () => this.#library.cameras())
  }

  open(name: string): PvcamCamera {
    return withProblems('NONE', () => new OpenedCamera(this.#library.open(name)))
  }

  /** The library is let go once its last camera is closed too. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#library.close()
  }
}

class OpenedCamera implements PvcamCamera {
  readonly name: string
  readonly sensorWidth: number
  readonly sensorHeight: number
  readonly bitDepth: number
  readonly serialNumber: string
  readonly chipName: string
  readonly firmwareVersion: string
  #camera: AddonCamera
  #ring: NativeRing | undefined

  constructor(camera: AddonCamera) {
    const identity = camera.identity
    this.#camera = camera
    this.name = identity.name
    this.sensorWidth = identity.sensorWidth
    this.sensorHeight = identity.sensorHeight
    this.bitDepth = identity.bitDepth
    this.serialNumber = identity.serialNumber
    this.chipName = identity.chipName
    this.firmwareVersion = identity.firmwareVersion
  }

  temperature(): number {
    return withProblems('NONE', () => this.#camera.temperature())
  }

  temperatureSetpoint(): number {
    return withProblems('NONE', () => this.#camera.temperatureSetpoint())
  }

  setTemperatureSetpoint(celsius: number): void {
    withProblems('POSSIBLE', () => this.#camera.setTemperatureSetpoint(celsius))
  }

  start(options: Parameters<PvcamCamera['start']>[0]): FrameRing {
    this.#ring = withProblems('POSSIBLE', () => new NativeRing(this.#camera.start(options)))
    return this.#ring
  }

  async stop(): Promise<void> {
    await withProblems('POSSIBLE', () => this.#camera.stop())
  }

  get streaming(): boolean {
    return this.#camera.streaming
  }

  statistics(): CameraStatistics {
    return withProblems('NONE', () => this.#camera.statistics())
  }

  tap(bin: 1 | 2 | 4, after?: bigint): FrameTap | undefined {
    return this.#ring?.disposed === false ? this.#ring.tap(bin, after) : undefined
  }

  record(options: RecordingOptions): FrameRecording {
    if (this.#ring === undefined || !this.streaming) throw new DeviceBusy(`${this.name} does not stream: start it before recording`, {})
    return this.#ring.record(options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#camera.close()
  }
}
