import { isActive } from '../../model/run-state.ts'
import { useCommand } from '../../state/use-command.ts'
import { useFresh } from '../../state/use-fresh.ts'
import { Button } from '../../ui/button.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { ABORT, HOLD, QUEUE, RELEASE } from './documents.ts'
import styles from './queue.module.css'

/** What waits on one station, whether it is held and why, and the release. */
export function Queue({ station, named }: { station: { id: string; name: string }; named: boolean }) {
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
                <p className="quiet">{waitsFor === null ? 'starts next' : `waiting: ${waitsFor}`}</p>
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
