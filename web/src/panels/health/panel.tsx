import { useState } from 'react'
import { graphql, type ResultOf } from '../../graphql.ts'
import { formatBytes } from '../../model/format.ts'
import { useFresh } from '../../state/use-fresh.ts'
import { useStream } from '../../state/use-stream.ts'
import { PanelFrame } from '../../ui/panel.tsx'
import { Moment } from '../../ui/value.tsx'
import styles from './health.module.css'

const HEALTH = graphql(`
  subscription HealthNow($intervalMs: Int) {
    health(intervalMs: $intervalMs) {
      state
      time
      cpuPercent
      memoryBytes
      diskFreeBytes
      components { name state message lastSeen latencyMs }
    }
  }
`)

const BACKENDS = graphql(`
  query Backends {
    lab { version commit backends { role kind embedded state } }
  }
`)

type Health = ResultOf<typeof HEALTH>['health']
const EVERY_MS = 2000
const NO_VARIABLES = {}
const TONES = { OK: 'good', DEGRADED: 'warn', DOWN: 'bad' } as const
const WORDS = { OK: 'ok', DEGRADED: 'degraded', DOWN: 'down' } as const

/** Whether every part of the lab's software does its work, and what stands behind each role. */
export function Panel() {
  const [health, setHealth] = useState<Health>()
  const { data } = useFresh(BACKENDS, NO_VARIABLES, ['STATION'])
  useStream(HEALTH, 'health', () => ({ intervalMs: EVERY_MS }), { next: (next) => setHealth(next.health), error: () => setHealth(undefined) })
  return (
    <PanelFrame note={health === undefined ? undefined : WORDS[health.state]}>
      <div className="stack">
        <ul className={styles.components}>
          {health?.components.filter(needsALine).map((component) => (
            <li key={component.name}>
              <span className="mark" data-tone={TONES[component.state]} />
              <span>{component.name}</span>
              <span className={`quiet ${styles.message}`}>
                {component.state !== 'OK' && `${WORDS[component.state]} `}
                {component.message}
                {component.state !== 'OK' && component.lastSeen !== null && (
                  <>
                    {' '}
                    seen <Moment at={component.lastSeen} />
                  </>
                )}
              </span>
              <span className={styles.latency}>{component.latencyMs === null ? '' : `${component.latencyMs.toFixed(1)} ms`}</span>
            </li>
          ))}
        </ul>
        {health !== undefined && <InOrder names={health.components.filter((component) => !needsALine(component)).map(({ name }) => name)} />}
        <dl className="facts">
          {health?.cpuPercent !== null && health?.cpuPercent !== undefined && (
            <>
              <dt>Processor</dt>
              <dd>{health.cpuPercent.toFixed(0)} %</dd>
            </>
          )}
          {health?.memoryBytes !== null && health?.memoryBytes !== undefined && (
            <>
              <dt>Memory</dt>
              <dd>{formatBytes(health.memoryBytes)}</dd>
            </>
          )}
          {health?.diskFreeBytes !== null && health?.diskFreeBytes !== undefined && (
            <>
              <dt>Disk free</dt>
              <dd>{formatBytes(health.diskFreeBytes)}</dd>
            </>
          )}
          {data?.lab.backends.map((backend) => (
            <Backend key={backend.role} {...backend} />
          ))}
          <dt>Version</dt>
          <dd>
            {data?.lab.version}
            {data?.lab.commit !== null && data?.lab.commit !== undefined && <span className="quiet"> {data.lab.commit.slice(0, 9)}</span>}
          </dd>
        </dl>
      </div>
    </PanelFrame>
  )
}

/** As many as there are devices and more: their number is enough until somebody asks. */
function InOrder({ names }: { names: readonly string[] }) {
  if (names.length === 0) return null
  return (
    <details className={styles.inOrder}>
      <summary>
        <span className="mark" data-tone="good" />
        {names.length} more in order
      </summary>
      <ul>
        {names.map((name) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
    </details>
  )
}

/** What is not in order, or has something to say. */
function needsALine({ state, message, latencyMs }: Health['components'][number]): boolean {
  return state !== 'OK' || message !== null || latencyMs !== null
}

function Backend({ role, kind, embedded, state }: ResultOf<typeof BACKENDS>['lab']['backends'][number]) {
  return (
    <>
      <dt>{role.charAt(0) + role.slice(1).toLowerCase()}</dt>
      <dd>
        {kind}
        <span className="quiet">
          {embedded && ' embedded'}
          {state !== 'OK' && ` ${WORDS[state]}`}
        </span>
      </dd>
    </>
  )
}
