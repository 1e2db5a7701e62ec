import { statfs } from 'node:fs/promises'
import type { DatasetColumn } from '../../core/dataset.ts'
import { Conflict, InvalidValue, NotFound, NotSupported, StorageFull } from '../../core/errors.ts'
import { uuidv7 } from '../../core/id.ts'
import { COMPUTE_QUEUE, type ExportPayload, exportJob, MAX_EXPORT_DATASETS } from '../../core/job.ts'
import type { Prisma } from '../../prisma/client.ts'
import { appendEvents } from '../../prisma/events.ts'
import { formatNamed } from '../../storage/formats/index.ts'
import { need } from '../actor.ts'
import { type Context, causeOf } from '../context.ts'
import { localIds } from '../global-id.ts'
import type { Dataset, Job } from '../loaders.ts'
import { nowNs } from '../now.ts'
import { isUniqueViolation } from '../unique.ts'

export type ExportRequest = {
  readonly datasetIds?: readonly string[] | null | undefined
  readonly selection: Prisma.DatasetWhereInput | undefined
  readonly format: string
  readonly columns?: readonly string[] | null | undefined
  readonly idempotencyKey?: string | null | undefined
  readonly priority?: number | null | undefined
}

/** Checks the request, writes the job's row and tells the queue. The row is the truth: the worker finds what the queue was not told. Throws Problems. */
export async function requestExport(request: ExportRequest, context: Context): Promise<Job> {
  need(context, 'OPERATOR')
  const first = await jobWithKey(request, context)
  if (first !== null) return first

  const format = formatNamed(request.format)
  const datasets = await datasetsOf(request, context)
  for (const { kind, name, state } of datasets) {
    if (!format.kinds.some((known) => known === kind))
      throw new NotSupported(`${format.label} has no form for ${kind.toLowerCase()}; dataset ${name} cannot be exported to it`)
    if (state !== 'COMPLETE' && state !== 'RECOVERED') throw new Conflict(`dataset ${name} is ${state.toLowerCase()}; only whole recordings are exported`)
  }
  if (request.columns?.length === 0) throw new InvalidValue('columns: name at least one, or leave it out for all', ['input', 'columns'])
  checkColumns(request.columns ?? [], datasets)
  await checkDisk(datasets, context.config.dataDir)

  const jobId = uuidv7()
  const priority = request.priority ?? 0
  const payload: ExportPayload = {
    jobId,
    datasetIds: datasets.map(({ id }) => id),
    format: format.id,
    options: {},
    ...(request.columns != null && { columns: request.columns }),
  }
  try {
    const job = await context.database.prisma.$transaction(async (tx) => {
      const row = await tx.job.create({
        data: {
          id: jobId,
          queue: COMPUTE_QUEUE,
          name: exportJob.name,
          priority,
          requestedBy: context.actor.name,
          createdAt: new Date(),
          payload: payload as unknown as Prisma.InputJsonValue,
          ...(request.idempotencyKey != null && { idempotencyKey: request.idempotencyKey }),
        },
      })
      await appendEvents(tx, [
        {
          time: nowNs(),
          kind: 'JOB',
          subject: { type: 'Job', id: jobId },
          summary: `export of ${datasets.length === 1 ? datasets[0]?.name : `${datasets.length} datasets`} to ${format.label} is queued`,
          cause: causeOf(context),
        },
      ])
      return row
    })
    await context.queues.add(COMPUTE_QUEUE, exportJob, payload, { jobId, priority })
    return job
  } catch (error) {
    const winner = isUniqueViolation(error) ? await jobWithKey(request, context) : null
    if (winner === null) throw error
    return winner
  }
}

async function jobWithKey({ idempotencyKey }: ExportRequest, { database, actor }: Context): Promise<Job | null> {
  if (idempotencyKey == null) return null
  return database.prisma.job.findUnique({ where: { requestedBy_idempotencyKey: { requestedBy: actor.name, idempotencyKey } } })
}

/** In the order of the ids, or the oldest of the selection first. */
async function datasetsOf({ datasetIds, selection }: ExportRequest, { database: { prisma } }: Context): Promise<readonly Dataset[]> {
  if ((datasetIds == null) === (selection === undefined)) throw new InvalidValue('give one of datasetIds and selection', ['input'])
  if (datasetIds?.length === 0) throw new InvalidValue('datasetIds: name at least one', ['input', 'datasetIds'])
  const ids = datasetIds == null ? undefined : [...new Set(localIds('Dataset', datasetIds))]
  const where = ids === undefined ? (selection ?? {}) : { id: { in: ids } }
  const found = await prisma.dataset.findMany({ where, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }], take: MAX_EXPORT_DATASETS + 1 })
  if (found.length > MAX_EXPORT_DATASETS) throw new InvalidValue(`more than ${MAX_EXPORT_DATASETS} datasets are selected; make several exports`, ['input'])
  if (ids === undefined) {
    if (found.length === 0) throw new NotFound('dataset in this selection')
    return found
  }
  const byId = new Map(found.map((dataset) => [dataset.id, dataset]))
  return ids.map((id) => {
    const dataset = byId.get(id)
    if (dataset === undefined) throw new NotFound(`dataset with the id ${id}`)
    return dataset
  })
}

function checkColumns(columns: readonly string[], datasets: readonly Dataset[]): void {
  for (const dataset of datasets) {
    const known = (dataset.columns as unknown as DatasetColumn[]).map(({ name }) => name)
    const missing = columns.find((column) => !known.includes(column))
    if (missing !== undefined) throw new InvalidValue(`dataset ${dataset.name} has no column ${missing}; it has ${known.join(', ')}`, ['input', 'columns'])
  }
}

const KEEP_FREE_BYTES = 256 * 1024 * 1024 // for the database and the journal on the same disk

/** A text form can be larger than the recording; the worker notices that. What cannot even hold the bytes themselves is refused at once. */
async function checkDisk(datasets: readonly Dataset[], dataDir: string): Promise<void> {
  const neededBytes = datasets.reduce((sum, { bytes }) => sum + Number(bytes), KEEP_FREE_BYTES)
  const { bavail, bsize } = await statfs(dataDir)
  if (neededBytes > bavail * bsize) throw new StorageFull(neededBytes, bavail * bsize)
}
