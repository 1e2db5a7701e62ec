import { type KeyboardEvent, type PointerEvent, useRef } from 'react'
import { type Colormap, colormapTable } from '../../model/colormap.ts'
import { formatBound } from '../../model/format.ts'
import type { Span } from '../../model/histogram.ts'
import { type Levels, settledLevels } from '../../model/levels.ts'
import { useStore } from '../../state/store.ts'
import styles from './camera.module.css'
import type { Display } from './display.ts'

const HEIGHT = 100 // of the drawing's own units
const UNKNOWN: Span = { from: 0, to: 65_535 }

type Properties = { display: Display; colormap: Colormap; logarithmic: boolean; onLevels: (levels: Levels) => void }

/** How the counts of the shown picture are spread, and the two that are black and white, to be dragged. */
export function Histogram({ display, colormap, logarithmic, onLevels }: Properties) {
  const summary = useStore(display.histogram)
  const box = useRef<HTMLDivElement>(null)
  const held = useRef<'low' | 'high'>(undefined)
  const span = summary?.span ?? UNKNOWN
  const levels = display.levels
  const set = (which: 'low' | 'high', value: number) => onLevels(settledLevels({ ...display.levels, [which]: value }, display.saturated, which))
  const countAt = ({ clientX }: PointerEvent) => {
    const { left, width } = box.current?.getBoundingClientRect() ?? { left: 0, width: 1 }
    return span.from + ((clientX - left) / width) * (span.to - span.from)
  }
  const press = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0 || summary === undefined) return
    const count = countAt(event)
    const { low, high } = display.levels
    held.current = Math.abs(count - low) < Math.abs(count - high) ? 'low' : 'high'
    event.currentTarget.setPointerCapture(event.pointerId)
    set(held.current, count)
  }
  return (
    <div className={styles.histogram} data-span={`${span.from},${span.to}`}>
      <div
        ref={box}
        className={styles.plot}
        onPointerDown={press}
        onPointerMove={(event) => {
          if (held.current !== undefined) set(held.current, countAt(event))
        }}
        onPointerUp={() => {
          held.current = undefined
        }}
        onPointerCancel={() => {
          held.current = undefined
        }}
      >
        <svg viewBox={`0 0 ${summary?.heights.length ?? 1} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label="Histogram of the picture">
          {summary !== undefined && <path d={outline(summary.heights, logarithmic)} />}
        </svg>
        <LevelHandle which="low" label="Black level" levels={levels} span={span} saturated={display.saturated} onSet={set} />
        <LevelHandle which="high" label="White level" levels={levels} span={span} saturated={display.saturated} onSet={set} />
      </div>
      <div className={styles.ramp} style={{ background: ramp(colormap, levels, span) }} />
      <div className={styles.ends}>
        <span>{formatBound(span.from)}</span>
        <span data-levels={`${Math.round(levels.low)}…${Math.round(levels.high)}`}>
          {Math.round(levels.low)} … {Math.round(levels.high)} counts
        </span>
        <span>{formatBound(span.to)}</span>
      </div>
    </div>
  )
}

type HandleProperties = {
  which: 'low' | 'high'
  label: string
  levels: Levels
  span: Span
  saturated: number
  onSet: (which: 'low' | 'high', value: number) => void
}

function LevelHandle({ which, label, levels, span, saturated, onSet }: HandleProperties) {
  const value = Math.round(levels[which])
  const press = (event: KeyboardEvent) => {
    const step = Math.max(1, Math.round((span.to - span.from) / 100)) * (event.shiftKey ? 10 : 1)
    const to = { ArrowLeft: value - step, ArrowDown: value - step, ArrowRight: value + step, ArrowUp: value + step, Home: 0, End: saturated }[event.key]
    if (to === undefined) return
    event.preventDefault()
    onSet(which, to)
  }
  return (
    <div
      className={styles.level}
      data-which={which}
      style={{ left: `${100 * shareOf(value, span)}%` }}
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={saturated}
      aria-valuenow={value}
      aria-valuetext={`${value} counts`}
      onKeyDown={press}
    />
  )
}

function shareOf(count: number, { from, to }: Span): number {
  return Math.min(1, Math.max(0, (count - from) / Math.max(1, to - from)))
}

/** A stair of the bins, closed at the bottom. */
function outline(heights: Uint32Array, logarithmic: boolean): string {
  const tall = (pixels: number) => (logarithmic ? Math.log1p(pixels) : pixels)
  const most = Math.max(1e-9, ...Array.from(heights, tall))
  const steps = Array.from(heights, (pixels, at) => {
    const y = (HEIGHT * (1 - tall(pixels) / most)).toFixed(1)
    return `L${at} ${y}H${at + 1}`
  })
  return `M0 ${HEIGHT}${steps.join('')}V${HEIGHT}Z`
}

const STOPS = 16

/** The colours of the map between the two levels, and its ends beyond them. */
function ramp(colormap: Colormap, levels: Levels, span: Span): string {
  const table = colormapTable(colormap)
  const low = 100 * shareOf(levels.low, span)
  const high = 100 * shareOf(levels.high, span)
  const stops = Array.from({ length: STOPS + 1 }, (_, at) => {
    const entry = Math.round((255 * at) / STOPS) * 3
    return `rgb(${table[entry]} ${table[entry + 1]} ${table[entry + 2]}) ${(low + ((high - low) * at) / STOPS).toFixed(2)}%`
  })
  return `linear-gradient(to right, ${stops.join(', ')})`
}
