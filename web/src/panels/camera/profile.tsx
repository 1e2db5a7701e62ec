import { useEffect, useReducer, useRef } from 'react'
import { formatNumber } from '../../model/format.ts'
import { type Line, lineProfile, profileAxis } from '../../model/line-profile.ts'
import { toSensor } from '../../model/picture-geometry.ts'
import { Button } from '../../ui/button.tsx'
import { XyChart } from '../../ui/xy-chart.tsx'
import styles from './camera.module.css'
import type { Display } from './display.ts'

const EVERY_MS = 100 // ten plots a second: more cannot be told apart
const NAMES = { x: 'x on the sensor', y: 'y on the sensor', distance: 'along the line' } as const

type Properties = { display: Display; line: Line | undefined; onLine: (line: Line | undefined) => void; height: number }

/** The counts along a line of the picture, with every frame. */
export function ProfileView({ display, line, onLine, height }: Properties) {
  const [version, next] = useReducer((last: number) => last + 1, 0)
  const lastMs = useRef(0)
  useEffect(
    () =>
      display.onDrawn(() => {
        const nowMs = performance.now()
        if (nowMs - lastMs.current < EVERY_MS) return
        lastMs.current = nowMs
        next()
      }),
    [display],
  )
  const across = (axis: 'x' | 'y') => {
    const { viewport, box, shown } = display.place.get()
    const middle = line?.from ?? toSensor(viewport, { x: box.width / 2, y: box.height / 2 })
    const [x, y] = [Math.floor(middle.x) + 0.5, Math.floor(middle.y) + 0.5]
    const [right, bottom] = [shown.x + shown.width - 0.5, shown.y + shown.height - 0.5]
    onLine(axis === 'x' ? { from: { x: shown.x + 0.5, y }, to: { x: right, y } } : { from: { x, y: shown.y + 0.5 }, to: { x, y: bottom } })
  }
  const frame = display.frame
  const profile = line === undefined || frame === undefined ? undefined : lineProfile(frame, line)
  return (
    <section className={styles.tool} aria-label="Line profile" data-samples={profile?.counts.length ?? 0}>
      <div className="row">
        <Button onClick={() => across('x')}>Whole row</Button>
        <Button onClick={() => across('y')}>Whole column</Button>
        {line !== undefined && (
          <Button kind="quiet" className="push" onClick={() => onLine(undefined)}>
            Remove
          </Button>
        )}
      </div>
      {profile === undefined || line === undefined ? (
        <p className={styles.hint} style={{ height }}>
          {line === undefined ? 'Drag a line over the picture; with Shift it stays level or upright.' : 'Its counts come with the first frame.'}
        </p>
      ) : (
        <>
          <XyChart
            shape={profileAxis(line)}
            version={version}
            read={() => ({ x: profile.at, y: profile.counts })}
            x={{ name: NAMES[profile.axis], unit: 'px' }}
            y={{ name: 'counts' }}
            height={height}
          />
          <p className={styles.counts} data-profile={`${profile.at[0]},${profile.at.at(-1)}`} data-sequence={frame?.sequence}>
            {summaryOf(profile.counts)}
          </p>
        </>
      )}
    </section>
  )
}

function summaryOf(counts: readonly (number | null)[]): string {
  const seen = counts.filter((count) => count !== null)
  if (seen.length === 0) return 'beside the picture'
  const mean = seen.reduce((sum, count) => sum + count, 0) / seen.length
  return `mean ${formatNumber(mean, 0.1)}, ${Math.min(...seen)}…${Math.max(...seen)} counts`
}
