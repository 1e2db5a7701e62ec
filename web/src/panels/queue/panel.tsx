import { useState } from 'react'
import { formatDuration } from '../../data/format.ts'
import { isActive, RUN_TONES, RUN_WORDS } from '../../data/run-state.ts'
import { graphql, type ResultOf } from '../../graphql.ts'
import { followedRun } from '../../state/followed-run.ts'
import { useCommand, useFresh, useStream } from '../../state/lab.tsx'
import { useStore } from '../../state/store.ts'
import { Button } from '../../ui/button.tsx'
import { Empty, PanelFrame, Progress } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { Moment } from '../../ui/value.tsx'
import styles from './queue.module.css'

const STATIONS = graphql(`
  query QueueStations {
    lab { stations { id name } }
  }
`)

const QUEUE = graphql(`
  query RunQueue($stationId: ID!) {
    runQueue(stationId: $stationId) {
      held
      reason
      entries {
        position
        waitsFor
        run { id number state points totalPoints progress plan { summary } session { title } }
      }
    }
  }
`)

const RECENT = graphql(`
  query RecentRuns {
    runs(first: 12) {
      edges { node { id number state startedAt endedAt points totalPoints progress exitReason plan { summary } problem { message } } }
    }
  }
`)

const RUN = graphql(`
  subscription RunNow($id: ID!, $after: Cursor) {
    run(id: $id, after: $after) { cursor run { id state points totalPoints progress } }
  }
`)

const RELEASE = graphql(`
  mutation ReleaseQueue($stationId: ID!) {
    releaseQueue(stationId: $stationId) {
      ... on RunQueue { held }
      ... on Problem { message code }
    }
  }
`)

const HOLD = graphql(`
  mutation HoldQueue($stationId: ID!, $reason: String) {
    holdQueue(stationId: $stationId, reason: $reason) {
      ... on RunQueue { held }
      ... on Problem { message code }
    }
  }
`)

const ABORT = graphql(`
  mutation AbortRun($id: ID!, $reason: String) {
    abortRun(id: $id, reason: $reason) {
      ... on Run { id state }
      ... on Problem { message code }
    }
  }
`)

const NO_VARIABLES = {}
type Run = ResultOf<typeof RECENT>['runs']['edges'][number]['node']

/** What runs, what waits and why, and what ran before. A run that is chosen here is shown in the scan panel. */
export function Panel() {
  const stations = useFresh(STATIONS, NO_VARIABLES, ['STATION'])
  const recent = useFresh(RECENT, NO_VARIABLES, ['RUN', 'EMERGENCY_STOP'])
  const runs = recent.data?.runs.edges.map((edge) => edge.node) ?? []
  const active = runs.filter((run) => isActive(run.state))
  const past = runs.filter((run) => !isActive(run.state) && run.state !== 'QUEUED')
  return (
    <PanelFrame note={active.length === 0 ? 'nothing runs' : `${active.length} running`}>
      <div className="stack">
        {recent.problem !== undefined && <RefusalNote refusal={{ message: recent.problem }} />}
        {active.map((run) => (
          <ActiveRun key={run.id} run={run} changed={recent.refresh} />
        ))}
        {stations.data?.lab.stations.map((station) => (
          <Queue key={station.id} station={station} named={stations.data?.lab.stations.length !== 1} />
        ))}
        <h3 className={styles.heading}>Past runs</h3>
        <ul className={styles.list}>
          {past.map((run) => (
            <PastRun key={run.id} run={run} />
          ))}
        </ul>
        {recent.data !== undefined && past.length === 0 && <Empty>No run has ended yet.</Empty>}
      </div>
    </PanelFrame>
  )
}

function ActiveRun({ run, changed }: { run: Run; changed: () => void }) {
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

function Queue({ station, named }: { station: { id: string; name: string }; named: boolean }) {
  const { data, refresh } = useFresh(QUEUE, { stationId: station.id }, ['RUN', 'EMERGENCY_STOP', 'STATION'])
  const release = useCommand(RELEASE, refresh)
  const hold = useCommand(HOLD, refresh)
  const abort = useCommand(ABORT, refresh)
  const queue = data?.runQueue
  if (queue === null || queue === undefined) return null
  const waiting = queue.entries.filter((entry) => !isActive(entry.run.state))
  return (
    <section className="stack" aria-label={`Queue of ${station.name}`} data-queue={station.name} data-held={queue.held}>
      <div className={queue.held ? styles.held : styles.flowing}>
        <div>
          <strong>{queue.held ? 'Held' : waiting.length === 0 ? 'Queue is empty' : `${waiting.length} waiting`}</strong>
          {named && <span className="quiet"> {station.name}</span>}
          {queue.held && <p>{queue.reason ?? 'No run starts until it is released.'}</p>}
        </div>
        {queue.held ? (
          <Button kind="primary" busy={release.busy} onClick={() => void release.send({ stationId: station.id })}>
            Release queue
          </Button>
        ) : (
          <Button kind="quiet" busy={hold.busy} onClick={() => void hold.send({ stationId: station.id, reason: 'Held in the dashboard' })}>
            Hold queue
          </Button>
        )}
      </div>
      <RefusalNote refusal={release.refusal ?? hold.refusal ?? abort.refusal} />
      {waiting.length > 0 && (
        <ol className={styles.list}>
          {waiting.map(({ run, waitsFor }) => (
            <li key={run.id} className={styles.waiting}>
              <span className={styles.number}>#{run.number}</span>
              <div>
                <p className={styles.summary}>{run.plan.summary}</p>
                <p className="quiet">{waitsFor ?? 'next'}</p>
              </div>
              <Button
                kind="quiet"
                busy={abort.busy}
                aria-label={`Remove run ${run.number} from the queue`}
                onClick={() => void abort.send({ id: run.id, reason: 'Taken out of the queue in the dashboard' })}
              >
                Remove
              </Button>
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

function PastRun({ run }: { run: Run }) {
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

function RunNumber({ run }: { run: { id: string; number: number } }) {
  const followed = useStore(followedRun)
  return (
    <Button
      kind="quiet"
      aria-pressed={followed === run.id}
      title="Show its curve in the scan panel"
      aria-label={`Show the curve of run ${run.number}`}
      onClick={() => followedRun.set(run.id)}
    >
      #{run.number}
    </Button>
  )
}
