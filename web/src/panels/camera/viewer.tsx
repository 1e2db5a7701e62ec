import { RangeSlider, SegmentedControl, Switch } from '@mantine/core'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useClient } from 'urql'
import { formatDuration, formatNumber } from '../../model/format.ts'
import type { Frame } from '../../model/frame-header.ts'
import { easedLevels, type Levels } from '../../model/levels.ts'
import { RateMeter } from '../../model/rate-meter.ts'
import { RefusalNote } from '../../ui/refusal.tsx'
import styles from './camera.module.css'
import { followFrames } from './frame-stream.ts'
import { type Colormap, openPainter, type Painter } from './painter.ts'

const FULL_SCALE = 65_535
const FACTS_EVERY_MS = 250 // numbers that change faster cannot be read
const OLD_AFTER_MS = 2000

type Facts = { readonly frame: Omit<Frame, 'pixels'>; readonly rateHz: number | undefined; readonly ageMs: number; readonly shown: number }
type Properties = { deviceId: string; name: string; live: boolean; width: number | undefined; height: number | undefined }

export function Viewer({ deviceId, name, live, width, height }: Properties) {
  const client = useClient()
  const canvas = useRef<HTMLCanvasElement>(null)
  const [facts, setFacts] = useState<Facts>()
  const [problem, setProblem] = useState<string>()
  const [automatic, setAutomatic] = useState(true)
  const [manual, setManual] = useState<Levels>({ low: 0, high: FULL_SCALE })
  const [colormap, setColormap] = useState<Colormap>('gray')
  const settings = useRef({ automatic, manual, colormap })
  settings.current = { automatic, manual, colormap }

  useEffect(() => {
    const element = canvas.current
    if (!live || element === null) return undefined
    const stopped = new AbortController()
    const rate = new RateMeter()
    let painter: Painter | undefined
    let eased: Levels | undefined
    let latest: Frame | undefined
    let drawn = 0
    let request = 0
    const draw = () => {
      request = 0
      if (latest === undefined) return
      painter ??= openPainter(element)
      painter.paint(latest, settings.current.automatic && eased !== undefined ? eased : settings.current.manual, settings.current.colormap)
      drawn += 1
    }
    const frame = (next: Frame) => {
      latest = next
      rate.tick(performance.now())
      eased = easedLevels(eased, next.minimum, next.maximum)
      if (request === 0 && !document.hidden) request = requestAnimationFrame(draw)
    }
    const report = setInterval(() => {
      if (latest === undefined) return
      const { pixels: _, ...header } = latest
      setFacts({ frame: header, rateHz: rate.perSecond(performance.now()), ageMs: Date.now() - header.timeMs, shown: drawn })
    }, FACTS_EVERY_MS)
    void followFrames(client, deviceId, { frame, problem: setProblem }, stopped.signal)
    return () => {
      stopped.abort()
      clearInterval(report)
      cancelAnimationFrame(request)
      painter?.close()
      setProblem(undefined)
    }
  }, [client, deviceId, live])

  const header = facts?.frame
  return (
    <figure className={styles.figure} data-frames={facts?.shown ?? 0}>
      <div
        className={styles.stage}
        data-empty={(!live && facts === undefined) || undefined}
        style={{ aspectRatio: width !== undefined && height !== undefined ? `${width} / ${height}` : '1' }}
      >
        <canvas ref={canvas} className={styles.canvas} role="img" aria-label={`Live picture of ${name}`} />
        {!live && <p className={styles.off}>{facts === undefined ? 'Not live' : 'Stopped: this is the last frame'}</p>}
        {live && facts === undefined && problem === undefined && <p className={styles.off}>Waiting for the first frame</p>}
      </div>
      {problem !== undefined && <RefusalNote refusal={{ message: problem }} />}
      <figcaption className={styles.facts}>
        <Fact name="rate">{facts?.rateHz === undefined || !live ? '–' : `${facts.rateHz.toFixed(1)} Hz`}</Fact>
        <Fact name="frame">{header?.sequence ?? '–'}</Fact>
        <Fact name="mean">{header === undefined ? '–' : formatNumber(header.mean, 0.1)}</Fact>
        <Fact name="range">{header === undefined ? '–' : `${header.minimum}…${header.maximum}`}</Fact>
        <Fact name="exposure">{header === undefined ? '–' : `${formatNumber(header.exposureSeconds * 1000)} ms`}</Fact>
        <Fact name="dropped" bad={(header?.dropped ?? 0) > 0}>
          {header?.dropped ?? '–'}
        </Fact>
        <Fact name="skipped">{header?.skipped ?? '–'}</Fact>
        <Fact name="shown">{header === undefined ? '–' : `${header.width}×${header.height}`}</Fact>
      </figcaption>
      {live && facts !== undefined && facts.ageMs > OLD_AFTER_MS && <p className="quiet">The last frame is {formatDuration(facts.ageMs)} old.</p>}
      <div className="row">
        <Switch label="Automatic levels" checked={automatic} onChange={(event) => setAutomatic(event.currentTarget.checked)} />
        <SegmentedControl
          className="push"
          aria-label="Colours of the picture"
          data={[
            { label: 'Gray', value: 'gray' },
            { label: 'Heat', value: 'heat' },
          ]}
          value={colormap}
          onChange={(value) => setColormap(value === 'heat' ? 'heat' : 'gray')}
        />
      </div>
      {!automatic && (
        <RangeSlider
          thumbFromLabel="Black level"
          thumbToLabel="White level"
          min={0}
          max={FULL_SCALE}
          minRange={1}
          value={[manual.low, manual.high]}
          onChange={([low, high]) => setManual({ low, high })}
        />
      )}
    </figure>
  )
}

function Fact({ name, bad = false, children }: { name: string; bad?: boolean; children: ReactNode }) {
  return (
    <span className={styles.fact} data-fact={name} data-bad={bad || undefined}>
      <span>{name}</span>
      <strong>{children}</strong>
    </span>
  )
}
