import { type ReactNode, useEffect, useId, useRef } from 'react'
import { type Line, profileAxis } from '../../model/line-profile.ts'
import { type Rect, toBox, type Viewport } from '../../model/picture-geometry.ts'
import { useStore } from '../../state/store.ts'
import styles from './camera.module.css'
import type { Display } from './display.ts'
import type { MarkChange, Marks, Tool } from './gesture.ts'
import { listenToHands } from './hands.ts'
import { KEY_HELP } from './keys.ts'

type Properties = {
  display: Display
  name: string
  tool: Tool
  marks: Marks
  change: MarkChange
  /** Width over height of the sensor: the box keeps it whatever is shown, so that nothing jumps. */
  aspect: number
  isEmpty: boolean
  children?: ReactNode
}

/** The picture, and what is drawn on it by hand: with mouse, finger or keyboard. */
export function Stage({ display, name, tool, marks, change, aspect, isEmpty, children }: Properties) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const box = useRef<HTMLDivElement>(null)
  const help = useId()
  const latest = useRef({ tool, marks, change })
  latest.current = { tool, marks, change }
  const { isFitted } = useStore(display.place)
  useEffect(() => (canvas.current === null ? undefined : display.attach(canvas.current)), [display])
  useEffect(() => {
    const element = box.current
    return element === null ? undefined : listenToHands(element, display, () => latest.current)
  }, [display])
  return (
    <div className={styles.stage} data-empty={isEmpty || undefined} style={{ aspectRatio: aspect }}>
      <div
        ref={box}
        className={styles.hands}
        data-tool={tool}
        data-fitted={isFitted || undefined}
        role="application"
        aria-label={`Picture of ${name}`}
        aria-describedby={help}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application of its own for the keyboard, as WAI-ARIA has it
        tabIndex={0}
      >
        <canvas ref={canvas} className={styles.canvas} role="img" aria-label={`Live picture of ${name}`} />
        <Overlay display={display} region={tool === 'region' ? marks.region : undefined} line={tool === 'line' ? marks.line : undefined} />
      </div>
      <p id={help} hidden>
        {KEY_HELP}
      </p>
      {children}
    </div>
  )
}

function Overlay({ display, region, line }: { display: Display; region: Rect | undefined; line: Line | undefined }) {
  const { viewport } = useStore(display.place)
  return (
    <svg className={styles.overlay} aria-hidden="true">
      {region !== undefined && <RegionMark region={region} viewport={viewport} />}
      {line !== undefined && <LineMark line={line} viewport={viewport} />}
    </svg>
  )
}

function RegionMark({ region, viewport }: { region: Rect; viewport: Viewport }) {
  const { x, y } = toBox(viewport, region)
  const width = region.width * viewport.scale
  const height = region.height * viewport.scale
  const corners = [x, x + width].flatMap((left) => [y, y + height].map((top) => [left, top] as const))
  return (
    <g data-region={`${region.x},${region.y},${region.width},${region.height}`}>
      <rect className={styles.halo} x={x} y={y} width={width} height={height} />
      <rect className={styles.mark} x={x} y={y} width={width} height={height} />
      {corners.map(([left, top]) => (
        <rect key={`${left} ${top}`} className={styles.handle} x={left - 3.5} y={top - 3.5} width={7} height={7} />
      ))}
    </g>
  )
}

function LineMark({ line, viewport }: { line: Line; viewport: Viewport }) {
  const from = toBox(viewport, line.from)
  const to = toBox(viewport, line.to)
  return (
    <g data-line={profileAxis(line)} data-row={Math.floor(line.from.y)}>
      <line className={styles.halo} x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
      <line className={styles.mark} x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
      <circle className={styles.handle} cx={from.x} cy={from.y} r={4} />
      <circle className={styles.handle} data-end cx={to.x} cy={to.y} r={4} />
    </g>
  )
}
