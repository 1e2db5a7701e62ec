import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { isUuid } from '../../core/id.ts'
import type { JobState } from '../../core/job.ts'
import { COMPUTE_QUEUE } from '../../core/job.ts'
import type { WorkQueue } from '../../link/queues.ts'
import type { Database } from '../../prisma/client.ts'
import { importLeftovers } from '../imports/folders.ts'
import { EXPORTS_FOLDER, PARTIAL_FOLDER } from '../jobs/export.ts'
import type { ComputeJob } from '../jobs/job.ts'

const MAX_ROWS = 1000 // looked at in one sweep; the next one comes soon
const OPEN_STATES: JobState[] = ['WAITING', 'ACTIVE', 'STALLED']

/**
 * Jobs that the queue does not know although their rows are open are added (again): their addition was lost, the queue's server was emptied, or their worker
 * died more often than the queue repeats. Whether there is an attempt left is decided where the job is claimed.
 */
export async function addForgotten(database: Database, queue: WorkQueue, jobs: readonly ComputeJob[]): Promise<number> {
  const open = { queue: COMPUTE_QUEUE, name: { in: jobs.map(({ name }) => name) }, state: { in: OPEN_STATES } }
  const rows = await database.prisma.job.findMany({ where: open, orderBy: { createdAt: 'asc' }, take: MAX_ROWS })
  let added = 0
  for (const { id, name, priority, payload } of rows) {
    if (await queue.has(id)) continue
    const still = await database.prisma.job.findFirst({ where: { id, ...open } }) // the end is written before the queue forgets
    const job = jobs.find((candidate) => candidate.name === name)
    if (still === null || job === undefined) continue
    await queue.add({ ...job, parse: asObject }, asObject(payload), { jobId: id, priority })
    added += 1
  }
  return added
}

/** Folders of attempts that no open job will go on with, and finished ones whose row was never written. Nobody serves them, but they take space. */
export async function removeLeftovers(database: Database, dataDir: string): Promise<number> {
  const partials = await foldersIn(path.join(dataDir, PARTIAL_FOLDER))
  const active = await database.prisma.job.findMany({ where: { id: { in: partials }, state: 'ACTIVE' }, select: { id: true } })
  const finished = await foldersIn(path.join(dataDir, EXPORTS_FOLDER))
  const known = await database.prisma.export.findMany({ where: { id: { in: finished } }, select: { id: true } })
  const anyActive = await database.prisma.job.count({ where: { queue: COMPUTE_QUEUE, state: 'ACTIVE' } })
  const useless = [
    ...without(partials, active).map((id) => path.join(dataDir, PARTIAL_FOLDER, id)),
    // Between the final name and the row there is a moment; while another worker may be in it, nothing is taken away.
    ...(anyActive > 0 ? [] : without(finished, known).map((id) => path.join(dataDir, EXPORTS_FOLDER, id))),
    ...(await importLeftovers(database, dataDir)),
  ]
  for (const folder of useless) await rm(folder, { recursive: true, force: true })
  return useless.length
}

function asObject(payload: unknown): object {
  return typeof payload === 'object' && payload !== null ? payload : {}
}

function without(ids: readonly string[], rows: readonly { readonly id: string }[]): readonly string[] {
  const there = new Set(rows.map(({ id }) => id))
  return ids.filter((id) => !there.has(id))
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return entries.filter((entry) => entry.isDirectory() && isUuid(entry.name)).map((entry) => entry.name)
}
