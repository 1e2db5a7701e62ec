import { Select } from '@mantine/core'
import { useState } from 'react'
import type { ResultOf } from '../../graphql.ts'
import { formatBytes } from '../../model/format.ts'
import { isString, useRemembered } from '../../state/remembered.ts'
import { newIdempotencyKey, useCommand } from '../../state/use-command.ts'
import { useFresh } from '../../state/use-fresh.ts'
import { useStream } from '../../state/use-stream.ts'
import { Button } from '../../ui/button.tsx'
import { Progress } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import styles from './datasets.module.css'
import { CANCEL_JOB, type DatasetDetail, FORMATS, JOB, REQUEST_EXPORT } from './documents.ts'

const NO_VARIABLES = {}
type Job = ResultOf<typeof JOB>['job']
const ENDED: ReadonlySet<Job['state']> = new Set(['COMPLETED', 'FAILED', 'CANCELLED'])
const WORDS = {
  WAITING: 'waiting',
  ACTIVE: 'writing',
  PAUSED: 'paused',
  COMPLETED: 'ready',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  STALLED: 'stalled',
} as const

/** Asks for an export, shows how far it is, and gives the files with their checksums. */
export function Exporter({ dataset }: { dataset: DatasetDetail }) {
  const { data } = useFresh(FORMATS, NO_VARIABLES, [])
  const formats = data?.exportFormats.filter((format) => format.kinds.includes(dataset.kind)) ?? []
  const [chosen, setChosen] = useRemembered('export.format', '', isString)
  const format = formats.find((each) => each.id === chosen) ?? formats[0]
  const [jobId, setJobId] = useState<string>()
  const [job, setJob] = useState<Job>()
  const [problem, setProblem] = useState<string>()
  const request = useCommand(REQUEST_EXPORT, ({ requestExport }) => {
    if (!('id' in requestExport) || typeof requestExport.id !== 'string') return
    setJob(undefined)
    setJobId(requestExport.id)
  })
  const cancel = useCommand(CANCEL_JOB)
  useStream(JOB, jobId, () => ({ id: jobId ?? '' }), { next: (next) => setJob(next.job), error: setProblem })
  const running = jobId !== undefined && (job === undefined || !ENDED.has(job.state))
  const ask = () => {
    if (format === undefined) return
    setProblem(undefined)
    void request.send({ input: { datasetIds: [dataset.id], format: format.id, idempotencyKey: newIdempotencyKey() } })
  }
  return (
    <div className="stack" data-export={job?.state}>
      <div className={styles.export}>
        <Select
          aria-label="Export format"
          data={formats.map((each) => ({ value: each.id, label: each.label }))}
          value={format?.id ?? null}
          onChange={(id) => id !== null && setChosen(id)}
        />
        <Button kind="primary" busy={request.busy} disabled={running || format === undefined || dataset.state === 'RECORDING'} onClick={ask}>
          Export
        </Button>
        {running && (
          <Button kind="quiet" busy={cancel.busy} onClick={() => void cancel.send({ id: jobId })}>
            Cancel
          </Button>
        )}
      </div>
      {running && (
        <>
          <Progress share={job?.progress} label="Progress of the export" />
          <span className="quiet" role="status">
            {job === undefined ? 'asked for' : (job.progressText ?? WORDS[job.state])}
          </span>
        </>
      )}
      {job?.export !== null && job?.export !== undefined && job.state === 'COMPLETED' && (
        <ul className={styles.files} aria-label="Exported files">
          {job.export.files.map((file) => (
            <li key={file.name}>
              <a className="button" data-kind="plain" href={file.url} download={file.name}>
                Download {file.name}
              </a>
              <span className="quiet">{formatBytes(file.bytes)}</span>
            </li>
          ))}
          <li>
            <a href={job.export.manifestUrl}>Checksums</a>
            <span className="quiet">for sha256sum -c</span>
          </li>
        </ul>
      )}
      <RefusalNote refusal={request.refusal ?? cancel.refusal ?? failure(job, problem)} />
    </div>
  )
}

function failure(job: Job | undefined, problem: string | undefined): { message: string } | undefined {
  if (problem !== undefined) return { message: problem }
  if (job?.state !== 'FAILED') return undefined
  return { message: job.problem?.message ?? 'The export failed.' }
}
