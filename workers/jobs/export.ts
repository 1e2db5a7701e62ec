import { mkdir, rename, rm, statfs } from 'node:fs/promises'
import path from 'node:path'
import type { DatasetFile, DatasetKind } from '../../core/dataset.ts'
import { FRAMES_FILE, TABLE_FILE } from '../../core/dataset.ts'
import { Conflict, InvalidValue, NotFound, NotSupported, StorageFull } from '../../core/errors.ts'
import { uuidv7 } from '../../core/id.ts'
import { exportJob, MAX_EXPORT_DATASETS } from '../../core/job.ts'
import type { Database } from '../../prisma/client.ts'
import { replaceFile, syncFolder } from '../../storage/durable.ts'
import { createFileSink } from '../../storage/file-sink.ts'
import type { ExportFormat } from '../../storage/formats/format.ts'
import { formatNamed } from '../../storage/formats/index.ts'
import { exportFileNames } from './export-names.ts'
import type { JobContext } from './job.ts'
import { defineJob } from './job.ts'

export const EXPORTS_FOLDER = 'exports'
export const PARTIAL_FOLDER = path.join(EXPORTS_FOLDER, '.partial')
const CHECKSUMS_FILE = 'SHA256SUMS'
const EXPORTABLE_STATES: readonly string[] = ['COMPLETE', 'RECOVERED']

type Dataset = { readonly id: string; readonly name: string; readonly kind: DatasetKind; readonly bytes: number; readonly folder: string }

/**
 * Writes datasets in a format, into a folder that nobody serves; when all files are whole and on the disk the folder gets its final name, and the export's row,
 * which is what is served, is written with the job's completion.
 */
export const exportDatasets = defineJob(exportJob, async ({ datasetIds, format: formatId, columns }, context) => {
  const { database, dataDir, jobId, attempt, signal } = context
  const format = formatNamed(formatId)
  const datasets = await exportable(database, datasetIds, format)
  const partialOfJob = path.join(dataDir, PARTIAL_FOLDER, jobId)
  await rm(partialOfJob, { recursive: true, force: true }) // of an attempt whose worker died
  const partial = path.join(partialOfJob, String(attempt))
  await mkdir(partial, { recursive: true })
  await refuseFullDisk(partial, datasets)

  const exportId = uuidv7()
  const folder = path.join(EXPORTS_FOLDER, exportId)
  const final = path.join(dataDir, folder)
  try {
    const files = await writeFiles(partial, datasets, format, columns, context)
    await replaceFile(path.join(partial, CHECKSUMS_FILE), files.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join(''))
    signal.throwIfAborted()
    await rename(partial, final)
    await syncFolder(path.dirname(final))
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    return {
      summary: `${files.length} ${files.length === 1 ? 'file' : 'files'} of ${format.label}, ${bytes} bytes`,
      async commit(tx) {
        await tx.export.create({
          data: {
            id: exportId,
            jobId,
            format: format.id,
            datasetIds: datasets.map(({ id }) => id),
            folder,
            files: [...files],
            manifest: CHECKSUMS_FILE,
            bytes: BigInt(bytes),
          },
        })
      },
      undo: () => rm(final, { recursive: true, force: true }),
    }
  } finally {
    await rm(partialOfJob, { recursive: true, force: true })
  }
})

async function exportable(database: Database, datasetIds: readonly string[], format: ExportFormat): Promise<readonly Dataset[]> {
  if (datasetIds.length === 0 || datasetIds.length > MAX_EXPORT_DATASETS)
    throw new InvalidValue(`datasetIds: give 1 to ${MAX_EXPORT_DATASETS}, not ${datasetIds.length}`, ['datasetIds'])
  const rows = await database.prisma.dataset.findMany({ where: { id: { in: [...datasetIds] } } })
  const found = new Map(rows.map((row) => [row.id, row]))
  return datasetIds.map((id) => {
    const row = found.get(id)
    if (row === undefined) throw new NotFound(`dataset ${id}`)
    const kind = row.kind as DatasetKind
    if (!format.kinds.includes(kind))
      throw new NotSupported(`${format.label} takes ${format.kinds.join(' and ').toLowerCase()}; ${row.name} is ${kind.toLowerCase()}`)
    if (!EXPORTABLE_STATES.includes(row.state)) throw new Conflict(`${row.name} is ${row.state.toLowerCase()}; a dataset can be exported once it is complete`)
    return { id, name: row.name, kind, bytes: Number(row.bytes), folder: row.folder }
  })
}

/** A first look, before hours of work; what the disk says while it is written counts all the same. */
async function refuseFullDisk(folder: string, datasets: readonly Dataset[]): Promise<void> {
  const needed = datasets.reduce((sum, { bytes }) => sum + bytes, 0)
  const { bavail, bsize } = await statfs(folder)
  if (needed > bavail * bsize) throw new StorageFull(needed, bavail * bsize)
}

async function writeFiles(
  folder: string,
  datasets: readonly Dataset[],
  format: ExportFormat,
  columns: readonly string[] | undefined,
  context: JobContext,
): Promise<readonly DatasetFile[]> {
  const { signal, dataDir } = context
  const names = exportFileNames(datasets, format.extension)
  const total = Math.max(
    1,
    datasets.reduce((sum, { bytes }) => sum + bytes, 0),
  )
  const files: DatasetFile[] = []
  let before = 0
  for (const [index, dataset] of datasets.entries()) {
    const name = names[index] ?? dataset.id
    const text = datasets.length === 1 ? `writing ${name}` : `writing ${name} (${index + 1} of ${datasets.length})`
    const start = before
    context.progress(start / total, text)
    await using sink = await createFileSink(path.join(folder, name))
    const source = { kind: dataset.kind, file: path.join(dataDir, dataset.folder, dataset.kind === 'TABLE' ? TABLE_FILE : FRAMES_FILE) }
    const progress = (fraction: number): void => context.progress((start + fraction * dataset.bytes) / total, text)
    await format.write(source, sink, { signal, progress, ...(columns !== undefined && { columns }) })
    const { bytes, sha256 } = await sink.finish()
    files.push({ name, bytes, sha256, mediaType: format.mediaType })
    context.log(`${name}: ${bytes} bytes`)
    before += dataset.bytes
  }
  return files
}
