import { embedStates } from './embedding.ts'
import { exportDatasets } from './export.ts'
import { importFile } from './import.ts'
import type { ComputeJob } from './job.ts'

/** Every job of the compute workers; a test compares this list with the folder. */
export const COMPUTE_JOBS: readonly ComputeJob[] = [exportDatasets, embedStates, importFile]
