import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { exportJob } from '../../../core/job.ts'
import { startCompute } from '../../../workers/compute/compute.ts'
import { exportDatasets } from '../../../workers/jobs/export.ts'
import { defineJob } from '../../../workers/jobs/job.ts'

/** A compute worker that stops for ever in the middle of an export, to be killed there. */
async function main([databaseUrl = '', dataDir = '', marker = '', redisUrl = '']: readonly string[]): Promise<void> {
  const stuck = defineJob(exportJob, async (payload, context) => {
    const forever = new Int32Array(new SharedArrayBuffer(4))
    return exportDatasets.run(payload, {
      ...context,
      progress: (fraction, text) => {
        context.progress(fraction, text)
        if (fraction > 0.5) Atomics.wait(forever, 0, 0)
      },
    })
  })
  await writeFile(path.join(dataDir, marker), String(process.pid))
  await startCompute({ dataDir, databaseUrl, redisUrl: redisUrl === '' ? undefined : redisUrl }, { log: () => undefined, jobs: [stuck], lockMs: 1_000 })
}

void main(process.argv.slice(2))
