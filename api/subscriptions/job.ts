import { NotFound } from '../../core/errors.ts'
import type { JobState } from '../../core/job.ts'
import type { Context } from '../context.ts'
import type { Job } from '../loaders.ts'
import { rowSource } from './row.ts'
import type { LiveSource } from './source.ts'

const ENDED: ReadonlySet<string> = new Set<JobState>(['COMPLETED', 'FAILED', 'CANCELLED'])

export async function jobSource(jobId: string, { database: { prisma }, changes }: Context): Promise<LiveSource<Job>> {
  const read = async (): Promise<Job> => {
    const job = await prisma.job.findUnique({ where: { id: jobId } })
    if (job === null) throw new NotFound('job with that id')
    return job
  }
  await read() // refused before the stream begins
  return rowSource({ read, watch: (wake) => changes.watch('job', jobId, wake), ended: ({ state }) => ENDED.has(state), itemOf: (job) => job })
}
