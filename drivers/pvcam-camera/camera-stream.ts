import { setTimeout as pause } from 'node:timers/promises'
import { asProblem, DeviceBusy, HardwareFault, InvalidValue } from '../../core/errors.ts'
import type { FrameMark, FramePicture, FrameRecording, FrameRecordingProgress, FrameView } from '../../core/frame.ts'
import { Turns } from '../../core/turns.ts'
import type { PvcamCamera } from '../../native/pvcam-types.ts'
import type { FrameRing } from '../../native/types.ts'
import { frameRegions } from '../frame-regions.ts'
import { FrameStatisticsCollector } from '../frame-statistics.ts'
import { problemOf } from '../transport/exchange-queue.ts'
import { pictureOf, tapOptions } from './picture.ts'
import { type Configuration, ringSlots } from './protocol.ts'
import { isSoftwareTriggered } from './stream-modes.ts'

const TRIGGER_POLL_MS = 5

/** `number` counts the starts. */
type Stream = { readonly ring: FrameRing; readonly configuration: Configuration; readonly number: number }

export type StreamOptions = {
  readonly camera: PvcamCamera
  /** This camera's alone: each stream replaces what the one before left there. */
  readonly ringPath: string
  readonly configuration: () => Configuration
  /** What is to be read while it still can be. */
  readonly beforeStart: () => Promise<void>
}

/** The frames of one camera: live, by trigger, recorded. Whatever starts, stops or changes them happens in turn. */
export class CameraStream {
  readonly statistics = new FrameStatisticsCollector()
  readonly #options: StreamOptions
  readonly #camera: PvcamCamera
  readonly #turns = new Turns()
  #stream: Stream | undefined
  #starts = 0
  #recording: FrameRecording | undefined
  #recordingEnded: Promise<unknown> | undefined
  #triggered = false

  constructor(options: StreamOptions) {
    this.#options = options
    this.#camera = options.camera
  }

  /** Of the present stream, or the last one, while its ring stands. */
  get configuration(): Configuration | undefined {
    return this.#stream?.configuration
  }

  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#turns.take(work)
    } catch (error) {
      throw asProblem(error)
    }
  }

  /** A change of what a stream is made of: a live one is stopped for it and goes on after it. Refused while frames are recorded or triggered. */
  async between<T>(work: () => Promise<T>, undo: () => void = () => undefined): Promise<T> {
    return await this.inTurn(async () => {
      this.#refuseWhileNeeded()
      const wasStreaming = this.#camera.streaming
      if (wasStreaming) await this.#stop()
      try {
        return await work()
      } catch (error) {
        undo()
        throw error
      } finally {
        if (wasStreaming) await this.#restart(undo)
      }
    })
  }

  async startLive(): Promise<void> {
    await this.inTurn(() => this.#start())
  }

  async stopLive(): Promise<void> {
    await this.inTurn(async () => {
      if (this.#recording !== undefined) throw new DeviceBusy('the camera records; stop the recording first', {})
      await this.#stop()
    })
  }

  /** Starts, waits for `frames` frames, stops. The ring stays, so that the last frame can be looked at. In a mode that waits for software, that is done too. */
  async trigger(frames: number, signal: AbortSignal): Promise<void> {
    if (!Number.isSafeInteger(frames) || frames < 1) throw new InvalidValue(`frames: ${frames} is not allowed; give a whole number from 1`, ['frames'])
    await this.inTurn(async () => {
      if (this.#camera.streaming) throw new DeviceBusy('A trigger is not possible while the camera streams; stop it first', {})
      await this.#start(frames)
      this.#triggered = true
    })
    try {
      const bySoftware = isSoftwareTriggered(this.#stream?.configuration.triggerMode)
      while (this.#camera.streaming && this.#camera.statistics().produced < frames) {
        if (signal.aborted) {
          await this.inTurn(() => this.#stop())
          throw problemOf(signal, 'POSSIBLE')
        }
        if (bySoftware) await this.#triggerOnce()
        await pause(TRIGGER_POLL_MS)
      }
    } finally {
      this.#triggered = false
    }
    const { produced, ended } = this.#camera.statistics()
    await this.inTurn(() => this.#camera.stop())
    if (produced < frames) throw new HardwareFault(`the camera gave ${produced} of ${frames} frames${ended === undefined ? '' : `: ${ended}`}`, 'DONE')
  }

  async record(options: Parameters<PvcamCamera['record']>[0]): Promise<FrameRecording> {
    return await this.inTurn(() => this.#record(options))
  }

  async tap(view: FrameView, after: FrameMark | undefined): Promise<FramePicture | undefined> {
    const stream = this.#stream
    if (stream === undefined) return undefined
    const tap = await this.#camera.tap(tapOptions(stream, view, after))
    return tap && pictureOf(tap, stream, view, this.#camera.bitDepth)
  }

  /** Ends what there is, and closes the camera. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#recording?.stop()
    await this.#recordingEnded // it needs the camera to leave it as it was found
    await this.inTurn(async () => {
      await this.#recording?.stop()
      await this.#stop()
      await this.#camera[Symbol.asyncDispose]()
    })
  }

  #refuseWhileNeeded(): void {
    if (this.#recording !== undefined) throw new DeviceBusy('the camera records; stop the recording first', {})
    if (this.#triggered) throw new DeviceBusy('the camera takes the frames of a trigger; wait for them', {})
  }

  async #start(frames?: number): Promise<void> {
    if (this.#camera.streaming) return
    await this.#stop() // a finished stream leaves its ring
    const { camera, ringPath, beforeStart } = this.#options
    const configuration = this.#options.configuration()
    const { roi, areas, binning, exposureSeconds, regions, triggerMode, exposeOutMode } = configuration
    await beforeStart()
    const ring = await camera.start({
      roi,
      ...(areas.length > 0 && { regions: areas }),
      binning,
      exposureSeconds,
      ...(triggerMode !== undefined && { triggerMode }),
      ...(exposeOutMode !== undefined && { exposeOutMode }),
      ringPath,
      ringSlots: ringSlots(configuration),
      measures: { saturation: 2 ** camera.bitDepth - 1, regions: frameRegions(regions, roi, binning) },
      ...(frames !== undefined && { frames }),
    })
    this.#starts += 1
    this.#stream = { ring, configuration, number: this.#starts }
    this.statistics.follow(ring)
  }

  async #restart(undo: () => void): Promise<void> {
    try {
      await this.#start()
    } catch (error) {
      undo()
      throw error
    }
  }

  async #stop(): Promise<void> {
    await this.#camera.stop()
    const stream = this.#stream
    this.#stream = undefined
    this.statistics.release()
    await stream?.ring[Symbol.asyncDispose]()
  }

  /** Not in turn: a stop must not wait behind it. The stream may have ended just now. */
  async #triggerOnce(): Promise<void> {
    try {
      await this.#camera.softwareTrigger()
    } catch (error) {
      if (this.#camera.streaming) throw error
    }
  }

  async #record(options: Parameters<PvcamCamera['record']>[0]): Promise<FrameRecording> {
    if (this.#recording !== undefined) throw new DeviceBusy('the camera records already', {})
    const { roi, binning } = this.#options.configuration()
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
    const ended = recording.ended
      .finally(async () => {
        if (this.#recording === recording) this.#recording = undefined
        if (!wasStreaming) await this.inTurn(() => this.#stop())
      })
      .then((progress) => withReason(progress, this.#camera.statistics().ended))
    this.#recordingEnded = ended.catch(() => undefined) // whoever waits for `ended` hears of it
    return {
      progress: () => recording.progress(),
      stop: async () => {
        await recording.stop()
        return await ended
      },
      ended,
    }
  }
}

/** The writer sees only that no more frames come; the camera says why. */
function withReason(progress: FrameRecordingProgress, why: string | undefined): FrameRecordingProgress {
  return why === undefined ? progress : { ...progress, reason: [progress.reason, why].filter((part) => part !== undefined && part !== '').join(': ') }
}
