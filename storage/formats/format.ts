import type { DatasetKind } from '../../core/dataset.ts'
import type { ExportFormatSpec } from '../../core/job.ts'
import type { ExportSink } from '../file-sink.ts'

/** A recorded dataset to be exported. */
export type ExportSource = {
  readonly kind: DatasetKind
  /** Absolute path of its table.arrow or frames.arrow. */
  readonly file: string
}

export type ExportOptions = {
  readonly signal: AbortSignal
  /** From 0 to 1. */
  readonly progress: (fraction: number) => void
  /** Names, in the order wanted; absent: all. Only of tables. */
  readonly columns?: readonly string[]
}

/** One file each in this folder, listed in index.ts. Memory stays bounded whatever the size of the dataset. */
export interface ExportFormat extends ExportFormatSpec {
  /** Throws what the signal says when it fires; what was written so far is then thrown away by the caller. */
  write(source: ExportSource, sink: ExportSink, options: ExportOptions): Promise<void>
}
