import { messageOf } from '../../../core/errors.ts'
import type { DatasetRecord } from '../../../core/journal.ts'
import { recoverStream } from '../../../storage/recover.ts'

import type { RecordingPlace } from './dataset-entry.ts'
import { DatasetEntry } from './dataset-entry.ts'

/** How many runs, and their datasets as they are now. */
export type LeftBehind = { readonly runs: number; readonly datasets: readonly DatasetEntry[] }

/**
 * What a dead process left behind, as the journal knows it: its datasets are cut to their whole batches and RECOVERED, its runs INTERRUPTED. Needs no
 * database.
 */
export async function recoverInterrupted(place: RecordingPlace, log: (message: string) => void): Promise<LeftBehind> {
  const { journal, clock } = place
  const rowsOf = new Map<string, number>()
  const datasets: DatasetEntry[] = []
  for (const record of journal.memory.openDatasets) {
    const dataset = await recoverDataset(place, record, log)
    datasets.push(dataset)
    const { runId, rows } = dataset.record
    if (runId !== undefined) rowsOf.set(runId, Math.max(rows, rowsOf.get(runId) ?? 0))
  }
  const interrupted = journal.memory.activeRuns
  for (const run of interrupted) {
    const points = rowsOf.get(run.runId) ?? run.points
    journal.append({
      ...run,
      time: clock.wallNs(),
      state: 'INTERRUPTED',
      points,
      exitReason: `the station ended in the middle of it; ${points} points are safe`,
    })
  }
  await journal.flush()
  return { runs: interrupted.length, datasets }
}

/** A file without even its schema is FAILED. */
async function recoverDataset(place: RecordingPlace, record: DatasetRecord, log: (message: string) => void): Promise<DatasetEntry> {
  const entry = await DatasetEntry.resume(place, record)
  const { kind, folder, shape, dropped } = record
  try {
    const { rows, bytes } = await recoverStream(entry.path)
    await entry.end('RECOVERED', { rows, bytes, dropped, shape: kind === 'TABLE' ? [rows] : [rows, ...shape.slice(1)] })
  } catch (error) {
    log(`the dataset in ${folder} could not be recovered: ${messageOf(error)}`)
    await entry.end('FAILED', { rows: 0, bytes: 0, dropped }).catch((failure: unknown) => log(`${folder}: ${String(failure)}`))
  }
  return entry
}
