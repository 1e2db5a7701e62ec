import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { decodeFrame, type Frame } from '../../web/src/model/frame-header.ts'
import { query } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'
import { accessibilityViolations, findChromium, launch } from './browser.ts'

const executable = findChromium()
const START_DEADLINE_MS = 120_000
const ACTION_DEADLINE_MS = 20_000
const KEPT_FRAMES = 400
/** Small, and few frames: the browser of a test draws with the processor, which the lab needs too. */
const VIEWPORT = { width: 1000, height: 700 }
const RATE_HZ = 10

test.runIf(executable === undefined)('SKIPPED: the camera panel needs Chromium, and none is installed on this machine', ({ skip }) => skip('no Chromium'))

describe.skipIf(executable === undefined)('the camera panel, in Chromium', () => {
  let lab: WholeLab
  let browser: Browser
  let page: Page
  let camera: Locator
  const failures: string[] = []

  beforeAll(async () => {
    lab = await startWholeLab()
    browser = await launch(executable ?? '')
    page = await browser.newPage({ viewport: VIEWPORT, colorScheme: 'dark' })
    page.setDefaultTimeout(ACTION_DEADLINE_MS)
    page.on('pageerror', (error) => failures.push(error.message))
    await page.addInitScript((rate) => localStorage.setItem('kymograph.camera.stream', `{"quality":"PREVIEW","maxRateHz":${rate},"isPacked":false}`), RATE_HZ)
    await page.goto(`${lab.url}/#camera`)
    camera = page.locator('[data-panel="camera"]')
    await startLive()
  }, START_DEADLINE_MS)

  afterAll(async () => {
    await browser?.close()
    await lab?.stop()
  }, START_DEADLINE_MS)

  const fact = async (name: string): Promise<string> => (await camera.locator(`[data-fact="${name}"] dd`).textContent()) ?? ''
  const attribute = async (selector: string, name: string): Promise<string> => (await camera.locator(selector).getAttribute(name)) ?? ''
  const tool = (name: 'Move' | 'Region' | 'Line') => camera.getByText(name, { exact: true }).click()
  const becomes = (what: string, condition: () => Promise<boolean>) => until(condition, { deadlineMs: ACTION_DEADLINE_MS, everyMs: 50, what })

  test('frames come, are drawn by the graphics card, and it says how many, how old, how many were lost', async () => {
    expect(await attribute('figure', 'data-painter')).toBe('webgl2')
    await becomes('a rate', async () => Number.parseFloat(await fact('rate')) > 1)
    const [first, dropped, skipped] = [Number(await fact('frame')), await fact('dropped'), await fact('skipped')]
    expect(dropped).toBe('0')
    expect(skipped).toMatch(/^\d+$/)
    expect(await fact('age')).toMatch(/^[\d.]+ m?s$/)
    await becomes('the next frame', async () => Number(await fact('frame')) > first)
  })

  test('a page that stands still for a while says how many frames it has not drawn, and shows a fresh one', async () => {
    const before = Number(await fact('skipped'))
    await page.evaluate(() => {
      const untilMs = performance.now() + 1500
      while (performance.now() < untilMs) performance.now()
    })
    await becomes('frames that were passed over', async () => Number(await fact('skipped')) > before + 2)
    await becomes('a fresh frame', async () => / ms$/.test(await fact('age')))
  })

  test.each([
    ['Full', '512×512'],
    ['Fast', '128×128'],
    ['Preview', '256×256'],
  ])('quality %s shows %s pixels', async (quality, shown) => {
    await choose(camera.getByRole('combobox', { name: 'Quality' }), quality)
    await becomes(`${shown} pixels`, async () => (await attribute('[data-shown]', 'data-pixels')) === shown)
  })

  test('a lower rate is kept to, and packed pictures are unpacked', async () => {
    const rate = camera.getByRole('combobox', { name: /At most so many/ })
    await choose(rate, '≤ 5 Hz')
    await becomes('five a second', async () => Number.parseFloat(await fact('rate')) < 7)
    await choose(rate, `≤ ${RATE_HZ} Hz`)
    await camera.getByRole('button', { name: 'LZ4' }).click()
    const first = Number(await fact('frame'))
    await becomes('packed frames', async () => Number(await fact('frame')) > first + 100)
    expect(await camera.getByRole('alert').count()).toBe(0)
    await camera.getByRole('button', { name: 'LZ4' }).click()
  })

  test('the pixel under the pointer is the one that the camera sent', async () => {
    const frames = await watch('PREVIEW', RATE_HZ)
    try {
      const box = await picture()
      await page.mouse.move(box.x + box.width / 2 + 31, box.y + box.height / 2 - 17)
      await becomes('a frame that both have seen', async () => frames.seen.has(Number(await attribute('[data-readout]', 'data-sequence'))))
      await stopLive()
      const at = (name: string) => attribute('[data-readout]', name)
      const frame = frames.seen.get(Number(await at('data-sequence')))
      const [x = 0, y = 0] = (await at('data-pixel')).split(',').map(Number)
      expect(frame?.pixels[Math.floor(y / 2) * 256 + Math.floor(x / 2)]).toBe(Number(await at('data-count')))
      expect(await camera.locator('[data-readout]').textContent()).toContain(`x ${x}  y ${y}`)
      const scale = Math.min(box.width, box.height) / 512
      expect([x, y]).toEqual([Math.floor(256 + 31 / scale), Math.floor(256 - 17 / scale)])
    } finally {
      frames.close()
    }
  })

  test('levels by hand change what is seen, by the keyboard and by dragging on the histogram', async () => {
    const white = camera.getByRole('slider', { name: 'White level' })
    await white.press('End')
    expect(await camera.getByLabel('Automatic levels').isChecked()).toBe(false)
    expect(await white.getAttribute('aria-valuenow')).toBe('65535')
    await becomes('a black picture', async () => (await cornerColor()).every((channel) => channel < 3))
    await camera.getByRole('slider', { name: 'Black level' }).press('Home')
    await white.press('Home')
    await becomes('a white picture', async () => (await cornerColor()).every((channel) => channel > 250))
    const plot = await camera.getByRole('img', { name: 'Histogram of the picture' }).boundingBox()
    if (plot === null) throw new Error('the histogram is not there')
    await page.mouse.move(plot.x + 3, plot.y + 20)
    await page.mouse.down()
    await page.mouse.move(plot.x + plot.width / 2, plot.y + 20, { steps: 3 })
    await page.mouse.up()
    await becomes('a black picture again', async () => (await cornerColor()).every((channel) => channel < 8))
    expect(Number(await white.getAttribute('aria-valuenow'))).toBeGreaterThan(500)
  })

  test('automatic levels come back, and colours are those of the map', async () => {
    await camera.getByLabel('Automatic levels').setChecked(true)
    await choose(camera.getByRole('combobox', { name: 'Colours' }), 'Viridis')
    await becomes('the dark end of viridis', async () => (await cornerColor()).every((channel, at) => Math.abs(channel - ([68, 1, 84][at] ?? 0)) < 8))
    await choose(camera.getByRole('combobox', { name: 'Colours' }), 'Gray')
    await becomes('gray', async () => {
      const [red = 0, green = 1] = await cornerColor()
      return red === green
    })
  })

  test('the picture is enlarged by buttons, keys and wheel, moved, and fitted again', async () => {
    const zoom = async () => Number(await attribute('[data-zoom]', 'data-zoom'))
    const fitted = await zoom()
    await camera.getByRole('button', { name: 'Zoom in' }).click()
    await becomes('one and a half times', async () => Math.abs((await zoom()) - 1.5 * fitted) < 0.01)
    const stage = camera.getByRole('application')
    await stage.press('+')
    await becomes('larger still', async () => (await zoom()) > 1.8 * fitted)
    const box = await picture()
    await page.mouse.move(box.x + 200, box.y + 200)
    await page.mouse.wheel(0, -300)
    await becomes('twice that', async () => (await zoom()) > 3.6 * fitted)
    const before = await attribute('[data-readout]', 'data-pixel')
    await stage.press('ArrowRight')
    await becomes('another pixel under the pointer', async () => (await attribute('[data-readout]', 'data-pixel')) !== before)
    await camera.getByRole('button', { name: /^1:1/ }).click()
    await becomes('1:1', async () => (await zoom()) === 1)
    await stage.press('Home')
    await becomes('all of it', async () => (await zoom()) === fitted)
  })

  test('a region is drawn, told in sensor pixels, and the picture becomes it, and the whole again', async () => {
    await startLive()
    await tool('Region')
    const box = await picture()
    const scale = Math.min(box.width, box.height) / 512
    const at = (x: number, y: number) => [box.x + box.width / 2 + (x - 256) * scale, box.y + box.height / 2 + (y - 256) * scale] as const
    await page.mouse.move(...at(101, 151))
    await page.mouse.down()
    await page.mouse.move(...at(200, 200), { steps: 3 })
    await page.mouse.move(...at(299.5, 249.5))
    await page.mouse.up()
    const field = (name: string) => camera.getByLabel(`Region ${name}`, { exact: true })
    expect(await Promise.all(['x', 'y', 'width', 'height'].map((name) => field(name).inputValue()))).toEqual(['100', '150', '200', '100'])
    await field('height').fill('80')
    await field('height').press('Enter')
    await becomes('the number on the picture', async () => (await attribute('[data-region]', 'data-region')) === '100,150,200,80')
    await camera.getByRole('button', { name: 'View only this' }).click()
    await becomes(
      'only the region',
      async () => (await attribute('[data-shown]', 'data-shown')) === '100,150,200,80' && (await attribute('[data-shown]', 'data-pixels')) === '100×40',
    )
    await camera.getByRole('button', { name: 'View all' }).click()
    await becomes('the whole sensor', async () => (await attribute('[data-shown]', 'data-shown')) === '0,0,512,512')
  })

  test('the keyboard alone makes a region, moves and enlarges it', async () => {
    const stage = camera.getByRole('application')
    const region = () => attribute('[data-region]', 'data-region')
    await stage.press('Enter')
    await becomes('a region', async () => (await camera.locator('[data-region]').count()) === 1)
    const [x = 0, y = 0, width = 0, height = 0] = (await region()).split(',').map(Number)
    await stage.press('Shift+ArrowLeft')
    await stage.press('Alt+ArrowDown')
    await becomes('it moved by ten pixels of 2x2 and grew by one', async () => (await region()) === `${x - 20},${y},${width},${height + 2}`)
    await stage.press('Delete')
    await becomes('it is gone', async () => (await camera.locator('[data-region]').count()) === 0)
  })

  test('a region becomes what the camera reads out, and its full frame comes back', async () => {
    for (const [name, value] of Object.entries({ x: '64', y: '32', width: '256', height: '128' }))
      await camera.getByLabel(`Region ${name}`, { exact: true }).fill(value)
    await camera.getByRole('button', { name: 'Set as camera ROI' }).click()
    await becomes('the region of the camera', async () => (await attribute('[data-shown]', 'data-shown')) === '64,32,256,128')
    expect(await cameraRoi()).toEqual({ x: 64, y: 32, width: 256, height: 128 })
    await camera.getByRole('button', { name: 'Camera to full frame' }).click()
    await becomes('the whole sensor', async () => (await attribute('[data-shown]', 'data-shown')) === '0,0,512,512')
    expect(await camera.getByRole('alert').count()).toBe(0)
  })

  test('says in words why the camera does not take a region while it records, and the picture stays', async () => {
    const { startRun } = await query<{ startRun: { id: string } }>(lab.url, 'mutation ($input: RunInput!) { startRun(input: $input) { ... on Run { id } } }', {
      input: { plan: { record: { detectors: [{ role: 'camera' }], frames: 100_000 } } },
    })
    const rows = async () =>
      (await query<{ run: { datasets: { rows: number }[] } }>(lab.url, 'query ($id: ID!) { run(id: $id) { datasets { rows } } }', { id: startRun.id })).run
        .datasets[0]?.rows ?? 0
    const state = async () => (await query<{ run: { state: string } }>(lab.url, 'query ($id: ID!) { run(id: $id) { state } }', { id: startRun.id })).run.state
    await becomes('recorded frames', async () => (await rows()) > 0)
    await tool('Region')
    for (const [name, value] of Object.entries({ x: '64', y: '32', width: '256', height: '128' }))
      await camera.getByLabel(`Region ${name}`, { exact: true }).fill(value)
    const refusal = camera.getByRole('alert')
    await camera.getByRole('button', { name: 'Set as camera ROI' }).click()
    await refusal.waitFor()
    expect(await refusal.textContent()).toMatch(/in use by run/)
    expect(await attribute('[data-shown]', 'data-shown')).toBe('0,0,512,512')
    await refusal.getByRole('button', { name: 'Dismiss' }).click()
    await query(lab.url, 'mutation ($id: ID!) { abortRun(id: $id) { ... on Run { id } } }', { id: startRun.id })
    await becomes('its end', async () => (await state()) === 'ABORTED')
    await camera.getByRole('application').press('Delete')
  })

  test('a line gives a profile with one sample per pixel, over the sensor', async () => {
    await tool('Line')
    const samples = () => attribute('[data-samples]', 'data-samples')
    await camera.getByRole('button', { name: 'Whole row' }).click()
    await becomes('256 pixels of a row', async () => (await samples()) === '256')
    await camera.getByRole('img', { name: /^counts over x on the sensor \(px\)/ }).waitFor()
    await camera.getByRole('button', { name: 'Whole column' }).click()
    await camera.getByRole('img', { name: /^counts over y on the sensor/ }).waitFor()
    const box = await picture()
    const scale = Math.min(box.width, box.height) / 512
    await camera.getByRole('button', { name: 'Remove' }).click()
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width / 2 + 100 * scale, box.y + box.height / 2 + 60 * scale, { steps: 3 })
    await page.mouse.up()
    await becomes('a sample for each pixel of the longer side', async () => (await samples()) === '51')
    await camera.getByRole('img', { name: /^counts over along the line/ }).waitFor()
  })

  test.each(['dark', 'light'] as const)('axe-core finds nothing to mend with any tool: %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme })
    await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor()
    for (const [name, width] of [
      ['Line', 1440],
      ['Region', 820],
    ] as const) {
      await tool(name)
      await page.setViewportSize({ width, height: 1000 })
      expect(await accessibilityViolations(page), `${name} at ${width}`).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), `no sideways scrolling at ${width}`).toBeLessThanOrEqual(0)
    }
    await page.setViewportSize(VIEWPORT)
  })

  test('without WebGL2 the processor draws', async () => {
    const plain = await browser.newPage({ viewport: { width: 820, height: 600 } })
    try {
      await plain.addInitScript(() => {
        const real = HTMLCanvasElement.prototype.getContext
        HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, kind: string, ...rest: unknown[]) {
          return kind === 'webgl2' ? null : Reflect.apply(real, this, [kind, ...rest])
        } as typeof real
      })
      await plain.goto(`${lab.url}/#camera`)
      await plain.locator('figure[data-painter="canvas"]').waitFor({ timeout: ACTION_DEADLINE_MS })
      const seen = () =>
        plain.locator('canvas[role="img"]').evaluate((canvas) => {
          const { width, height } = canvas as HTMLCanvasElement
          const bytes = (canvas as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data ?? []
          return Array.from(bytes).reduce((most, byte, at) => (at % 4 === 0 && byte > most ? byte : most), 0)
        })
      await becomes('the bright spot', async () => (await seen()) > 200)
    } finally {
      await plain.close()
    }
  })

  test('nothing failed in the page meanwhile', () => expect(failures).toEqual([]))

  async function startLive(): Promise<void> {
    await camera.getByRole('button', { name: 'Start live' }).click()
    const first = Number(await attribute('figure', 'data-frames'))
    await becomes('frames on the canvas', async () => Number(await attribute('figure', 'data-frames')) > first + 3)
  }

  async function stopLive(): Promise<void> {
    await camera.getByRole('button', { name: 'Stop live' }).press('Enter') // the pointer stays where it is
    await camera.getByRole('button', { name: 'Start live' }).waitFor()
  }

  async function picture(): Promise<{ x: number; y: number; width: number; height: number }> {
    const box = await camera.getByRole('application').boundingBox()
    if (box === null) throw new Error('the picture is not there')
    return box
  }

  /** Red, green and blue of what is on the screen, as a person sees it: of a corner that the bright spot never comes to. */
  async function cornerColor(): Promise<number[]> {
    const { x, y, width, height } = await picture()
    return await colorOf({ x: x + width / 2 - height / 2 + 4, y: y + 4, width: 24, height: 24 })
  }

  async function colorOf(clip: { x: number; y: number; width: number; height: number }): Promise<number[]> {
    const png = (await page.screenshot({ clip })).toString('base64')
    return await page.evaluate(async (data) => {
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0))
      const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
      const context = new OffscreenCanvas(image.width, image.height).getContext('2d')
      context?.drawImage(image, 0, 0)
      const pixels = context?.getImageData(0, 0, image.width, image.height).data ?? new Uint8ClampedArray(4)
      return [0, 1, 2].map((channel) => {
        let sum = 0
        for (let at = channel; at < pixels.length; at += 4) sum += pixels[at] ?? 0
        return sum / (pixels.length / 4)
      })
    }, png)
  }

  async function choose(combobox: Locator, name: string): Promise<void> {
    await combobox.click()
    await page.getByRole('option', { name, exact: true }).click()
  }

  async function cameraRoi(): Promise<unknown> {
    const answer = await query<{ devices: { edges: { node: { camera: { roi: unknown } } }[] } }>(
      lab.url,
      '{ devices(filter: { capabilities: [FRAME_PRODUCER] }) { edges { node { camera { roi { x y width height } } } } } }',
    )
    return answer.devices.edges[0]?.node.camera.roi
  }

  /** Looks at the same view as the page, which the station therefore computes once for both: the same frames, byte for byte. */
  async function watch(quality: string, maxRateHz: number): Promise<{ seen: Map<number, Frame>; close(): void }> {
    const answer = await query<{ devices: { edges: { node: { camera: { ticket: { url: string; protocol: string } } } }[] } }>(
      lab.url,
      `{ devices(filter: { capabilities: [FRAME_PRODUCER] }) { edges { node { camera { ticket(quality: ${quality}, maxRateHz: ${maxRateHz}) { url protocol } } } } } }`,
    )
    const ticket = answer.devices.edges[0]?.node.camera.ticket
    if (ticket === undefined) throw new Error('there is no camera')
    const seen = new Map<number, Frame>()
    const socket = new WebSocket(new URL(ticket.url, lab.url.replace('http', 'ws')), ticket.protocol)
    socket.binaryType = 'arraybuffer'
    socket.on('message', (data) => {
      if (!(data instanceof ArrayBuffer)) return
      const frame = decodeFrame(data)
      seen.set(frame.sequence, frame)
      for (const old of seen.keys()) if (seen.size > KEPT_FRAMES) seen.delete(old)
    })
    return { seen, close: () => socket.close() }
  }
})
