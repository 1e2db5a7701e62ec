import { type Colormap, colormapTable } from '../../model/colormap.ts'
import type { Frame } from '../../model/frame-header.ts'
import { pitch } from '../../model/picture-geometry.ts'
import { MOST_AVERAGED } from '../../model/shading.ts'
import type { Paint, Painter } from './painter.ts'

const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2((gl_VertexID << 1) & 2, gl_VertexID & 2);
  gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}`

/** The same as model/shading.ts, which is tested number by number. */
const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
uniform usampler2D pixels;
uniform sampler2D colors;
uniform float canvasHeight;
uniform vec2 start;      // the picture's pixel at the canvas's top left corner
uniform float perCell;   // pixels of the picture per pixel of the canvas
uniform vec2 levels;
uniform float exponent;
uniform uint saturated;
uniform bool marks;
out vec4 color;
void main() {
  vec2 cell = vec2(gl_FragCoord.x, canvasHeight - gl_FragCoord.y) - 0.5;
  ivec2 size = textureSize(pixels, 0);
  int taps = clamp(int(ceil(perCell - 1e-4)), 1, ${MOST_AVERAGED});
  float sum = 0.0;
  float seen = 0.0;
  bool sawZero = false;
  bool sawSaturated = false;
  for (int down = 0; down < ${MOST_AVERAGED}; down++) {
    if (down >= taps) break;
    for (int across = 0; across < ${MOST_AVERAGED}; across++) {
      if (across >= taps) break;
      ivec2 at = ivec2(floor(start + (cell + (vec2(across, down) + 0.5) / float(taps)) * perCell));
      if (at.x < 0 || at.y < 0 || at.x >= size.x || at.y >= size.y) continue;
      uint value = texelFetch(pixels, at, 0).r;
      sum += float(value);
      seen += 1.0;
      sawZero = sawZero || value == 0u;
      sawSaturated = sawSaturated || value >= saturated;
    }
  }
  if (seen == 0.0) { color = vec4(0.0); return; }
  float share = pow(clamp((sum / seen - levels.x) / max(levels.y - levels.x, 1.0), 0.0, 1.0), exponent);
  float index = floor(share * (marks ? 253.0 : 255.0) + 0.5) + (marks ? 1.0 : 0.0);
  if (marks && sawSaturated) index = 255.0;
  else if (marks && sawZero) index = 0.0;
  color = vec4(texelFetch(colors, ivec2(int(index), 0), 0).rgb, 1.0);
}`

const UNIFORMS = ['pixels', 'colors', 'canvasHeight', 'start', 'perCell', 'levels', 'exponent', 'saturated', 'marks'] as const
const PICTURE_UNIT = 0
const COLOR_UNIT = 1

/** A context that the browser takes away (a sleeping laptop, a driver's reset) comes back by itself; the next frame is then drawn as the first. */
export function webglPainter(canvas: HTMLCanvasElement, gl: WebGL2RenderingContext): Painter {
  let program = linked(gl)
  const lost = (event: Event) => event.preventDefault() // without this it does not come back
  const restored = () => {
    program = linked(gl)
  }
  canvas.addEventListener('webglcontextlost', lost)
  canvas.addEventListener('webglcontextrestored', restored)
  return {
    kind: 'webgl2',
    paint: (frame, paint) => {
      if (!gl.isContextLost()) program.paint(frame, paint)
    },
    close: () => {
      canvas.removeEventListener('webglcontextlost', lost)
      canvas.removeEventListener('webglcontextrestored', restored)
      program.close()
    },
  }
}

function linked(gl: WebGL2RenderingContext): { paint(frame: Frame, paint: Paint): void; close(): void } {
  const program = gl.createProgram()
  const shaders = [compiled(gl, gl.VERTEX_SHADER, VERTEX), compiled(gl, gl.FRAGMENT_SHADER, FRAGMENT)]
  for (const shader of shaders) gl.attachShader(program, shader)
  gl.linkProgram(program)
  if (gl.getProgramParameter(program, gl.LINK_STATUS) !== true && !gl.isContextLost())
    throw new Error(
      `The camera's shader does not link: ${gl.getProgramInfoLog(program) ?? ''} ${shaders.map((shader) => gl.getShaderInfoLog(shader)).join(' ')}`,
    )
  // biome-ignore lint/correctness/useHookAtTopLevel: a method of WebGL, not a hook of React
  gl.useProgram(program)
  const at = Object.fromEntries(UNIFORMS.map((name) => [name, gl.getUniformLocation(program, name)])) as Record<
    (typeof UNIFORMS)[number],
    WebGLUniformLocation | null
  >
  const picture = textureOf(gl, PICTURE_UNIT)
  const colors = textureOf(gl, COLOR_UNIT)
  gl.uniform1i(at.pixels, PICTURE_UNIT)
  gl.uniform1i(at.colors, COLOR_UNIT)
  let shown: Frame | undefined
  let colormap: Colormap | undefined
  return {
    paint: (frame, paint) => {
      if (frame !== shown) uploadPicture(gl, frame, shown)
      if (paint.colormap !== colormap) uploadColors(gl, paint.colormap)
      shown = frame
      colormap = paint.colormap
      const { viewport, ratio, tone } = paint
      const step = pitch(frame)
      gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight)
      gl.uniform1f(at.canvasHeight, gl.drawingBufferHeight)
      gl.uniform2f(at.start, (viewport.left - frame.roi.x) / step, (viewport.top - frame.roi.y) / step)
      gl.uniform1f(at.perCell, 1 / (viewport.scale * ratio * step))
      gl.uniform2f(at.levels, tone.levels.low, tone.levels.high)
      gl.uniform1f(at.exponent, 1 / tone.gamma)
      gl.uniform1ui(at.saturated, tone.saturated)
      gl.uniform1i(at.marks, colormap === 'hilo' ? 1 : 0)
      gl.drawArrays(gl.TRIANGLES, 0, 3)
    },
    close: () => {
      gl.deleteTexture(picture)
      gl.deleteTexture(colors)
      for (const shader of shaders) gl.deleteShader(shader)
      gl.deleteProgram(program)
    },
  }
}

function compiled(gl: WebGL2RenderingContext, type: number, source: string): WebGLShader {
  const shader = gl.createShader(type)
  if (shader === null) throw new Error('The browser gave no WebGL2 shader')
  gl.shaderSource(shader, source)
  gl.compileShader(shader)
  return shader
}

function textureOf(gl: WebGL2RenderingContext, unit: number): WebGLTexture {
  const texture = gl.createTexture()
  gl.activeTexture(gl.TEXTURE0 + unit)
  gl.bindTexture(gl.TEXTURE_2D, texture)
  for (const side of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) gl.texParameteri(gl.TEXTURE_2D, side, gl.NEAREST)
  for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE)
  return texture
}

/** A frame as large as the last one takes its place in the card's memory. */
function uploadPicture(gl: WebGL2RenderingContext, { width, height, pixels }: Frame, last: Frame | undefined): void {
  gl.activeTexture(gl.TEXTURE0 + PICTURE_UNIT)
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 2)
  if (last?.width === width && last.height === height) gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, 0, width, height, gl.RED_INTEGER, gl.UNSIGNED_SHORT, pixels)
  else gl.texImage2D(gl.TEXTURE_2D, 0, gl.R16UI, width, height, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, pixels)
}

function uploadColors(gl: WebGL2RenderingContext, name: Colormap): void {
  const table = colormapTable(name)
  gl.activeTexture(gl.TEXTURE0 + COLOR_UNIT)
  gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1)
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB8, table.length / 3, 1, 0, gl.RGB, gl.UNSIGNED_BYTE, table)
}
