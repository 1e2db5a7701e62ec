import { InvalidValue, NotFound } from '../../core/errors.ts'
import { uuidv7 } from '../../core/id.ts'
import { IMPORT_FORMATS, parseImportUrl } from '../../core/import.ts'
import { COMPUTE_QUEUE, type ImportPayload, importJob } from '../../core/job.ts'
import { isUnit } from '../../core/unit.ts'
import type { Prisma } from '../../prisma/client.ts'
import { appendEvents } from '../../prisma/events.ts'
import { need } from '../actor.ts'
import { type Context, causeOf } from '../context.ts'
import { localId } from '../global-id.ts'
import type { Job } from '../loaders.ts'
import { nowNs } from '../now.ts'
import { isUniqueViolation } from '../unique.ts'

const MAX_NAME_LENGTH = 200 // one line
const SYNC_DEADLINE_MS = 10_000 // a station takes devices up without waiting for them to connect

export type ImportRequest = {
  readonly name: string
  readonly format: string
  readonly url: string
  readonly sessionId?: string | null | undefined
  readonly columns?:
    | readonly { readonly name: string; readonly unit?: string | null | undefined; readonly type?: string | null | undefined }[]
    | null
    | undefined
  readonly idempotencyKey?: string | null | undefined
}

/** Checks the request, writes the job's row and tells the queue; the worker reads the file. Registering devices is an engineer's. Throws Problems. */
export async function requestImport(request: ImportRequest, context: Context): Promise<Job> {
  need(context, 'OPERATOR')
  const first = await jobWithKey(request, context)
  if (first !== null) return first
  if (request.name.trim() === '' || request.name.length > MAX_NAME_LENGTH)
    throw new InvalidValue(`name: give 1 to ${MAX_NAME_LENGTH} characters`, ['input', 'name'])
  if (!IMPORT_FORMATS.some((format) => format === request.format))
    throw new InvalidValue(`format: ${JSON.stringify(request.format)} is not one of ${IMPORT_FORMATS.join(', ')}`, ['input', 'format'])
  const { file, options } = parseImportUrl(request.url)
  if (options.register) need(context, 'ENGINEER')
  const sessionId = await sessionOf(request, context)
  const payload: ImportPayload = {
    jobId: uuidv7(),
    name: request.name.trim(),
    format: request.format,
    file,
    options,
    units: unitsOf(request),
    ...(sessionId !== undefined && { sessionId }),
  }
  try {
    const job = await writeJob(payload, request, context)
    if (options.register) takeUpWhenDone(payload.jobId, context)
    await context.queues.add(COMPUTE_QUEUE, importJob, payload, { jobId: payload.jobId, priority: 0 })
    return job
  } catch (error) {
    const winner = isUniqueViolation(error) ? await jobWithKey(request, context) : null
    if (winner === null) throw error
    return winner
  }
}

async function jobWithKey({ idempotencyKey }: ImportRequest, { database, actor }: Context): Promise<Job | null> {
  if (idempotencyKey == null) return null
  return database.prisma.job.findUnique({ where: { requestedBy_idempotencyKey: { requestedBy: actor.name, idempotencyKey } } })
}

async function sessionOf({ sessionId: given }: ImportRequest, context: Context): Promise<string | undefined> {
  if (given == null) return undefined
  const sessionId = localId('Session', given)
  if ((await context.load.session.load(sessionId)) === undefined) throw new NotFound(`session with the id ${given}`)
  return sessionId
}

/** The formats say which columns there are and of which type; a person may know a unit better. */
function unitsOf({ columns }: ImportRequest): Readonly<Record<string, string>> {
  const units: Record<string, string> = {}
  for (const { name, unit, type } of columns ?? []) {
    if (type != null) throw new InvalidValue(`columns: the type of ${name} is told by the file; only its unit can be given`, ['input', 'columns'])
    if (unit == null) throw new InvalidValue(`columns: give the unit of ${name}, or leave it out`, ['input', 'columns'])
    if (!isUnit(unit)) throw new InvalidValue(`columns: ${JSON.stringify(unit)}, of ${name}, is no UCUM unit that is known here`, ['input', 'columns'])
    units[name] = unit
  }
  return units
}

function writeJob(payload: ImportPayload, { idempotencyKey }: ImportRequest, context: Context): Promise<Job> {
  const { jobId, name, file } = payload
  return context.database.prisma.$transaction(async (tx) => {
    const row = await tx.job.create({
      data: {
        id: jobId,
        queue: COMPUTE_QUEUE,
        name: importJob.name,
        requestedBy: context.actor.name,
        createdAt: new Date(),
        payload: payload as unknown as Prisma.InputJsonValue,
        ...(idempotencyKey != null && { idempotencyKey }),
      },
    })
    const summary = `import of ${file} as ${name} is queued`
    await appendEvents(tx, [{ time: nowNs(), kind: 'JOB', subject: { type: 'Job', id: jobId }, summary, cause: causeOf(context) }])
    return row
  })
}

/** The worker registers devices; their stations hear of it from here. One that is away reads its devices when it comes back. */
function takeUpWhenDone(jobId: string, { changes, database, stations, log }: Context): void {
  const unwatch = changes.watch('job', jobId, () => {
    void (async () => {
      const row = await database.prisma.job.findUnique({ where: { id: jobId }, select: { state: true, finishedAt: true } })
      if (row?.finishedAt == null) return
      unwatch()
      if (row.state !== 'COMPLETED') return
      for (const station of stations.all()) if (station.online) await station.call('syncDevices', {}, SYNC_DEADLINE_MS)
    })().catch((error: unknown) => log.warn({ error: String(error) }, 'a station was not told of imported devices'))
  })
}
