import type { ScanRecording as NativeRecording, PreparedAcquisition, ScanLayout, ScanRecordingProgress } from '../../../core/acquisition.ts'
import { checkAcquisition } from '../../../core/acquisition.ts'
import type { Manifest } from '../../../core/dataset.ts'
import { TABLE_FILE } from '../../../core/dataset.ts'
import { HardwareFault, NotSupported, StorageFull } from '../../../core/errors.ts'
import type { AcquisitionFacet } from '../../../drivers/driver.ts'
import { recoverStream } from '../../../storage/recover.ts'
import { ACQUISITION_KEY, prepareScanLayout, SCAN_COLUMNS } from '../../../storage/scan-heads.ts'
import type { BoundAcquisition } from './bound-plan.ts'
import type { ClaimedRun } from './claim.ts'
import type { RecordingPlace } from './dataset-entry.ts'
import { DatasetEntry, KEEP_FREE_BYTES } from './dataset-entry.ts'
import type { NativeStream, StreamLimits } from './streams.ts'

const BATCH_NS = 250_000_000 // what a crash may cost, and how late a reader sees a scan
const MAX_BATCH_ROWS = 32_768
const NS_PER_SECOND = 1e9

/** Asks the device what it will make of the plan, before anything begins. A time is a whole number of its own scans. */
export async function prepareScans({ device, parameters, rateHz }: BoundAcquisition, limits: StreamLimits, signal: AbortSignal): Promise<PreparedAcquisition> {
  const facet = facetOf(device)
  checkAcquisition(facet, { parameters, rateHz }, device.record.name)
  const { frames, durationSeconds } = limits
  const scans = frames ?? (durationSeconds === undefined ? undefined : Math.max(1, Math.round(durationSeconds * rateHz)))
  const prepared = await facet.prepare({ parameters, rateHz, ...(scans !== undefined && { scans }) }, signal)
  if (frames !== undefined || durationSeconds === undefined) return prepared
  return { ...prepared, scans: Math.max(1, Math.round((durationSeconds * NS_PER_SECOND) / prepared.scanIntervalNs)) }
}

/** What a device samples by its own clock, on its way to a table on disk, past JavaScript. */
export class ScanRecording implements NativeStream {
  readonly #bound: BoundAcquisition
  readonly #prepared: PreparedAcquisition
  readonly #entry: DatasetEntry
  readonly #layout: ScanLayout
  #native: NativeRecording | undefined

  private constructor(bound: BoundAcquisition, prepared: PreparedAcquisition, entry: DatasetEntry, layout: ScanLayout) {
    this.#bound = bound
    this.#prepared = prepared
    this.#entry = entry
    this.#layout = layout
  }

  /** Everything but the start of the device. */
  static async begin(place: RecordingPlace, run: ClaimedRun, bound: BoundAcquisition, prepared: PreparedAcquisition, lab: Manifest): Promise<ScanRecording> {
    const { device, columns } = bound
    const { id: deviceId, name } = device.record
    const entry = await DatasetEntry.begin(
      place,
      TABLE_FILE,
      {
        name: `run ${run.number} ${name}`,
        kind: 'TABLE',
        runId: run.id,
        sessionId: run.sessionId,
        deviceId,
        axes: ['time'],
        signals: columns.map((column) => column.name),
        shape: [],
        columns: [...SCAN_COLUMNS, ...columns],
      },
      lab,
    )
    const rows = Math.min(MAX_BATCH_ROWS, Math.max(1, Math.round(BATCH_NS / prepared.scanIntervalNs)))
    const metadata = { run: run.id, dataset: entry.record.id, device: deviceId, [ACQUISITION_KEY]: JSON.stringify(prepared) }
    return new ScanRecording(bound, prepared, entry, prepareScanLayout(columns, rows, metadata))
  }

  get entry(): DatasetEntry {
    return this.#entry
  }

  get written(): number {
    return this.#native?.progress().written ?? 0
  }

  get bounded(): boolean {
    return this.#prepared.scans !== undefined
  }

  async start(_limits: StreamLimits, signal: AbortSignal): Promise<void> {
    const options = { path: this.#entry.path, keepFreeBytes: KEEP_FREE_BYTES }
    this.#native = await facetOf(this.#bound.device).record(this.#prepared, this.#layout, options, signal)
  }

  /** How far it is; throws when it has ended badly. */
  poll(): { readonly written: number; readonly over: boolean } {
    const now = this.#native?.progress()
    if (now === undefined) return { written: 0, over: true }
    this.#entry.progress({ rows: now.written, bytes: now.bytes, dropped: 0 })
    if (now.state !== 'running') this.#check(now)
    return { written: now.written, over: now.state !== 'running' }
  }

  /** Stops the device and finishes the file wherever it is. */
  async end(): Promise<void> {
    if (this.#native === undefined) return this.#entry.end('FAILED', { rows: 0, bytes: 0, dropped: 0 }) // the run ended before the device began
    const last = await this.#native.stop()
    await this.#close(last)
    this.#check(last)
  }

  /** A writer that failed leaves its file as a crash would: what is whole of it is kept, and said to be so. */
  async #close({ state, written, bytes }: ScanRecordingProgress): Promise<void> {
    if (state !== 'failed') return this.#entry.end('COMPLETE', { rows: written, bytes, dropped: 0, shape: [written] })
    if (written === 0) return this.#entry.end('FAILED', { rows: 0, bytes, dropped: 0 })
    const whole = await recoverStream(this.#entry.path)
    await this.#entry.end('RECOVERED', { rows: whole.rows, bytes: whole.bytes, dropped: 0, shape: [whole.rows] })
  }

  /** A recording that ends for a reason of its own, whole or not, is not what was asked for. */
  #check({ state, reason = '', failure }: ScanRecordingProgress): void {
    const { id: deviceId, name } = this.#bound.device.record
    if (failure !== undefined) throw failure.with({ deviceId })
    if (state !== 'failed' && reason === '') return
    if (reason === 'disk-full') throw new StorageFull(this.#layout.batchBytes + KEEP_FREE_BYTES, KEEP_FREE_BYTES)
    throw new HardwareFault(`the recording of ${name} ended: ${reason || 'for no known reason'}`, 'NONE', { deviceId })
  }
}

function facetOf({ handle, record }: BoundAcquisition['device']): AcquisitionFacet {
  if (handle?.acquisition === undefined) throw new NotSupported(`${record.name} does not sample by a clock of its own`, 'ANALOG_INPUT')
  return handle.acquisition
}
