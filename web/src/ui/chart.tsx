import { useComputedColorScheme } from '@mantine/core'
import { useLayoutEffect, useRef } from 'react'
import uPlot from 'uplot'
import { formatNumber } from '../model/format.ts'
import 'uplot/dist/uPlot.min.css'

export type ChartData = readonly [readonly number[], ...(readonly (number | null)[])[]]
export type ChartColors = { readonly ink: string; readonly grid: string; readonly series: readonly string[] }

type Properties = {
  /** Changes when the options change: the plot is then made anew. */
  shape: string
  options: (colors: ChartColors) => Omit<uPlot.Options, 'width' | 'height'>
  /** Asked for once at the start and at each call of what `onReady` gives. */
  data: () => ChartData
  height: number
  label: string
  /** Gives the function that draws the present data; undefined when the plot goes. */
  onReady: (redraw: (() => void) | undefined) => void
}

const SERIES = 6

export function seriesColor(at: number): string {
  return `var(--series-${(at % SERIES) + 1})`
}

/** uPlot in React: the plot lives outside of rendering; data goes to it directly. */
export function Chart({ shape, options, data, height, label, onReady }: Properties) {
  const box = useRef<HTMLDivElement>(null)
  const scheme = useComputedColorScheme('dark')
  const latest = useRef({ options, data, onReady })
  latest.current = { options, data, onReady }
  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours (scheme) and the options (shape) are read through the page and a ref; a change of either makes a new plot
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return undefined
    const plot = new uPlot(
      { ...latest.current.options(colorsOf(element)), width: Math.max(80, element.clientWidth), height },
      toPlot(latest.current.data()),
      element,
    )
    const resize = new ResizeObserver(() => plot.setSize({ width: Math.max(80, element.clientWidth), height }))
    resize.observe(element)
    latest.current.onReady(() => plot.setData(toPlot(latest.current.data())))
    return () => {
      latest.current.onReady(undefined)
      resize.disconnect()
      plot.destroy()
    }
  }, [shape, height, scheme])
  return <div ref={box} className="chart" role="img" aria-label={label} style={{ height }} />
}

function toPlot(data: ChartData): uPlot.AlignedData {
  const [x, ...series] = data
  return [[...x], ...series.map((values) => [...values])]
}

function colorsOf(element: Element): ChartColors {
  const style = getComputedStyle(element)
  const token = (name: string) => style.getPropertyValue(name).trim()
  return { ink: token('--ink-3'), grid: token('--grid'), series: Array.from({ length: SERIES }, (_, at) => token(`--series-${at + 1}`)) }
}

const FONT = '11px system-ui, sans-serif'

export function axis(colors: ChartColors, more: uPlot.Axis): uPlot.Axis {
  return {
    stroke: colors.ink,
    font: FONT,
    labelFont: FONT,
    grid: { stroke: colors.grid, width: 1 },
    ticks: { show: false },
    ...more,
  }
}

/** Numbers of an axis, divided by the factor that its unit stands for, with only as many decimals as tell them apart. */
export function axisNumbers(ticks: number[], factor = 1): string[] {
  const gap = Math.abs((ticks[1] ?? 0) - (ticks[0] ?? 0)) / factor
  return ticks.map((tick) => formatNumber(tick / factor, gap > 0 ? gap : undefined))
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })

/** Seconds since 1970 on an axis, as the local clock. */
export function axisClock(ticks: number[]): string[] {
  return ticks.map((tick) => clock.format(tick * 1000))
}
