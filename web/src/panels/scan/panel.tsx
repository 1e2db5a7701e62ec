import { followedRun } from '../../state/followed-run.ts'
import { useStore } from '../../state/store.ts'
import { useFresh } from '../../state/use-fresh.ts'
import { Empty, PanelFrame } from '../../ui/panel.tsx'
import { CurveView } from './curve-view.tsx'
import { BENCH, LATEST_RUN } from './documents.ts'
import { ScanFormView } from './form.tsx'

const NO_VARIABLES = {}

/** Start a scan, a count or a recording, and see its curve grow. */
export function Panel() {
  const { data } = useFresh(BENCH, NO_VARIABLES, ['DEVICE', 'SESSION'])
  const latest = useFresh(LATEST_RUN, NO_VARIABLES, ['RUN'])
  const chosen = useStore(followedRun)
  const shown = chosen ?? latest.data?.runs.edges[0]?.node.id
  return (
    <PanelFrame>
      <div className="stack">
        <ScanFormView
          devices={data?.devices.edges.map((edge) => edge.node) ?? []}
          session={data?.sessions.edges[0]?.node}
          started={(id) => {
            followedRun.set(id)
            latest.refresh()
          }}
        />
        {shown === undefined ? <Empty>The curve of the next run appears here, point by point.</Empty> : <CurveView key={shown} runId={shown} />}
      </div>
    </PanelFrame>
  )
}
