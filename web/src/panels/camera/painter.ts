import type { Frame } from '../../model/frame-header.ts'
import type { Levels } from '../../model/levels.ts'

export type Colormap = 'gray' | 'heat'
export type Painter = { readonly kind: 'webgl2' | 'canvas'; paint(frame: Frame, levels: Levels, colormap: Colormap): void; close(): void }

/** The graphics card takes the 16-bit pixels as they are and applies the levels; without WebGL2 the processor does. */
export function openPainter(canvas: HTMLCanvasElement): Painter {
  const gl = canvas.getContext('webgl2', { antialias: false, alpha: false, preserveDrawingBuffer: false })
  return gl === null ? canvasPainter(canvas) : webglPainter(canvas, gl)
}

const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`

const FRAGMENT = `#version 300 es
precision highp float;
precision highp usampler2D;
uniform usampler2D pixels;
uniform vec2 levels;
uniform bool heat;
out vec4 color;
vec3 heatOf(float t) {
  return clamp(vec3(1.5 * t + 0.1 * sin(6.28 * t), t * t * 1.1, 0.55 * sin(3.14 * t) * (1.0 - t) + t * t * t), 0.0, 1.0);
}
void main() {
  ivec2 size = textureSize(pixels, 0);
  ivec2 at = ivec2(gl_FragCoord.x, float(size.y) - gl_FragCoord.y);
  float value = float(texelFetch(pixels, at, 0).r);
  float share = clamp((value - levels.x) / max(levels.y - levels.x, 1.0), 0.0, 1.0);
  color = vec4(heat ? heatOf(share) : vec3(share), 1.0);
}`

function webglPainter(canvas: HTMLCanvasElement, gl: WebGL2RenderingContext): Painter {
  const program = gl.createProgram()
  const shaders = (
    [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ] as const
  ).map(([type, source]) => {
    const shader = gl.createShader(type)
    if (shader === null) throw new Error('The browser gave no WebGL2 shader')
    gl.shaderSource(shader, source)
    gl.compileShader(shader)
    gl.attachShader(program, shader)
    return shader
  })
  gl.linkProgram(program)
  if (gl.getProgramParameter(program, gl.LINK_STATUS) !== true) throw new Error(`The camera's shader does not link: ${gl.getProgramInfoLog(program) ?? ''}`)
  // biome-ignore lint/correctness/useHookAtTopLevel: a method of WebGL, not a hook of React
  gl.useProgram(program)
  const texture = gl.createTexture()
  gl.bindTexture(gl.TEXTURE_2D, texture)
  for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST)
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 2)
  const levelsAt = gl.getUniformLocation(program, 'levels')
  const heatAt = gl.getUniformLocation(program, 'heat')
  let width = 0
  let height = 0
  return {
    kind: 'webgl2',
    paint: (frame, levels, colormap) => {
      if (frame.width !== width || frame.height !== height) {
        width = frame.width
        height = frame.height
        canvas.width = width
        canvas.height = height
        gl.viewport(0, 0, width, height)
        gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16UI, width, height, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, frame.pixels)
      } else gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RED_INTEGER, gl.UNSIGNED_SHORT, frame.pixels)
      gl.uniform2f(levelsAt, levels.low, levels.high)
      gl.uniform1i(heatAt, colormap === 'heat' ? 1 : 0)
      gl.drawArrays(gl.TRIANGLES, 0, 3)
    },
    close: () => {
      gl.deleteTexture(texture)
      for (const shader of shaders) gl.deleteShader(shader)
      gl.deleteProgram(program)
    },
  }
}

const OPAQUE = 0xff000000

function canvasPainter(canvas: HTMLCanvasElement): Painter {
  const context = canvas.getContext('2d')
  if (context === null) throw new Error('The browser gave neither WebGL2 nor a 2D canvas')
  let image = context.createImageData(1, 1)
  let cells = new Uint32Array(image.data.buffer)
  return {
    kind: 'canvas',
    paint: (frame, levels, colormap) => {
      if (image.width !== frame.width || image.height !== frame.height) {
        canvas.width = frame.width
        canvas.height = frame.height
        image = context.createImageData(frame.width, frame.height)
        cells = new Uint32Array(image.data.buffer)
      }
      const scale = 255 / Math.max(1, levels.high - levels.low)
      const table = Uint32Array.from({ length: 256 }, (_, at) => (colormap === 'gray' ? OPAQUE | (at << 16) | (at << 8) | at : heatCell(at / 255)) >>> 0)
      const { pixels } = frame
      for (let at = 0; at < pixels.length; at += 1) {
        const share = ((pixels[at] ?? 0) - levels.low) * scale
        cells[at] = table[share < 0 ? 0 : share > 255 ? 255 : share | 0] ?? OPAQUE
      }
      context.putImageData(image, 0, 0)
    },
    close: () => undefined,
  }
}

/** The same colours as the shader's heatOf. */
function heatCell(t: number): number {
  const byte = (value: number) => Math.round(255 * Math.min(1, Math.max(0, value)))
  const red = byte(1.5 * t + 0.1 * Math.sin(6.28 * t))
  const green = byte(t * t * 1.1)
  const blue = byte(0.55 * Math.sin(3.14 * t) * (1 - t) + t * t * t)
  return OPAQUE | (blue << 16) | (green << 8) | red
}
