import { useEffect, useRef } from 'react'
import type uPlot from 'uplot'
import { displayScale, formatQuantity, unitLabel } from '../model/format.ts'
import { axis, axisClock, axisNumbers, Chart, type ChartColors } from './chart.tsx'

type Side = { readonly name: string; readonly unit?: string | undefined }
type Point = { readonly x: number | undefined; readonly y: number | undefined }
type Properties = {
  /** Changes when other columns are drawn. */
  shape: string
  /** Changes when there is more to draw. */
  version: number
  read: () => { x: number[]; y: (number | null)[]; low?: (number | null)[]; high?: (number | null)[] }
  x: Side
  y: Side
  height: number
  /** Shown beside the curve while it grows. */
  latest?: Point | undefined
}

const DOTS_BELOW = 300 // points; above that the dots hide the line

function titled(name: string, unit: string): string {
  return unit === '' ? name : `${name} (${unit})`
}

/** One quantity over another, with the band of minimum and maximum where the data was reduced. */
export function XyChart({ shape, version, read, x, y, height, latest }: Properties) {
  const redraw = useRef<(() => void) | undefined>(undefined)
  const label = (side: Side) => titled(side.name, unitLabel(side.unit))
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version says that there is more to draw
  useEffect(() => redraw.current?.(), [version])
  const isTime = x.unit === undefined && /time/i.test(x.name)
  const yScale = ({ scales }: uPlot) => displayScale(Math.max(Math.abs(scales['y']?.min ?? 0), Math.abs(scales['y']?.max ?? 0)), y.unit)
  const options = (colors: ChartColors): Omit<uPlot.Options, 'width' | 'height'> => {
    const stroke = colors.series[0] ?? colors.ink
    return {
      legend: { show: false },
      padding: [10, 12, 0, 0],
      cursor: { drag: { x: true, y: false }, points: { size: 8 } },
      scales: { x: { time: isTime } },
      axes: [
        axis(colors, { label: label(x), labelSize: 20, size: 32, values: (_, ticks) => (isTime ? axisClock(ticks) : axisNumbers(ticks)) }),
        axis(colors, {
          label: (plot) => titled(y.name, unitLabel(yScale(plot).unit)),
          labelSize: 20,
          size: 62,
          values: (plot, ticks) => axisNumbers(ticks, yScale(plot).factor),
        }),
      ],
      series: [
        {},
        { stroke, width: 1.75, points: { show: (plot) => plot.data[0].length < DOTS_BELOW, size: 5, fill: stroke, stroke } },
        { stroke: 'transparent', points: { show: false } },
        { stroke: 'transparent', points: { show: false } },
      ],
      bands: [{ series: [3, 2], fill: `color-mix(in srgb, ${stroke} 25%, transparent)` }],
    }
  }
  const data = () => {
    const { x: xs, y: ys, low, high } = read()
    const none = () => xs.map(() => null)
    return [xs, ys, low ?? none(), high ?? none()] as const
  }
  return (
    <div>
      <Chart
        shape={`${shape} ${x.unit} ${y.unit}`}
        options={options}
        data={data}
        height={height}
        label={`${label(y)} over ${label(x)}`}
        onReady={(draw) => {
          redraw.current = draw
        }}
      />
      {latest?.x !== undefined && latest.y !== undefined && (
        <p className="quiet" style={{ textAlign: 'right' }}>
          last: {formatQuantity(latest.x, x.unit)}, {formatQuantity(latest.y, y.unit)}
        </p>
      )}
    </div>
  )
}
