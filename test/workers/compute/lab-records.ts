import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import type { DatasetColumn, DatasetState } from '../../../core/dataset.ts'
import { uuidv7 } from '../../../core/id.ts'
import { COMPUTE_QUEUE } from '../../../core/job.ts'
import type { Database } from '../../../prisma/client.ts'
import { createTableWriter } from '../../../storage/table-writer.ts'

const COLUMNS: readonly DatasetColumn[] = [
  { name: 'position', type: 'float64', unit: 'mm' },
  { name: 'power', type: 'float64', unit: 'W' },
]

/** A recorded table: its row and its file. */
export async function recordTable(
  database: Database,
  dataDir: string,
  { name = 'scan', rows = 100, state = 'COMPLETE' as DatasetState } = {},
): Promise<string> {
  const id = uuidv7()
  const folder = path.join('datasets', '2026', '11', id)
  await mkdir(path.join(dataDir, folder), { recursive: true })
  const writer = await createTableWriter(path.join(dataDir, folder, 'table.arrow'), COLUMNS)
  for (let row = 0; row < rows; row += 1) writer.append([row / 10, Math.exp(-row)])
  const { bytes } = await writer.close()
  const station = await database.prisma.station.upsert({ where: { name: 'test' }, update: {}, create: { name: 'test', host: 'here' } })
  await database.prisma.dataset.create({
    data: {
      id,
      name,
      kind: 'TABLE',
      state,
      stationId: station.id,
      axes: ['position'],
      signals: ['power'],
      shape: [rows],
      rows: BigInt(rows),
      bytes: BigInt(bytes),
      columns: COLUMNS.map((column) => ({ ...column })),
      folder,
      files: [{ name: 'table.arrow', bytes, mediaType: 'application/vnd.apache.arrow.stream' }],
    },
  })
  return id
}

/** A job's row as the api writes it. */
export async function requestJob(database: Database, name: string, payload: Readonly<Record<string, unknown>>): Promise<string> {
  const id = uuidv7()
  await database.prisma.job.create({ data: { id, queue: COMPUTE_QUEUE, name, requestedBy: 'Ada', payload: { jobId: id, options: {}, ...payload } as object } })
  return id
}
