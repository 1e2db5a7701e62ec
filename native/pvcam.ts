import { DeviceBusy, type Effect } from '../core/errors.ts'
import type { FrameRecording } from '../core/frame.ts'
import { Turns } from '../core/turns.ts'
import type { AddonCamera, AddonPvcam } from './addon.ts'
import { withProblems, withProblemsLater } from './faults.ts'
import { NativeRing } from './rings.ts'
import type { CameraStatistics, FrameRing, FrameTap, Pvcam, PvcamCamera, RecordingOptions, TapOptions } from './types.ts'

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
  readonly bitDepth: number
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
    this.bitDepth = identity.bitDepth
    this.serialNumber = identity.serialNumber
    this.chipName = identity.chipName
    this.firmwareVersion = identity.firmwareVersion
  }

  temperature(): Promise<number> {
    return this.#call('NONE', () => this.#camera.temperature())
  }

  temperatureSetpoint(): Promise<number> {
    return this.#call('NONE', () => this.#camera.temperatureSetpoint())
  }

  setTemperatureSetpoint(celsius: number): Promise<void> {
    return this.#call('POSSIBLE', () => this.#camera.setTemperatureSetpoint(celsius))
  }

  start(options: Parameters<PvcamCamera['start']>[0]): Promise<FrameRing> {
    return this.#call('POSSIBLE', async () => {
      this.#ring = new NativeRing(await this.#camera.start(options))
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
