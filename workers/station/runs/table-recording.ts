import type { Manifest } from '../../../core/dataset.ts'
import { TABLE_FILE } from '../../../core/dataset.ts'
import type { RowCell } from '../../../core/row.ts'
import type { TableWriter } from '../../../storage/table-writer.ts'
import { createTableWriter } from '../../../storage/table-writer.ts'
import type { BoundRun } from './bound-plan.ts'
import { axisColumns, signalColumns } from './bound-plan.ts'
import type { ClaimedRun } from './claim.ts'
import type { RecordingPlace } from './dataset-entry.ts'
import { DatasetEntry } from './dataset-entry.ts'

/** The rows of a run on their way to disk. */
export class TableRecording {
  readonly #entry: DatasetEntry
  readonly #writer: TableWriter
  #missed = 0

  private constructor(entry: DatasetEntry, writer: TableWriter) {
    this.#entry = entry
    this.#writer = writer
  }

  static async begin(place: RecordingPlace, run: ClaimedRun, bound: BoundRun, lab: Manifest, onWritten: (rows: number) => void): Promise<TableRecording> {
    const entry = await DatasetEntry.begin(
      place,
      TABLE_FILE,
      {
        name: `run ${run.number}`,
        kind: 'TABLE',
        runId: run.id,
        sessionId: run.sessionId,
        axes: axisColumns(bound),
        signals: signalColumns(bound),
        shape: bound.plan.type === 'record' ? [] : bound.outline.shape,
        columns: bound.columns,
      },
      lab,
    )
    try {
      return new TableRecording(entry, await createTableWriter(entry.path, bound.columns, { metadata: { run: run.id, dataset: entry.record.id }, onWritten }))
    } catch (error) {
      await entry.end('FAILED', { rows: 0, bytes: 0, dropped: 0 })
      throw error
    }
  }

  get entry(): DatasetEntry {
    return this.#entry
  }

  get rows(): number {
    return this.#writer.rows
  }

  /** Rows that were asked for and that the instruments were too slow for, so far. */
  missed(rows: number): void {
    this.#missed = rows
  }

  append(row: readonly RowCell[]): void {
    this.#writer.append(row)
    this.#entry.progress({ rows: this.#writer.rows, bytes: this.#writer.bytes, dropped: this.#missed })
  }

  /** Throws what the disk refused, after the dataset is marked FAILED. */
  async end(): Promise<void> {
    const { rows } = this.#writer
    const dropped = this.#missed
    const planned = this.#entry.record.shape
    const shape = planned.length > 0 && planned.reduce((product, side) => product * side, 1) === rows ? planned : [rows]
    try {
      const { bytes } = await this.#writer.close()
      await this.#entry.end('COMPLETE', { rows, bytes, dropped, shape })
    } catch (error) {
      await this.#entry.end('FAILED', { rows, bytes: this.#writer.bytes, dropped, shape })
      throw error
    }
  }
}
