import { setTimeout as pause } from 'node:timers/promises'
import { asProblem, DeviceBusy, HardwareFault, InvalidValue, NotFound } from '../../core/errors.ts'
import type { FrameMark, FramePicture, FrameRecording, FrameView } from '../../core/frame.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { Measured, ParameterValue } from '../../core/reading.ts'
import { Turns } from '../../core/turns.ts'
import type { FrameRing, PvcamCamera } from '../../native/types.ts'
import type { DeviceHandle, FrameFacet, TriggerFacet } from '../driver.ts'
import { formatRegions, frameRegions, parseRegions, REGIONS_PARAMETER } from '../frame-regions.ts'
import { FrameStatisticsCollector } from '../frame-statistics.ts'
import { problemOf } from '../transport/exchange-queue.ts'
import { cameraParameters } from './parameters.ts'
import { pictureOf, tapOptions } from './picture.ts'
import { type Configuration, checkConfiguration, fullFrame, ringSlots, type Sensor, sensorTemperature } from './protocol.ts'

const TRIGGER_POLL_MS = 5
const DEFAULT_EXPOSURE_SECONDS = 0.01
const LOST_AFTER = 3 // calls in a row that failed: PVCAM has no word for a camera that was unplugged

/** `number` counts the starts. */
type Stream = { readonly ring: FrameRing; readonly configuration: Configuration; readonly number: number }

/** One open camera. While it streams no parameter is read from it: that breaks the acquisition (PVCAM). What was read before is told, as doubtful. */
export class CameraDevice implements DeviceHandle {
  readonly identity: string
  readonly exposure = { parameter: 'exposure' }
  readonly trigger: TriggerFacet
  readonly frames: FrameFacet
  readonly #camera: PvcamCamera
  readonly #ringPath: string
  readonly #lastRead = new Map<string, ParameterValue>()
  #configuration: Configuration
  readonly #measured = new FrameStatisticsCollector()
  #parameters = cameraParameters(0)
  #stream: Stream | undefined
  #starts = 0
  #recording: FrameRecording | undefined
  /** Starting, stopping and what must happen between them. */
  readonly #turns = new Turns()

  readonly #lost: AbortSignal
  readonly #lose: (why: string) => void
  #failures = 0

  /** `ringPath` is this camera's alone: each stream replaces what the one before left there. `lose`: the camera does not answer any more. */
  constructor(camera: PvcamCamera, libraryVersion: string, ringPath: string, port: { readonly lost: AbortSignal; readonly lose: (why: string) => void }) {
    this.#lost = port.lost
    this.#lose = port.lose
    this.#camera = camera
    this.#ringPath = ringPath
    const sensor: Sensor = { width: camera.sensorWidth, height: camera.sensorHeight, bitDepth: camera.bitDepth }
    this.#configuration = { roi: fullFrame(sensor), binning: 1, exposureSeconds: DEFAULT_EXPOSURE_SECONDS, regions: [] }
    this.identity = `${camera.name}, ${camera.chipName}, serial ${camera.serialNumber}, PVCAM ${libraryVersion}`
    this.trigger = { trigger: (frames, signal) => this.#trigger(frames, signal) }
    const streaming = (): boolean => this.#camera.streaming
    this.frames = {
      sensor,
      temperatureParameter: 'temperature',
      configuration: () => this.#configuration,
      configure: (change) => this.#configure({ ...this.#configuration, ...change }, sensor),
      startLive: () => this.#inTurn(() => this.#start()),
      stopLive: () => this.#inTurn(() => this.#stopLive()),
      get streaming() {
        return streaming()
      },
      takeStatistics: () => this.#measured.take(),
      statistics: () => this.#camera.statistics(),
      tap: (view, after) => this.#tap(view, after),
      record: (layout, options) => this.#inTurn(() => this.#record({ ...layout, ...options })),
    }
  }

  get parameters(): readonly ParameterSpec[] {
    return this.#parameters
  }

  async read(names: readonly string[]): Promise<ReadonlyMap<string, Measured>> {
    const values = new Map<string, Measured>()
    for (const name of names) {
      if (this.#lost.aborted) throw this.#lost.reason
      values.set(name, await this.#readOne(name))
    }
    return values
  }

  async write(name: string, value: ParameterValue): Promise<ParameterValue> {
    if (name === REGIONS_PARAMETER) return await this.#setRegions(String(value))
    if (typeof value !== 'number') throw new InvalidValue(`${name} cannot be set to ${String(value)}`, [name])
    if (name === 'exposure') {
      await this.#configure({ ...this.#configuration, exposureSeconds: value }, this.frames.sensor)
      return this.#configuration.exposureSeconds
    }
    if (name === 'temperature_setpoint') {
      return await this.#inTurn(async () => {
        this.#refuseWhileStreaming('The temperature setpoint cannot be set')
        await this.#camera.setTemperatureSetpoint(value)
        return await this.#camera.temperatureSetpoint()
      })
    }
    throw new InvalidValue(`${name} cannot be set to ${value}`, [name])
  }

  /** A parameter that was there once stays: its history goes on when the regions do. */
  async #setRegions(text: string): Promise<string> {
    const regions = parseRegions(text)
    await this.#configure({ ...this.#configuration, regions }, this.frames.sensor)
    const all = cameraParameters(regions.length)
    if (all.length > this.#parameters.length) this.#parameters = all
    return formatRegions(regions)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(async () => {
      await this.#recording?.stop()
      await this.#stop()
      await this.#camera[Symbol.asyncDispose]()
    })
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#turns.take(work)
    } catch (error) {
      throw asProblem(error)
    }
  }

  async #configure(next: Configuration, sensor: Sensor): Promise<void> {
    checkConfiguration(next, sensor)
    await this.#inTurn(async () => {
      if (this.#recording !== undefined) throw new DeviceBusy('the camera records; stop the recording first', {})
      const wasStreaming = this.#camera.streaming
      const before = this.#configuration
      this.#configuration = next
      if (!wasStreaming) return
      await this.#stop()
      try {
        await this.#start()
      } catch (error) {
        this.#configuration = before
        throw error
      }
    })
  }

  async #start(frames?: number): Promise<void> {
    if (this.#camera.streaming) return
    await this.#stop() // a finished stream leaves its ring
    const configuration = this.#configuration
    const { roi, binning, exposureSeconds, regions } = configuration
    await this.#readTemperature('temperature')
    await this.#readTemperature('temperature_setpoint')
    const ring = await this.#camera.start({
      roi,
      binning,
      exposureSeconds,
      ringPath: this.#ringPath,
      ringSlots: ringSlots(configuration),
      measures: { saturation: 2 ** this.frames.sensor.bitDepth - 1, regions: frameRegions(regions, roi, binning) },
      ...(frames !== undefined && { frames }),
    })
    this.#starts += 1
    this.#stream = { ring, configuration, number: this.#starts }
    this.#measured.follow(ring)
  }

  async #stopLive(): Promise<void> {
    if (this.#recording !== undefined) throw new DeviceBusy('the camera records; stop the recording first', {})
    await this.#stop()
  }

  async #stop(): Promise<void> {
    await this.#camera.stop()
    const stream = this.#stream
    this.#stream = undefined
    this.#measured.release()
    await stream?.ring[Symbol.asyncDispose]()
  }

  /** Starts, waits for `frames` frames, stops. The ring stays, so that the last frame can be looked at. */
  async #trigger(frames: number, signal: AbortSignal): Promise<void> {
    if (!Number.isSafeInteger(frames) || frames < 1) throw new InvalidValue(`frames: ${frames} is not allowed; give a whole number from 1`, ['frames'])
    await this.#inTurn(async () => {
      this.#refuseWhileStreaming('A trigger is not possible')
      await this.#start(frames)
    })
    while (this.#camera.streaming && this.#camera.statistics().produced < frames) {
      if (signal.aborted) {
        await this.#inTurn(() => this.#stop())
        throw problemOf(signal, 'POSSIBLE')
      }
      await pause(TRIGGER_POLL_MS)
    }
    const { produced } = this.#camera.statistics()
    await this.#inTurn(() => this.#camera.stop())
    if (produced < frames) throw new HardwareFault(`the camera gave ${produced} of ${frames} frames`, 'DONE')
  }

  async #record(options: Parameters<PvcamCamera['record']>[0]): Promise<FrameRecording> {
    if (this.#recording !== undefined) throw new DeviceBusy('the camera records already', {})
    const { roi, binning } = this.#configuration
    if (options.width !== roi.width / binning || options.height !== roi.height / binning)
      throw new InvalidValue(
        `the recording is prepared for ${options.width}x${options.height} pixels and the camera gives ${roi.width / binning}x${roi.height / binning}`,
        ['layout'],
      )
    const wasStreaming = this.#camera.streaming
    if (!wasStreaming) await this.#start()
    let recording: FrameRecording
    try {
      recording = this.#camera.record(options)
    } catch (error) {
      if (!wasStreaming) await this.#stop()
      throw error
    }
    this.#recording = recording
    // The camera is left as it was found before the recording's end is told.
    const ended = recording.ended.finally(async () => {
      if (this.#recording === recording) this.#recording = undefined
      if (!wasStreaming) await this.#inTurn(() => this.#stop())
    })
    ended.catch(() => undefined) // whoever waits for `ended` hears of it
    return {
      progress: () => recording.progress(),
      stop: async () => {
        await recording.stop()
        return await ended
      },
      ended,
    }
  }

  async #tap(view: FrameView, after: FrameMark | undefined): Promise<FramePicture | undefined> {
    const stream = this.#stream
    if (stream === undefined) return undefined
    const tap = await this.#camera.tap(tapOptions(stream, view, after))
    return tap && pictureOf(tap, stream, view, { bitDepth: this.#camera.bitDepth, lost: this.#camera.statistics().lost })
  }

  async #readOne(name: string): Promise<Measured> {
    const { produced, lost, frameRate } = this.#camera.statistics()
    switch (name) {
      case 'exposure':
        return { value: this.#configuration.exposureSeconds }
      case 'serial':
        return { value: this.#camera.serialNumber }
      case 'chip':
        return { value: this.#camera.chipName }
      case 'firmware':
        return { value: this.#camera.firmwareVersion }
      case 'streaming':
        return { value: this.#camera.streaming }
      case 'frame_rate':
        return { value: this.#camera.streaming ? frameRate : 0 }
      case 'frames_produced':
        return { value: produced }
      case 'frames_dropped':
        return { value: lost }
      case 'temperature':
      case 'temperature_setpoint':
        return await this.#turns.take(() => this.#readTemperature(name)) // a start or stop in between would make it unsafe
      case REGIONS_PARAMETER:
        return { value: formatRegions(this.#configuration.regions) }
      default:
        if (this.#parameters.some((spec) => spec.name === name && spec.streamed)) return this.#measured.measured(name)
        throw new NotFound(`parameter ${name}`)
    }
  }

  /** In turn. */
  async #readTemperature(name: 'temperature' | 'temperature_setpoint'): Promise<Measured> {
    if (this.#camera.streaming) {
      const last = this.#lastRead.get(name)
      return last === undefined ? { bad: 'not read while the camera streams' } : { value: last, quality: 'UNCERTAIN' }
    }
    try {
      const told = await (name === 'temperature' ? this.#camera.temperature() : this.#camera.temperatureSetpoint())
      this.#failures = 0
      const value = sensorTemperature(told)
      if (value === undefined) return { bad: `${told} °C is no temperature of a sensor` }
      this.#lastRead.set(name, value)
      return { value }
    } catch (error) {
      const { message } = asProblem(error)
      this.#failures += 1
      if (this.#failures >= LOST_AFTER) this.#lose(`it failed ${LOST_AFTER} times in a row: ${message}`)
      return { bad: message }
    }
  }

  #refuseWhileStreaming(what: string): void {
    if (this.#camera.streaming) throw new DeviceBusy(`${what} while the camera streams; stop it first`, {})
  }
}
