import { useCallback, useState } from 'react'
import { graphql } from '../graphql.ts'
import { postStop } from '../state/post-stop.ts'
import { useCommand } from '../state/use-command.ts'
import { Button } from '../ui/button.tsx'
import { RefusalNote } from '../ui/refusal.tsx'
import { Moment } from '../ui/value.tsx'
import type { ShellStation } from './header.tsx'

export type StopControl = { readonly phase: 'READY' | 'SENDING' | 'SENT'; readonly failure: string | undefined; press(): void; reset(): void }

export function useEmergencyStop(afterwards: () => void): StopControl {
  const [phase, setPhase] = useState<StopControl['phase']>('READY')
  const [failure, setFailure] = useState<string>()
  const press = useCallback(() => {
    setPhase('SENDING')
    setFailure(undefined)
    postStop('Pressed in the dashboard').then((problem) => {
      setFailure(problem)
      setPhase(problem === undefined ? 'SENT' : 'READY')
      afterwards()
    })
  }, [afterwards])
  const reset = useCallback(() => setPhase('READY'), [])
  return { phase, failure, press, reset }
}

export function StopButton({ control }: { control: StopControl }) {
  return (
    <button
      type="button"
      className="stop-button"
      onClick={control.press}
      aria-keyshortcuts="Shift+Escape"
      title="Stops every motion in the lab at once (Shift + Esc)"
    >
      <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
        <path d="M4.3.5h5.4l3.8 3.8v5.4l-3.8 3.8H4.3L.5 9.7V4.3z" fill="currentColor" />
      </svg>
      {control.phase === 'SENDING' ? 'Stopping' : 'Emergency stop'}
    </button>
  )
}

const RELEASE = graphql(`
  mutation ReleaseEmergencyStop($stationIds: [ID!]) {
    releaseEmergencyStop(stationIds: $stationIds) {
      ... on EmergencyStopPayload { emergencyStop { active } }
      ... on Problem { message code }
    }
  }
`)

/** What is stopped, by whom and why, and the way out of it: two steps, because it lets things move again. */
export function StopBanner({ stations, control, afterwards }: { stations: readonly ShellStation[]; control: StopControl; afterwards: () => void }) {
  const [asking, setAsking] = useState(false)
  const release = useCommand(RELEASE, () => {
    setAsking(false)
    control.reset()
    afterwards()
  })
  const stopped = stations.filter((station) => station.emergencyStop.active)
  const [first] = stopped
  if (control.failure !== undefined)
    return (
      <div className="banner" data-tone="stop" role="alert">
        <strong>Not everything is stopped.</strong>
        <span>{control.failure} Use the hardware stop.</span>
        <Button className="push" onClick={control.press}>
          Try again
        </Button>
      </div>
    )
  if (first === undefined)
    return control.phase === 'SENT' ? (
      <div className="banner" data-tone="stop" role="alert">
        <strong>Emergency stop sent.</strong>
        <span>Waiting for the stations to report.</span>
      </div>
    ) : null
  const { by, reason, at } = first.emergencyStop
  return (
    <div className="banner" data-tone="stop" role="alert" data-emergency="active">
      <strong>Emergency stop is active</strong>
      <span>
        on {stopped.map((station) => station.name).join(', ')}
        {by !== null && `, by ${by}`}{' '}
        {at !== null && (
          <>
            at <Moment at={at} />
          </>
        )}
        {reason !== null && reason !== '' && `: ${reason}`}. Nothing moves until it is released.
      </span>
      <span className="row push">
        {asking ? (
          <>
            <Button busy={release.busy} onClick={() => void release.send({ stationIds: stopped.map((station) => station.id) })}>
              Release: it is safe to move
            </Button>
            <Button kind="quiet" onClick={() => setAsking(false)}>
              Keep stopped
            </Button>
          </>
        ) : (
          <Button onClick={() => setAsking(true)}>Release…</Button>
        )}
      </span>
      <RefusalNote refusal={release.refusal} onDismiss={release.dismiss} />
    </div>
  )
}
