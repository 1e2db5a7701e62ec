import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { isUuid } from '../../core/id.ts'
import type { Database } from '../../prisma/client.ts'

/** Imported datasets stand in `imports/<job id>/<dataset id>`: of two jobs that import the same file at once, one is undone, and the other's files stay. */
export const IMPORTS_FOLDER = 'imports'
export const PARTIAL_IMPORTS = path.join(IMPORTS_FOLDER, '.partial') // on the same disk, so that a finished dataset only changes its name

/** Absolute folders of attempts that nobody goes on with, and of finished ones whose rows were never written. */
export async function importLeftovers({ prisma, pool }: Database, dataDir: string): Promise<readonly string[]> {
  const partials = await jobsIn(path.join(dataDir, PARTIAL_IMPORTS))
  const finished = await jobsIn(path.join(dataDir, IMPORTS_FOLDER))
  if (partials.length + finished.length === 0) return []
  const active = await prisma.job.findMany({ where: { id: { in: [...partials, ...finished] }, state: 'ACTIVE' }, select: { id: true } })
  const { rows } = await pool.query<{ job: string }>(
    `SELECT DISTINCT split_part("folder", '/', 2) AS job FROM "dataset" WHERE "folder" LIKE '${IMPORTS_FOLDER}/%'`,
  )
  const inUse = new Set([...active.map(({ id }) => id), ...rows.map(({ job }) => job)])
  return [
    ...partials.filter((job) => !active.some(({ id }) => id === job)).map((job) => path.join(dataDir, PARTIAL_IMPORTS, job)),
    ...finished.filter((job) => !inUse.has(job)).map((job) => path.join(dataDir, IMPORTS_FOLDER, job)),
  ]
}

async function jobsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.filter(isUuid)
}
