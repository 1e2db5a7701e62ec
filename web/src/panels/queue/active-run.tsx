import { useState } from 'react'
import type { ResultOf } from '../../graphql.ts'
import { isActive, RUN_TONES, RUN_WORDS } from '../../model/run-state.ts'
import { useCommand } from '../../state/use-command.ts'
import { useStream } from '../../state/use-stream.ts'
import { Button } from '../../ui/button.tsx'
import { Progress } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { Moment } from '../../ui/value.tsx'
import { ABORT, RUN, type Run } from './documents.ts'
import styles from './queue.module.css'
import { RunNumber } from './run-number.tsx'

/** A run that holds its devices now: how far it is, and the way to end it. */
export function ActiveRun({ run, changed }: { run: Run; changed: () => void }) {
  const [now, setNow] = useState<ResultOf<typeof RUN>['run']['run']>()
  const [cursor, setCursor] = useState<string>()
  useStream(RUN, run.id, () => ({ id: run.id, after: cursor ?? null }), {
    next: ({ run: progress }) => {
      setCursor(progress.cursor)
      setNow(progress.run)
      if (!isActive(progress.run.state)) changed()
    },
    error: changed,
  })
  const abort = useCommand(ABORT, changed)
  const { state, points, totalPoints, progress } = now ?? run
  return (
    <article className={styles.active} data-run={run.number} data-state={state}>
      <div className="row">
        <RunNumber run={run} />
        <span className="tag" data-tone={RUN_TONES[state]}>
          {RUN_WORDS[state]}
        </span>
        <span className="quiet push">
          {points}
          {totalPoints !== null && ` of ${totalPoints}`} points
        </span>
      </div>
      <p className={styles.summary}>{run.plan.summary}</p>
      <Progress share={progress} label={`Progress of run ${run.number}`} />
      <div className="row">
        {run.startedAt !== null && (
          <span className="quiet">
            since <Moment at={run.startedAt} />
          </span>
        )}
        <Button className="push" kind="halt" busy={abort.busy} onClick={() => void abort.send({ id: run.id, reason: 'Aborted in the dashboard' })}>
          Abort run
        </Button>
      </div>
      <RefusalNote refusal={abort.refusal} onDismiss={abort.dismiss} />
    </article>
  )
}
