import { type ReactNode, useEffect, useRef, useState } from 'react'
import { useClient } from 'urql'
import type { Levels } from '../../model/levels.ts'
import type { Line } from '../../model/line-profile.ts'
import type { Rect } from '../../model/picture-geometry.ts'
import { RateMeter } from '../../model/rate-meter.ts'
import { sameRect } from '../../model/region.ts'
import { isBoolean, useRemembered } from '../../state/remembered.ts'
import { useStore } from '../../state/store.ts'
import { Button } from '../../ui/button.tsx'
import { usePanel } from '../../ui/panel.tsx'
import { RefusalNote } from '../../ui/refusal.tsx'
import styles from './camera.module.css'
import { Display, type Tuning } from './display.ts'
import type { Camera } from './documents.ts'
import { FactList, type Facts } from './facts.tsx'
import { FrameStream, type View } from './frame-stream.ts'
import type { Tool } from './gesture.ts'
import { Histogram } from './histogram.tsx'
import { ProfileView } from './profile.tsx'
import { Readout } from './readout.tsx'
import { RegionFields } from './region-fields.tsx'
import { Stage } from './stage.tsx'
import { DEFAULT_LOOK, DEFAULT_STREAMING, isLook, isStreaming, ToneControls, ToolChoice, ViewChoice, ZoomButtons } from './view-controls.tsx'

const FACTS_EVERY_MS = 250 // numbers that change faster cannot be read
const SENSOR_UNKNOWN = { width: 512, height: 512 } // of a camera that was never connected: something square

type Properties = {
  camera: Camera
  live: boolean
  /** Sets what the camera reads out; false when it was refused. */
  onCameraRoi: (roi: Rect) => Promise<boolean>
  isConfiguring: boolean
  /** What the camera itself is told. */
  children: ReactNode
}

/** The live picture with all that a person does to it. Frames go past React, to the display; React has the controls. */
export function Viewer({ camera, live, onCameraRoi, isConfiguring, children }: Properties) {
  const client = useClient()
  const { solo } = usePanel()
  const width = camera.camera?.width ?? SENSOR_UNKNOWN.width
  const height = camera.camera?.height ?? SENSOR_UNKNOWN.height
  const sensor = { x: 0, y: 0, width, height }
  const cameraRoi = camera.camera?.roi ?? sensor

  const [look, setLook] = useRemembered('camera.look', DEFAULT_LOOK, isLook)
  const [streaming, setStreaming] = useRemembered('camera.stream', DEFAULT_STREAMING, isStreaming)
  const [logarithmic, setLogarithmic] = useRemembered('camera.logarithmic', true, isBoolean)
  const [automatic, setAutomatic] = useState(true)
  const [manual, setManual] = useState<Levels>({ low: 0, high: 65_535 })
  const [tool, setTool] = useState<Tool>('move')
  const [region, setRegion] = useState<Rect>()
  const [line, setLine] = useState<Line>()
  const [only, setOnly] = useState<Rect>()
  const [facts, setFacts] = useState<Facts>()
  const [problem, setProblem] = useState<string>()

  const tuning: Tuning = { automatic, manual, gamma: look.gamma, colormap: look.colormap }
  const [display] = useState(() => new Display({ width, height }, tuning))
  // biome-ignore lint/correctness/useExhaustiveDependencies: the tuning is made anew at each rendering from these four
  useEffect(() => display.tune(tuning), [display, automatic, manual, look])
  const { shown } = useStore(display.place)

  const view: View = { ...streaming, roi: only }
  const stream = useRef<FrameStream>(undefined)
  const latest = useRef(view)
  latest.current = view
  useEffect(() => {
    const rate = new RateMeter()
    let counts = { received: 0, skipped: 0 }
    const opened = new FrameStream(client, camera.id, {
      frame: (frame, received, skipped) => {
        counts = { received, skipped }
        display.show(frame)
      },
      histogram: (summary) => display.summarise(summary),
      problem: setProblem,
    })
    stream.current = opened
    const drawn = display.onDrawn((isNew) => {
      if (isNew) opened.next()
    })
    const report = setInterval(() => {
      const { frame } = display
      if (frame === undefined) return
      rate.look(performance.now(), counts.received)
      const { pixels: _, ...header } = frame
      setFacts({ header, rateHz: rate.perSecond(), ageMs: Date.now() - header.timeMs, skipped: counts.skipped, drawn: display.drawn })
    }, FACTS_EVERY_MS)
    return () => {
      clearInterval(report)
      drawn()
      opened.close()
      stream.current = undefined
    }
  }, [client, camera.id, display])
  // biome-ignore lint/correctness/useExhaustiveDependencies: another stream (client, camera, display) begins like the first
  useEffect(() => {
    if (live) stream.current?.show(latest.current)
    else {
      stream.current?.pause()
      setProblem(undefined)
    }
  }, [live, client, camera.id, display])
  useEffect(() => stream.current?.level(automatic ? undefined : manual), [automatic, manual])
  const ask = (change: { streaming?: typeof streaming; only?: Rect | undefined }) => {
    const next = { streaming, only, ...change }
    setStreaming(next.streaming)
    setOnly(next.only)
    if (live) stream.current?.show({ ...next.streaming, roi: next.only })
  }
  const setByHand = (levels: Levels) => {
    setManual(levels)
    setAutomatic(false)
  }

  return (
    <figure className={styles.figure} data-solo={solo || undefined} data-frames={facts?.drawn ?? 0} data-painter={display.painter}>
      <div className={styles.picture}>
        <Stage
          display={display}
          name={camera.label ?? camera.name}
          tool={tool}
          marks={{ region, line }}
          change={{ region: setRegion, line: setLine }}
          aspect={width / height}
          isEmpty={!live && facts === undefined}
        >
          <ZoomButtons display={display} />
          {!live && <p className={styles.off}>{facts === undefined ? 'Not live' : 'Stopped: this is the last frame'}</p>}
          {live && facts === undefined && problem === undefined && <p className={styles.off}>Waiting for the first frame</p>}
        </Stage>
        <div className={styles.under}>
          <Readout display={display} />
          <span
            className={styles.part}
            data-shown={`${shown.x},${shown.y},${shown.width},${shown.height}`}
            data-pixels={facts === undefined ? '' : `${facts.header.width}×${facts.header.height}`}
          >
            {sameRect(shown, sensor) ? 'whole sensor' : `${shown.width}×${shown.height} at ${shown.x}, ${shown.y}`}
            {facts !== undefined && facts.header.bin > 1 && `, ${facts.header.bin}×${facts.header.bin} mean`}
          </span>
        </div>
        {problem !== undefined && <RefusalNote refusal={{ message: problem }} />}
      </div>
      <div className={styles.toolbox}>
        <ToolChoice tool={tool} onTool={setTool} />
        {tool === 'region' && (
          <RegionFields sensor={sensor} shown={shown} region={region} frame={display.frame} onRegion={setRegion}>
            <Button
              disabled={region === undefined}
              onClick={() => {
                ask({ only: region })
                setRegion(undefined)
              }}
            >
              View only this
            </Button>
            <Button
              disabled={region === undefined}
              busy={isConfiguring}
              onClick={async () => {
                if (region === undefined || !(await onCameraRoi(region))) return
                ask({ only: undefined })
                setRegion(undefined)
              }}
            >
              Set as camera ROI
            </Button>
            {only !== undefined && <Button onClick={() => ask({ only: undefined })}>View all</Button>}
            {!sameRect(cameraRoi, sensor) && (
              <Button busy={isConfiguring} onClick={() => void onCameraRoi(sensor)}>
                Camera to full frame
              </Button>
            )}
          </RegionFields>
        )}
        {tool === 'line' && <ProfileView display={display} line={line} onLine={setLine} height={solo ? 180 : 150} />}
      </div>
      <div className={styles.side}>
        {children}
        <ViewChoice value={streaming} onChange={(next) => ask({ streaming: next })} />
        <ToneControls
          automatic={automatic}
          onAutomatic={(on) => {
            if (!on) setManual(display.levels)
            setAutomatic(on)
          }}
          logarithmic={logarithmic}
          onLogarithmic={setLogarithmic}
          look={look}
          onLook={setLook}
        />
        <Histogram display={display} colormap={look.colormap} logarithmic={logarithmic} onLevels={setByHand} />
        <FactList facts={facts} live={live} />
      </div>
    </figure>
  )
}
