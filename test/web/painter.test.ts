import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createViteServer } from 'vitest/node'
import type { Colormap } from '../../web/src/model/colormap.ts'
import type { Frame } from '../../web/src/model/frame-header.ts'
import { findChromium, launch } from './browser.ts'

const executable = findChromium()
const START_DEADLINE_MS = 60_000

test.runIf(executable === undefined)('SKIPPED: the graphics card needs Chromium, and none is installed on this machine', ({ skip }) => skip('no Chromium'))

/** A picture whose every pixel differs from its neighbours, with dark, zero and saturated ones, and how it is looked at. */
type Case = { readonly name: string; readonly colormap: Colormap; readonly gamma: number; readonly scale: number; readonly left: number; readonly top: number }

const CASES: readonly Case[] = [
  { name: 'a pixel for a pixel', colormap: 'gray', gamma: 1, scale: 0.5, left: 100, top: 40 },
  { name: 'as large as a finger', colormap: 'viridis', gamma: 1, scale: 8, left: 120, top: 60 },
  { name: 'smaller, averaged', colormap: 'inferno', gamma: 1, scale: 0.17, left: 90.3, top: 30.7 },
  { name: 'moved by parts of a pixel, beside its edge', colormap: 'magma', gamma: 1, scale: 1.3, left: 83.7, top: 31.2 },
  { name: 'with gamma', colormap: 'gray', gamma: 2.2, scale: 0.5, left: 100, top: 40 },
  { name: 'with marks, a pixel for a pixel', colormap: 'hilo', gamma: 1, scale: 0.5, left: 100, top: 40 },
  { name: 'with marks, much smaller', colormap: 'hilo', gamma: 1, scale: 0.1, left: 100, top: 40 },
]

type Parts = typeof import('../../web/src/panels/camera/painter.ts') &
  typeof import('../../web/src/model/shading.ts') &
  typeof import('../../web/src/model/colormap.ts')

describe.skipIf(executable === undefined)('the painter on the graphics card', () => {
  let server: Awaited<ReturnType<typeof createViteServer>>
  let browser: Browser
  let page: Page
  let cache: string

  beforeAll(async () => {
    cache = await mkdtemp(path.join(tmpdir(), 'kymograph-painter-'))
    server = await createViteServer({
      configFile: false,
      root: path.join(import.meta.dirname, '../../web'),
      cacheDir: cache,
      appType: 'custom',
      logLevel: 'silent',
      optimizeDeps: { noDiscovery: true },
      server: { host: '127.0.0.1', port: 0, hmr: false, watch: null },
    })
    await server.listen()
    browser = await launch(executable ?? '')
    page = await browser.newPage()
    page.setDefaultTimeout(START_DEADLINE_MS)
    await page.goto(`${server.resolvedUrls?.local[0] ?? ''}src/model/colormap.ts`)
    // Asked for by text: the test runner takes every import of this file for its own.
    const modules = ['panels/camera/painter.ts', 'model/shading.ts', 'model/colormap.ts'].map((file) => `...(await import('/src/${file}'))`)
    await page.addScriptTag({ type: 'module', content: `globalThis.parts = { ${modules.join(', ')} }` })
    await page.waitForFunction(() => 'parts' in globalThis)
  })

  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await rm(cache, { recursive: true, force: true })
  })

  /** Of every pixel of the canvas: how far the card's colour is from the processor's, in the channel where it is farthest. */
  const differences = (each: Case) =>
    page.evaluate(async ({ colormap, gamma, scale, left, top }) => {
      const { openPainter, shade, packedColors, colormapTable } = (globalThis as unknown as { parts: Parts }).parts
      const [width, height] = [64, 48]
      const pixels = Uint16Array.from({ length: width * height }, (_, at) =>
        at % 17 === 5 ? 4095 : at % 19 === 3 ? 0 : 1 + (((at * 2654435761) >>> 20) % 4094),
      )
      const frame = { width, height, pixels, roi: { x: 100, y: 40, width: 2 * width, height: 2 * height } } // each pixel is two of the sensor across
      const canvas = Object.assign(document.createElement('canvas'), { width: 80, height: 60 })
      const look = { viewport: { left, top, scale }, ratio: 1, tone: { levels: { low: 200, high: 3500 }, gamma, saturated: 4095 } }
      const painter = openPainter(canvas)
      painter.paint(frame as Frame, { ...look, colormap })
      const copy = new OffscreenCanvas(80, 60).getContext('2d')
      copy?.drawImage(canvas, 0, 0) // in the same task: a canvas of WebGL is empty afterwards
      const card = copy?.getImageData(0, 0, 80, 60).data ?? new Uint8ClampedArray()
      const cells = new Uint32Array(80 * 60)
      shade(frame, { ...look, marks: colormap === 'hilo' }, packedColors(colormapTable(colormap)), 80, 60, cells)
      const processor = new Uint8ClampedArray(cells.buffer)
      const apart = Array.from(cells, (_, at) =>
        Math.max(...[0, 1, 2, 3].map((channel) => Math.abs((card[at * 4 + channel] ?? 999) - (processor[at * 4 + channel] ?? 0)))),
      )
      return { kind: painter.kind, apart, colors: new Set(cells).size, empty: cells.filter((cell) => cell === 0).length }
    }, each)

  test.each(CASES)('does what the processor does: $name, $colormap', async (each) => {
    const { kind, apart, colors, empty } = await differences(each)
    expect(kind).toBe('webgl2')
    expect(colors).toBeGreaterThan(3)
    const off = apart.filter((difference) => difference > 8).length // the card counts in single precision: where a tap falls on the edge of a pixel it may take the next one
    expect(off / (apart.length - empty), 'share of the pixels with another colour').toBeLessThan(0.01)
  })

  test('is transparent where there is no picture', async () => {
    const { empty, apart } = await differences({ name: '', colormap: 'gray', gamma: 1, scale: 0.25, left: 60, top: 0 })
    expect(empty).toBeGreaterThan(1000)
    expect(Math.max(...apart)).toBeLessThanOrEqual(8)
  })
})
