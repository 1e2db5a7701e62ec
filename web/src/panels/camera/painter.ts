import type { Colormap } from '../../model/colormap.ts'
import type { Frame } from '../../model/frame-header.ts'
import type { Look } from '../../model/shading.ts'
import { canvasPainter } from './canvas-painter.ts'
import { webglPainter } from './webgl-painter.ts'

/** What is to be drawn of a frame. The marks follow from the colour map. */
export type Paint = Omit<Look, 'marks'> & { readonly colormap: Colormap }
export type Painter = { readonly kind: 'webgl2' | 'canvas'; paint(frame: Frame, paint: Paint): void; close(): void }

/** The graphics card takes the 16-bit pixels as they are and does the rest; without WebGL2 the processor does the same. */
export function openPainter(canvas: HTMLCanvasElement): Painter {
  const gl = canvas.getContext('webgl2', { antialias: false, alpha: true, premultipliedAlpha: true })
  return gl === null ? canvasPainter(canvas) : webglPainter(canvas, gl)
}
