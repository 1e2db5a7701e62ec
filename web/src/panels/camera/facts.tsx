import type { ReactNode } from 'react'
import { formatNumber } from '../../model/format.ts'
import type { FrameHeader } from '../../model/frame-header.ts'
import styles from './camera.module.css'

const OLD_AFTER_MS = 2000

export type Facts = {
  readonly header: FrameHeader
  /** Frames that reach this page. */
  readonly rateHz: number | undefined
  readonly ageMs: number
  /** Those that did not, and those that were not drawn because a newer one was there. */
  readonly skipped: number
  readonly drawn: number
}

/** What a person has to know of the frames beside the picture: how many, how old, what was lost. */
export function FactList({ facts, live }: { facts: Facts | undefined; live: boolean }) {
  const header = facts?.header
  const isOld = live && facts !== undefined && facts.ageMs > OLD_AFTER_MS
  return (
    <dl className={styles.facts}>
      <Fact name="rate" title="Frames a second that reach this page; the camera itself may be faster">
        {facts?.rateHz === undefined || !live ? '–' : `${facts.rateHz.toFixed(1)} Hz`}
      </Fact>
      <Fact name="frame">{header?.sequence ?? '–'}</Fact>
      <Fact name="age" bad={isOld}>
        {facts === undefined || !live ? '–' : ageText(facts.ageMs)}
      </Fact>
      <Fact name="dropped" title="Lost by the camera or its ring since it began to stream" bad={(header?.dropped ?? 0) > 0}>
        {header?.dropped ?? '–'}
      </Fact>
      <Fact name="skipped" title="Not sent to this page, or not drawn, because it was too slow for them; a recording has them">
        {facts === undefined ? '–' : facts.skipped}
      </Fact>
      <Fact name="saturated" bad={(header?.saturated ?? 0) > 0}>
        {header === undefined ? '–' : `${header.saturated} px`}
      </Fact>
      <Fact name="mean" unit="counts">
        {header === undefined ? '–' : formatNumber(header.mean, 0.1)}
      </Fact>
      <Fact name="range" unit="counts">
        {header === undefined ? '–' : `${header.minimum}…${header.maximum}`}
      </Fact>
      <Fact name="exposure">{header === undefined ? '–' : `${formatNumber(header.exposureSeconds * 1000)} ms`}</Fact>
    </dl>
  )
}

function ageText(ageMs: number): string {
  if (ageMs < 1000) return `${Math.max(0, Math.round(ageMs))} ms`
  if (ageMs < 60_000) return `${(ageMs / 1000).toFixed(1)} s`
  return ageMs < 3_600_000 ? `${Math.floor(ageMs / 60_000)} min` : 'over 1 h'
}

type FactProperties = {
  name: string
  /** Where the numbers leave no room for it. */
  unit?: string
  title?: string
  bad?: boolean
  children: ReactNode
}

function Fact({ name, unit, title, bad = false, children }: FactProperties) {
  return (
    <div className={styles.fact} data-fact={name} data-bad={bad || undefined} title={title}>
      <dt>{unit === undefined ? name : `${name} (${unit})`}</dt>
      <dd>{children}</dd>
    </div>
  )
}
