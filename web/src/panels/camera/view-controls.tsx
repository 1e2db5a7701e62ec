import { NumberInput, SegmentedControl, Select, Switch } from '@mantine/core'
import { COLORMAPS, type Colormap, isColormap } from '../../model/colormap.ts'
import { toNumber } from '../../model/value-input.ts'
import { useStore } from '../../state/store.ts'
import { Button } from '../../ui/button.tsx'
import styles from './camera.module.css'
import type { Display } from './display.ts'
import type { View } from './frame-stream.ts'
import type { Tool } from './gesture.ts'

export type LookChoice = { readonly colormap: Colormap; readonly gamma: number }
export const DEFAULT_LOOK: LookChoice = { colormap: 'gray', gamma: 1 }
export type Streaming = Omit<View, 'roi'>
export const DEFAULT_STREAMING: Streaming = { quality: 'PREVIEW', maxRateHz: 30, isPacked: false }

const GAMMA_LEAST = 0.2
const GAMMA_MOST = 5
const QUALITIES = { FULL: 'Full', PREVIEW: 'Preview', FAST: 'Fast' } as const
const RATES_HZ = [1, 5, 10, 20, 30, 60] // 60 is the most that the api gives
const TOOLS = { move: 'Move', region: 'Region', line: 'Line' } as const
const COLOR_NAMES: Readonly<Record<Colormap, string>> = { gray: 'Gray', viridis: 'Viridis', inferno: 'Inferno', magma: 'Magma', hilo: 'Hi-Lo' }
const ZOOM_STEP = 1.5

export function isLook(value: unknown): value is LookChoice {
  return typeof value === 'object' && value !== null && 'colormap' in value && isColormap(value.colormap) && 'gamma' in value && isGamma(value.gamma)
}

function isGamma(value: unknown): value is number {
  return typeof value === 'number' && value >= GAMMA_LEAST && value <= GAMMA_MOST
}

export function isStreaming(value: unknown): value is Streaming {
  if (typeof value !== 'object' || value === null || !('quality' in value && 'maxRateHz' in value && 'isPacked' in value)) return false
  return isKey(QUALITIES, value.quality) && RATES_HZ.some((rate) => rate === value.maxRateHz) && typeof value.isPacked === 'boolean'
}

function isKey<T extends object>(names: T, value: unknown): value is keyof T {
  return typeof value === 'string' && value in names
}

const options = (names: Readonly<Record<string, string>>) => Object.entries(names).map(([value, label]) => ({ value, label }))

export function ToolChoice({ tool, onTool }: { tool: Tool; onTool: (tool: Tool) => void }) {
  return (
    <SegmentedControl
      className={styles.tools}
      aria-label="What dragging does"
      data={options(TOOLS)}
      value={tool}
      onChange={(value) => isKey(TOOLS, value) && onTool(value)}
    />
  )
}

/** How much of the camera comes to this page. */
export function ViewChoice({ value, onChange }: { value: Streaming; onChange: (value: Streaming) => void }) {
  return (
    <div className={styles.view}>
      <Select
        aria-label="Quality"
        title="Full: every pixel. Preview and Fast: means of 2×2 and 4×4 pixels"
        data={options(QUALITIES)}
        value={value.quality}
        onChange={(quality) => isKey(QUALITIES, quality) && onChange({ ...value, quality })}
      />
      <Select
        aria-label="At most so many frames a second"
        data={RATES_HZ.map((rate) => ({ value: String(rate), label: `≤ ${rate} Hz` }))}
        value={String(value.maxRateHz)}
        onChange={(rate) => onChange({ ...value, maxRateHz: Number(rate) })}
      />
      <Button
        aria-pressed={value.isPacked}
        title="Pack the pictures on their way (LZ4, nothing is lost): for a slow network"
        onClick={() => onChange({ ...value, isPacked: !value.isPacked })}
      >
        LZ4
      </Button>
    </div>
  )
}

export function ZoomButtons({ display }: { display: Display }) {
  const { viewport, isFitted } = useStore(display.place)
  return (
    <div className={styles.zoom} data-zoom={viewport.scale.toFixed(3)}>
      <button type="button" aria-label="Zoom out" onClick={() => display.zoom(1 / ZOOM_STEP)}>
        −
      </button>
      <output aria-label="Zoom">{percent(viewport.scale)}</output>
      <button type="button" aria-label="Zoom in" onClick={() => display.zoom(ZOOM_STEP)}>
        +
      </button>
      <button type="button" aria-label="Fit the picture" aria-pressed={isFitted} onClick={() => display.fit()}>
        Fit
      </button>
      <button type="button" aria-label="1:1, one pixel of the screen per pixel of the sensor" onClick={() => display.actualSize()}>
        1:1
      </button>
    </div>
  )
}

/** Pixels of the screen per pixel of the sensor. */
function percent(scale: number): string {
  const value = 100 * scale * devicePixelRatio
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} %`
}

type ToneProperties = {
  automatic: boolean
  onAutomatic: (on: boolean) => void
  logarithmic: boolean
  onLogarithmic: (on: boolean) => void
  look: LookChoice
  onLook: (look: LookChoice) => void
}

export function ToneControls({ automatic, onAutomatic, logarithmic, onLogarithmic, look, onLook }: ToneProperties) {
  return (
    <div className={styles.tone}>
      <Switch label="Automatic levels" checked={automatic} onChange={(event) => onAutomatic(event.currentTarget.checked)} />
      <Switch label="Log" aria-label="Histogram in logarithmic height" checked={logarithmic} onChange={(event) => onLogarithmic(event.currentTarget.checked)} />
      <Select
        aria-label="Colours"
        title="Hi-Lo is gray, with saturated pixels red and pixels of 0 blue"
        data={COLORMAPS.map((name) => ({ value: name, label: COLOR_NAMES[name] }))}
        value={look.colormap}
        onChange={(name) => isColormap(name) && onLook({ ...look, colormap: name })}
      />
      <NumberInput
        aria-label="Gamma"
        title="Above 1 the dark parts are lifted"
        leftSection="γ"
        leftSectionWidth={24}
        value={look.gamma}
        onChange={(typed) => {
          const gamma = toNumber(typed)
          if (isGamma(gamma)) onLook({ ...look, gamma })
        }}
        min={GAMMA_LEAST}
        max={GAMMA_MOST}
        step={0.1}
        decimalScale={2}
      />
    </div>
  )
}
