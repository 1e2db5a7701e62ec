import type { Colormap } from '../../model/colormap.ts'
import type { Frame } from '../../model/frame-header.ts'
import type { HistogramSummary } from '../../model/histogram.ts'
import { easedLevels, type Levels } from '../../model/levels.ts'
import { type Fingers, fitted, kept, type Point, panned, pinched, pitch, type Rect, type Size, type Viewport, zoomed } from '../../model/picture-geometry.ts'
import { sameRect } from '../../model/region.ts'
import { Store } from '../../state/store.ts'
import { openPainter, type Painter } from './painter.ts'

export type Tuning = { readonly automatic: boolean; readonly manual: Levels; readonly gamma: number; readonly colormap: Colormap }
/** Where the picture is on the page; `step`: sensor pixels per pixel of the picture. */
export type Place = { readonly box: Size; readonly viewport: Viewport; readonly shown: Rect; readonly step: number; readonly isFitted: boolean }

const FULL_SCALE = 65_535 // of 16 bits, until a frame says of how many

/** The picture outside of React: the newest frame, where it lies, how it is toned. It draws once per frame of the screen at most, and only what has changed. */
export class Display {
  readonly place: Store<Place>
  readonly histogram = new Store<HistogramSummary | undefined>(undefined)
  /** Where the pointer is, in CSS pixels of the box. */
  readonly pointer = new Store<Point | undefined>(undefined)
  #frame: Frame | undefined
  #drawn = 0
  #tuning: Tuning
  #levels: Levels | undefined
  #canvas: HTMLCanvasElement | undefined
  #painter: Painter | undefined
  #isNew = false
  #request = 0
  #paintedMs = 0
  readonly #listeners = new Set<(isNew: boolean) => void>()

  constructor(sensor: Size, tuning: Tuning) {
    const shown = { x: 0, y: 0, width: sensor.width, height: sensor.height }
    const box = { width: 1, height: 1 }
    this.place = new Store<Place>({ box, shown, viewport: fitted(shown, box), step: 1, isFitted: true })
    this.#tuning = tuning
  }

  get frame(): Frame | undefined {
    return this.#frame
  }

  /** Pictures on the canvas so far: the same frame drawn again counts once more. */
  get drawn(): number {
    return this.#drawn
  }

  get painter(): Painter['kind'] | undefined {
    return this.#painter?.kind
  }

  get saturated(): number {
    return this.#frame === undefined ? FULL_SCALE : 2 ** this.#frame.bitDepth - 1
  }

  /** What is black and white now. */
  get levels(): Levels {
    return this.#tuning.automatic ? (this.#levels ?? { low: 0, high: this.saturated }) : this.#tuning.manual
  }

  /** Until the returned function is called. The last picture stays known, and is drawn on the next canvas. */
  attach(canvas: HTMLCanvasElement): () => void {
    this.#canvas = canvas
    const resized = new ResizeObserver(() => this.#place({ box: { width: canvas.clientWidth, height: canvas.clientHeight } }))
    resized.observe(canvas)
    this.redraw()
    return () => {
      resized.disconnect()
      cancelAnimationFrame(this.#request)
      this.#request = 0
      this.#painter?.close()
      this.#painter = undefined
      this.#canvas = undefined
    }
  }

  show(frame: Frame): void {
    this.#frame = frame
    this.#isNew = true
    const { shown, step } = this.place.get()
    if (!sameRect(shown, frame.roi)) this.#place({ shown: frame.roi, step: pitch(frame), isFitted: true })
    else if (step !== pitch(frame)) this.#place({ step: pitch(frame) })
    this.redraw()
  }

  summarise(summary: HistogramSummary): void {
    this.histogram.set(summary)
    this.redraw()
  }

  tune(tuning: Tuning): void {
    this.#levels = this.levels // from what is seen now, not from where it was before it was set by hand
    this.#tuning = tuning
    this.redraw()
  }

  /** Around the middle of the box, or what is given. */
  zoom(factor: number, at?: Point): void {
    const { box, viewport, shown } = this.place.get()
    this.#place({ viewport: zoomed(viewport, factor, at ?? { x: box.width / 2, y: box.height / 2 }, shown, box), isFitted: false })
  }

  /** One pixel of the screen per pixel of the sensor. */
  actualSize(): void {
    this.zoom(1 / (devicePixelRatio * this.place.get().viewport.scale))
  }

  pan(by: Point): void {
    const { box, viewport, shown } = this.place.get()
    this.#place({ viewport: panned(viewport, by, shown, box), isFitted: false })
  }

  /** From where it was when the fingers came down: what its edges held back on the way leaves no trace. */
  pinch(start: Viewport, from: Fingers, to: Fingers): void {
    const { box, shown } = this.place.get()
    this.#place({ viewport: pinched(start, from, to, shown, box), isFitted: false })
  }

  fit(): void {
    this.#place({ isFitted: true })
  }

  /** Called after each drawing, told whether a frame was drawn for the first time; returns how not to be called any more. */
  onDrawn(listener: (isNew: boolean) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  redraw(): void {
    if (this.#request === 0 && this.#canvas !== undefined) this.#request = requestAnimationFrame((now) => this.#draw(now))
  }

  #place(change: Partial<Place>): void {
    const next = { ...this.place.get(), ...change }
    const { box, shown, isFitted } = next
    if (box.width < 1 || box.height < 1) return
    this.place.set({ ...next, viewport: isFitted ? fitted(shown, box) : kept(next.viewport, shown, box) })
    this.redraw()
  }

  #draw(now: number): void {
    this.#request = 0
    const canvas = this.#canvas
    const frame = this.#frame
    if (canvas === undefined || frame === undefined) return
    const { box, viewport } = this.place.get()
    const ratio = devicePixelRatio
    const size = { width: Math.max(1, Math.round(box.width * ratio)), height: Math.max(1, Math.round(box.height * ratio)) }
    if (canvas.width !== size.width || canvas.height !== size.height) Object.assign(canvas, size)
    const aim = this.histogram.get()?.automatic ?? { low: frame.minimum, high: Math.max(frame.minimum + 1, frame.maximum) }
    if (this.#tuning.automatic) this.#levels = easedLevels(this.#levels, aim, now - this.#paintedMs)
    this.#paintedMs = now
    this.#painter ??= openPainter(canvas)
    const tone = { levels: this.levels, gamma: this.#tuning.gamma, saturated: this.saturated }
    this.#painter.paint(frame, { viewport, ratio, tone, colormap: this.#tuning.colormap })
    this.#drawn += 1
    const isNew = this.#isNew
    this.#isNew = false
    for (const listener of this.#listeners) listener(isNew)
    if (this.#tuning.automatic && this.#levels !== aim) this.redraw()
  }
}
