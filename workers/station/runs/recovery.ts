import { stat } from 'node:fs/promises'
import { TABLE_FILE } from '../../../core/dataset.ts'
import type { DatasetRecord } from '../../../core/journal.ts'
import { recoverFrameFile } from '../../../storage/frame-file.ts'
import { recoverStream } from '../../../storage/recover.ts'

import type { RecordingPlace } from './dataset-entry.ts'
import { DatasetEntry } from './dataset-entry.ts'

/**
 * What a dead process left behind, as the journal knows it: its datasets are cut to their whole batches and RECOVERED, its runs INTERRUPTED. Returns how many
 * runs. Needs no database.
 */
export async function recoverInterrupted(place: RecordingPlace, log: (message: string) => void): Promise<number> {
  const { journal, clock } = place
  const rowsOf = new Map<string, number>()
  for (const dataset of journal.memory.openDatasets) {
    const rows = await recoverDataset(place, dataset, log)
    if (dataset.runId !== undefined) rowsOf.set(dataset.runId, Math.max(rows, rowsOf.get(dataset.runId) ?? 0))
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
  return interrupted.length
}

/** The number of rows that are there. A file without even its schema is FAILED. */
async function recoverDataset(place: RecordingPlace, dataset: DatasetRecord, log: (message: string) => void): Promise<number> {
  const entry = DatasetEntry.of(place, dataset)
  try {
    const rows = dataset.kind === 'TABLE' ? (await recoverStream(entry.path)).rows : (await recoverFrameFile(entry.path)).frames
    const { size } = await stat(entry.path)
    const shape = dataset.kind === 'TABLE' ? [rows] : [rows, ...dataset.shape.slice(1)]
    await entry.end('RECOVERED', { rows, bytes: size, dropped: dataset.dropped, shape }, undefined)
    return rows
  } catch (error) {
    log(`${dataset.folder}/${dataset.files[0]?.name ?? TABLE_FILE} could not be recovered: ${error instanceof Error ? error.message : String(error)}`)
    await entry
      .end('FAILED', { rows: 0, bytes: 0, dropped: dataset.dropped }, undefined)
      .catch((failure: unknown) => log(`${dataset.folder}: ${String(failure)}`))
    return 0
  }
}
