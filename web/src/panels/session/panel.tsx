import { useFresh } from '../../state/use-fresh.ts'
import { PanelFrame } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import { OPEN } from './documents.ts'
import { OpenSession } from './open-session.tsx'
import { StartForm } from './start-form.tsx'

const NO_VARIABLES = {}

/** What the lab is used for now: start a session, note what happens, end it. */
export function Panel() {
  const { data, problem, refresh } = useFresh(OPEN, NO_VARIABLES, ['SESSION', 'RUN'])
  const open = data?.sessions.edges.map((edge) => edge.node) ?? []
  return (
    <PanelFrame note={data === undefined ? undefined : open.length === 0 ? 'none open' : undefined}>
      <div className="stack">
        {problem !== undefined && <RefusalNote refusal={{ message: problem }} />}
        {open.map((session) => (
          <OpenSession key={session.id} session={session} changed={refresh} />
        ))}
        {data !== undefined && open.length === 0 && <StartForm changed={refresh} />}
      </div>
    </PanelFrame>
  )
}
