import { useEffect, useMemo, useRef } from 'react'
import uPlot from 'uplot'
import { useClient } from 'urql'
import { graphql } from '../../graphql.ts'
import { displayScale, unitLabel } from '../../model/format.ts'
import { type LaneView, laneView } from '../../model/lane-view.ts'
import { TimeRing } from '../../model/time-ring.ts'
import { useLab } from '../../state/lab.tsx'
import { useReading } from '../../state/use-reading.ts'
import { axis, axisClock, axisNumbers, Chart, type ChartColors, seriesColor } from '../../ui/chart.tsx'
import { Value } from '../../ui/value.tsx'
import styles from './plot.module.css'

export type Trace = {
  readonly parameterId: string
  readonly deviceId: string
  readonly name: string
  readonly title: string
  readonly unit?: string | undefined
  readonly step?: number | undefined
}

const HISTORY = graphql(`
  query TraceHistory($id: ID!, $range: TimeRange!, $maxPoints: Int) {
    node(id: $id) {
      ... on Parameter {
        history(range: $range, maxPoints: $maxPoints, reduce: LTTB) { times values }
      }
    }
  }
`)

const CAPACITY = 36_000 // the longest window (one hour) at the rate of the live stream (10 Hz): 0.6 MB a lane, allocated once
const POINTS_PER_LANE = 1600 // two for each pixel of a wide screen
const HISTORY_POINTS = 1000
const CLOCK_HEIGHT = 24
const REDRAW_MS = 120 // a line that moves smoothly to the eye

/** A value holds until the next one says otherwise: steps, no slopes that nobody measured. */
const stepped = uPlot.paths.stepped?.({ align: 1 })

type Properties = {
  trace: Trace
  color: number
  seconds: number
  last: boolean /** Of the drawing, in pixels, without the clock under the last lane. */
  height: number
}

/** One pen of the strip chart. It begins with what the history knows and goes on live. */
export function Lane({ trace, color, seconds, last, height }: Properties) {
  const { connection, live } = useLab()
  const client = useClient()
  const ring = useMemo(() => new TimeRing(CAPACITY), [])
  const redraw = useRef<(() => void) | undefined>(undefined)
  const view = useRef<LaneView | undefined>(undefined)
  const value = useReading(trace)
  const { parameterId, deviceId, name } = trace

  useEffect(
    () =>
      live.watch({ parameterId, deviceId, name }, (values) => {
        for (const each of values) ring.push(each.timeMs / 1000, typeof each.value === 'number' ? each.value : Number.NaN)
      }),
    [live, ring, parameterId, deviceId, name],
  )

  useEffect(
    () =>
      connection.state.subscribe(() => {
        if (connection.state.get().phase === 'LOST') ring.markGap()
      }),
    [connection, ring],
  )

  useEffect(() => {
    const from = new Date(Date.now() - seconds * 1000).toISOString()
    let wanted = true
    client
      .query(HISTORY, { id: parameterId, range: { from }, maxPoints: HISTORY_POINTS }, { requestPolicy: 'network-only' })
      .toPromise()
      .then(({ data }) => {
        if (!wanted || data?.node === null || data?.node === undefined || !('history' in data.node)) return
        const { times, values } = data.node.history
        ring.prepend(
          times.map((time) => Date.parse(time) / 1000),
          (values ?? []).map((each) => each ?? Number.NaN),
        )
        redraw.current?.()
      })
    return () => {
      wanted = false
    }
  }, [client, ring, parameterId, seconds])

  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) redraw.current?.()
    }, REDRAW_MS)
    return () => clearInterval(timer)
  }, [])

  const scale = () => displayScale(view.current?.largest ?? 0, trace.unit)
  const options = (colors: ChartColors): Omit<uPlot.Options, 'width' | 'height'> => ({
    cursor: { sync: { key: 'traces' }, drag: { x: false, y: false }, points: { size: 6 } },
    legend: { show: false },
    padding: [6, 28, 0, 0],
    scales: {
      x: { time: true, range: () => [nowOf(ring) - seconds, nowOf(ring)] },
      y: { range: () => [view.current?.low ?? 0, view.current?.high ?? 1] },
    },
    axes: [
      axis(colors, { size: last ? CLOCK_HEIGHT : 0, values: last ? (_, ticks) => axisClock(ticks) : () => [], space: 90 }),
      axis(colors, {
        size: 66,
        space: 24,
        label: () => unitLabel(scale().unit),
        labelSize: 16,
        values: (_, ticks) => axisNumbers(ticks, scale().factor),
      }),
    ],
    series: [
      {},
      {
        stroke: colors.series[color % colors.series.length] ?? colors.ink,
        width: 1.5,
        points: { show: false },
        spanGaps: false,
        ...(stepped !== undefined && { paths: stepped }),
      },
    ],
  })
  const data = () => {
    const holds = connection.state.get().phase === 'LIVE'
    view.current = laneView(ring, nowOf(ring), seconds, POINTS_PER_LANE, holds)
    return [view.current.times, view.current.values] as const
  }
  return (
    <figure className={styles.lane} data-trace={trace.name}>
      <figcaption>
        <span className={styles.pen} style={{ background: seriesColor(color) }} />
        <span>{trace.title}</span>
        <span className="push">
          <Value value={value} unit={trace.unit ?? null} step={trace.step ?? null} />
        </span>
      </figcaption>
      <Chart
        shape={`${parameterId} ${seconds} ${last} ${color}`}
        options={options}
        data={data}
        height={Math.round(height) + (last ? CLOCK_HEIGHT : 0)}
        label={`${trace.title} over the last ${seconds} seconds`}
        onReady={(draw) => {
          redraw.current = draw
        }}
      />
    </figure>
  )
}

/** The page's clock, or the lab's where that is ahead. */
function nowOf(ring: TimeRing): number {
  return Math.max(Date.now() / 1000, ring.lastTime ?? 0)
}
