import { type Colormap, colormapTable } from '../../model/colormap.ts'
import { packedColors, shade } from '../../model/shading.ts'
import type { Painter } from './painter.ts'

export function canvasPainter(canvas: HTMLCanvasElement): Painter {
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('The browser gave neither WebGL2 nor a 2D canvas')
  let image = context.createImageData(1, 1)
  let cells = new Uint32Array(image.data.buffer)
  let colors: { readonly name: Colormap; readonly packed: Uint32Array } | undefined
  return {
    kind: 'canvas',
    paint: (frame, { colormap, ...look }) => {
      const { width, height } = canvas
      if (image.width !== width || image.height !== height) {
        image = context.createImageData(width, height)
        cells = new Uint32Array(image.data.buffer)
      }
      if (colors?.name !== colormap) colors = { name: colormap, packed: packedColors(colormapTable(colormap)) }
      shade(frame, { ...look, marks: colormap === 'hilo' }, colors.packed, width, height, cells)
      context.putImageData(image, 0, 0)
    },
    close: () => undefined,
  }
}
