import { isActive } from '../../model/run-state.ts'
import { useFresh } from '../../state/use-fresh.ts'
import { Empty, PanelFrame } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { ActiveRun } from './active-run.tsx'
import { RECENT, STATIONS } from './documents.ts'
import { PastRun } from './past-run.tsx'
import styles from './queue.module.css'
import { Queue } from './waiting.tsx'

const NO_VARIABLES = {}

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
