import { formatDuration } from '../../model/format.ts'
import { RUN_TONES, RUN_WORDS } from '../../model/run-state.ts'
import { Moment } from '../../ui/value.tsx'
import type { Run } from './documents.ts'
import styles from './queue.module.css'
import { RunNumber } from './run-number.tsx'

/** A run that has ended, and why, where it did not complete. */
export function PastRun({ run }: { run: Run }) {
  const why = run.problem?.message ?? run.exitReason
  return (
    <li className={styles.past} data-run={run.number} data-state={run.state}>
      <RunNumber run={run} />
      <div>
        <p className={styles.summary}>{run.plan.summary}</p>
        <p className="quiet">
          {run.points} points
          {run.startedAt !== null && (
            <>
              , <Moment at={run.startedAt} />
            </>
          )}
          {run.startedAt !== null && run.endedAt !== null && `, ${formatDuration(Date.parse(run.endedAt) - Date.parse(run.startedAt))}`}
        </p>
        {run.state !== 'COMPLETED' && why !== null && why !== undefined && <p className={styles.why}>{why}</p>}
      </div>
      <span className="tag" data-tone={RUN_TONES[run.state]}>
        {RUN_WORDS[run.state]}
      </span>
    </li>
  )
}
