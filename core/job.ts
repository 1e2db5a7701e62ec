import type { DatasetKind } from './dataset.ts'
import { InvalidValue } from './errors.ts'
import type { ImportOptions } from './import.ts'

/**
 * Work in queues, and the contract of each kind. Payloads hold ids and small values only; they cross the queue as JSON, so `parse` is used on both sides.
 * hardware: one attempt, no re-run after a stall. compute: may be tried again, because nothing moves.
 */
export type JobState = 'WAITING' | 'ACTIVE' | 'PAUSED' | 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'STALLED'

export type AcquisitionPayload = { readonly jobId: string; readonly runId: string }
export type ExportPayload = {
  readonly jobId: string
  readonly datasetIds: readonly string[]
  readonly format: string
  readonly columns?: readonly string[]
  readonly options: Readonly<Record<string, string | number | boolean>>
}

export type JobContract<Payload> = { readonly name: string; readonly attempts: number; readonly maxStalledCount: number; parse(given: unknown): Payload }

function text(given: unknown, name: string): string {
  const value = typeof given === 'object' && given !== null ? (given as Record<string, unknown>)[name] : undefined
  if (typeof value !== 'string' || value === '') throw new InvalidValue(`a job's payload needs ${name}`, [name])
  return value
}

export const acquisition: JobContract<AcquisitionPayload> = {
  name: 'acquisition',
  attempts: 1,
  maxStalledCount: 0,
  parse: (given) => ({ jobId: text(given, 'jobId'), runId: text(given, 'runId') }),
}

export const exportJob: JobContract<ExportPayload> = {
  name: 'export',
  attempts: 2, // once more after a worker died midway; its partial files are thrown away
  maxStalledCount: 1,
  parse(given) {
    const record = given as Partial<ExportPayload> | null
    const columns = record?.columns
    if (!Array.isArray(record?.datasetIds) || !record.datasetIds.every((id) => typeof id === 'string'))
      throw new InvalidValue("an export's payload needs datasetIds", ['datasetIds'])
    return {
      jobId: text(given, 'jobId'),
      datasetIds: record.datasetIds,
      format: text(given, 'format'),
      ...(columns !== undefined && { columns }),
      options: record.options ?? {},
    }
  },
}

/** Fits the scales of the parameters to all states so far, and makes their vectors anew. */
export const embeddingJob: JobContract<{ readonly jobId: string }> = {
  name: 'embedding',
  attempts: 3, // begun anew each time: nothing of it is used before it is whole
  maxStalledCount: 2,
  parse: (given) => ({ jobId: text(given, 'jobId') }),
}

export type ImportPayload = {
  readonly jobId: string
  /** Of what is made, for people. */
  readonly name: string
  readonly format: string
  readonly file: string
  readonly options: ImportOptions
  /** The session that the tables go to; absent: those that the file tells of. */
  readonly sessionId?: string
  /** UCUM codes of columns whose unit the file does not tell, or tells wrongly. */
  readonly units: Readonly<Record<string, string>>
}

export const importJob: JobContract<ImportPayload> = {
  name: 'import',
  attempts: 2, // once more after a worker died midway; nothing of it is seen before it is whole
  maxStalledCount: 1,
  parse(given) {
    const record = given as Partial<ImportPayload> | null
    return {
      jobId: text(given, 'jobId'),
      name: text(given, 'name'),
      format: text(given, 'format'),
      file: text(given, 'file'),
      options: record?.options ?? { register: false },
      ...(record?.sessionId !== undefined && { sessionId: record.sessionId }),
      units: record?.units ?? {},
    }
  },
}

export const COMPUTE_QUEUE = 'compute'
export function stationQueue(stationId: string): string {
  return `station-${stationId}`
}

export const MAX_LOG_LINES = 200 // the newest lines of a job's log; a log is for reading, not for data
export const MAX_EXPORT_DATASETS = 1000 // of one export; more is several exports

/** What an export format says of itself; the writer is in storage/formats/. */
export type ExportFormatSpec = {
  readonly id: string
  readonly label: string
  readonly extension: string
  readonly mediaType: string
  readonly kinds: readonly DatasetKind[]
}
