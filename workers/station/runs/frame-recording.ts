import type { DatasetColumn, Manifest } from '../../../core/dataset.ts'
import { FRAMES_FILE } from '../../../core/dataset.ts'
import { HardwareFault, NotSupported, StorageFull } from '../../../core/errors.ts'
import type { FrameLayout, FrameRecordingProgress, FrameRecording as NativeRecording } from '../../../core/frame.ts'
import type { FrameFacet } from '../../../drivers/driver.ts'
import { prepareFrameLayout, ROI_COLUMNS, regionMeanColumns } from '../../../storage/frame-heads.ts'
import { recoverStream } from '../../../storage/recover.ts'
import type { HostedDevice } from '../host/hosted-device.ts'
import type { ClaimedRun } from './claim.ts'
import type { RecordingPlace } from './dataset-entry.ts'
import { DatasetEntry, KEEP_FREE_BYTES } from './dataset-entry.ts'
import type { NativeStream, StreamLimits } from './streams.ts'

const STOP_STREAM_MS = 5_000

/** `frameFileBytes`: of one file of a recording; what does not fit goes into the next one. */
export type FramesPlace = RecordingPlace & { readonly frameFileBytes: number }

/** One camera's frames on their way to disk, past JavaScript. */
export class FrameRecording implements NativeStream {
  readonly #device: HostedDevice
  readonly #facet: FrameFacet
  readonly #entry: DatasetEntry
  readonly #layout: FrameLayout
  readonly #frameFileBytes: number
  #native: NativeRecording | undefined
  #stopsStream = false
  #bounded = false

  private constructor(device: HostedDevice, facet: FrameFacet, entry: DatasetEntry, layout: FrameLayout, frameFileBytes: number) {
    this.#device = device
    this.#facet = facet
    this.#entry = entry
    this.#layout = layout
    this.#frameFileBytes = frameFileBytes
  }

  /** Everything but the start of the camera. */
  static async begin(place: FramesPlace, run: ClaimedRun, device: HostedDevice, lab: Manifest): Promise<FrameRecording> {
    const { id: deviceId, name } = device.record
    const facet = device.handle?.frames
    if (facet === undefined) throw new NotSupported(`${name} gives no frames`, 'FRAME_PRODUCER')
    const { plan } = run
    const compression = plan.type === 'record' ? (plan.arguments.compression ?? 'NONE') : 'NONE'
    const origin = { run: run.id, device: deviceId, bitDepth: String(facet.sensor.bitDepth) }
    const layout = prepareFrameLayout({ ...facet.configuration(), compression }, origin)
    const { width, height } = layout
    const entry = await DatasetEntry.begin(
      place,
      FRAMES_FILE,
      {
        name: `run ${run.number} ${name}`,
        kind: 'FRAMES',
        runId: run.id,
        sessionId: run.sessionId,
        deviceId,
        axes: ['time'],
        signals: ['frame'],
        shape: [0, height, width],
        columns: [
          { name: 'sequence', type: 'uint64' },
          { name: 'time', type: 'timestamp[ns]' },
          { name: 'hardwareTime', type: 'int64', unit: 'ns', deviceId },
          { name: 'exposure', type: 'int64', unit: 'ns', deviceId },
          ...ROI_COLUMNS.map((name): DatasetColumn => ({ name, type: 'uint16', unit: '{pixel}', deviceId })),
          { name: 'minimum', type: 'uint16', unit: '{count}', deviceId },
          { name: 'maximum', type: 'uint16', unit: '{count}', deviceId },
          { name: 'mean', type: 'float64', unit: '{count}', deviceId },
          { name: 'saturated', type: 'uint64', unit: '{pixel}', deviceId },
          ...regionMeanColumns(layout.statistics?.regions ?? 0).map((name): DatasetColumn => ({ name, type: 'float64', unit: '{count}', deviceId })),
          { name: 'frame', type: 'uint16', unit: '{count}', deviceId, shape: [height, width] },
        ],
      },
      lab,
    )
    return new FrameRecording(device, facet, entry, layout, place.frameFileBytes)
  }

  get entry(): DatasetEntry {
    return this.#entry
  }

  get written(): number {
    return this.#native?.progress().written ?? 0
  }

  get bounded(): boolean {
    return this.#bounded
  }

  async start({ frames }: StreamLimits, signal: AbortSignal): Promise<void> {
    this.#bounded = frames !== undefined
    const streamed = this.#facet.streaming
    const options = { path: this.#entry.path, ...(frames !== undefined && { frames }), keepFreeBytes: KEEP_FREE_BYTES, segmentBytes: this.#frameFileBytes }
    this.#native = await this.#facet.record(this.#layout, options, signal)
    this.#stopsStream = !streamed
  }

  /** How far it is; throws when the recording has failed. */
  poll(): { readonly written: number; readonly over: boolean } {
    const now = this.#native?.progress()
    if (now === undefined) return { written: 0, over: true }
    this.#check(now)
    this.#entry.progress({ rows: now.written, bytes: now.bytes, dropped: now.dropped })
    return { written: now.written, over: now.state !== 'running' }
  }

  /** Finishes the file wherever it is, and leaves the camera as it was found. */
  async end(): Promise<void> {
    if (this.#native === undefined) return this.#entry.end('FAILED', { rows: 0, bytes: 0, dropped: 0 }) // the run ended before the camera began
    const last = await this.#native.stop()
    try {
      if (this.#stopsStream && this.#facet.streaming) await this.#facet.stopLive(AbortSignal.timeout(STOP_STREAM_MS))
    } finally {
      await this.#close(last) // a camera that hangs keeps no dataset open
    }
    this.#check(last)
  }

  /** A writer that failed leaves its file as a crash would: what is whole of it is kept, and said to be so. */
  async #close({ state, written, bytes, dropped }: FrameRecordingProgress): Promise<void> {
    const { width, height } = this.#layout
    if (state !== 'failed') return this.#entry.end('COMPLETE', { rows: written, bytes, dropped, shape: [written, height, width] })
    if (written === 0) return this.#entry.end('FAILED', { rows: 0, bytes, dropped })
    const whole = await recoverStream(this.#entry.path)
    await this.#entry.end('RECOVERED', { rows: whole.rows, bytes: whole.bytes, dropped, shape: [whole.rows, height, width] })
  }

  /** A recording that ends for a reason of its own, whole or not, is not what was asked for. */
  #check({ state, reason = '' }: FrameRecordingProgress): void {
    if (state !== 'failed' && reason === '') return
    if (reason === 'disk-full') throw new StorageFull(this.#layout.batchBytes + KEEP_FREE_BYTES, KEEP_FREE_BYTES)
    throw new HardwareFault(`the recording of ${this.#device.record.name} ended: ${reason || 'for no known reason'}`, 'NONE', {
      deviceId: this.#device.record.id,
    })
  }
}
