import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { query } from '../harness/graphql.ts'
import { accessibilityViolations, findChromium } from './browser.ts'
import { ACTION_DEADLINE_MS, CameraBench, RATE_HZ, VIEWPORT } from './camera-bench.ts'
import { figureTests } from './camera-figures.ts'
import { lossTests } from './camera-losses.ts'
import { touchTests } from './camera-touch.ts'

const executable = findChromium()
const START_DEADLINE_MS = 120_000

test.runIf(executable === undefined)('SKIPPED: the camera panel needs Chromium, and none is installed on this machine', ({ skip }) => skip('no Chromium'))

describe.skipIf(executable === undefined)('the camera panel, in Chromium', () => {
  let bench: CameraBench
  let page: Page
  let camera: Locator

  beforeAll(async () => {
    bench = await CameraBench.open(executable ?? '')
    page = bench.page
    camera = bench.camera
  }, START_DEADLINE_MS)

  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]()
  }, START_DEADLINE_MS)

  lossTests(() => bench)

  test.each([
    ['Full', '512×512'],
    ['Fast', '128×128'],
    ['Preview', '256×256'],
  ])('quality %s shows %s pixels', async (quality, shown) => {
    await bench.choose(camera.getByRole('combobox', { name: 'Quality' }), quality)
    await bench.becomes(`${shown} pixels`, async () => (await bench.attribute('[data-shown]', 'data-pixels')) === shown)
  })

  test('a lower rate is kept to, and packed pictures are unpacked', async () => {
    const rate = camera.getByRole('combobox', { name: /At most so many/ })
    await bench.choose(rate, '≤ 5 Hz')
    await bench.becomes('five a second', async () => Number.parseFloat(await bench.fact('rate')) < 7)
    await bench.choose(rate, `≤ ${RATE_HZ} Hz`)
    await camera.getByRole('button', { name: 'LZ4' }).click()
    const first = Number(await bench.fact('frame'))
    await bench.becomes('packed frames', async () => Number(await bench.fact('frame')) > first + 100)
    expect(await camera.getByRole('alert').count()).toBe(0)
    await camera.getByRole('button', { name: 'LZ4' }).click()
  })

  test('the pixel under the pointer is the one that the camera sent', async () => {
    using frames = await bench.watch('PREVIEW', RATE_HZ)
    const box = await bench.picture()
    await page.mouse.move(box.x + box.width / 2 + 31, box.y + box.height / 2 - 17)
    await bench.becomes('a frame that both have seen', async () => frames.seen.has(Number(await bench.attribute('[data-readout]', 'data-sequence'))))
    await bench.stopLive()
    const at = (name: string) => bench.attribute('[data-readout]', name)
    const frame = frames.seen.get(Number(await at('data-sequence')))
    const [x = 0, y = 0] = (await at('data-pixel')).split(',').map(Number)
    expect(frame?.pixels[Math.floor(y / 2) * 256 + Math.floor(x / 2)]).toBe(Number(await at('data-count')))
    expect(await camera.locator('[data-readout]').textContent()).toContain(`x ${x}  y ${y}`)
    const scale = Math.min(box.width, box.height) / 512
    expect([x, y]).toEqual([Math.floor(256 + 31 / scale), Math.floor(256 - 17 / scale)])
  })

  test('levels by hand change what is seen, by the keyboard and by dragging on the histogram', async () => {
    const white = camera.getByRole('slider', { name: 'White level' })
    await white.press('End')
    expect(await camera.getByLabel('Automatic levels').isChecked()).toBe(false)
    expect(await white.getAttribute('aria-valuenow')).toBe('65535')
    await bench.becomes('a black picture', async () => (await bench.cornerColor()).every((channel) => channel < 3))
    await camera.getByRole('slider', { name: 'Black level' }).press('Home')
    await white.press('Home')
    await bench.becomes('a white picture', async () => (await bench.cornerColor()).every((channel) => channel > 250))
    const plot = await camera.getByRole('img', { name: 'Histogram of the picture' }).boundingBox()
    if (plot === null) throw new Error('the histogram is not there')
    await page.mouse.move(plot.x + 3, plot.y + 20)
    await page.mouse.down()
    await page.mouse.move(plot.x + plot.width / 2, plot.y + 20, { steps: 3 })
    await page.mouse.up()
    await bench.becomes('a black picture again', async () => (await bench.cornerColor()).every((channel) => channel < 8))
    expect(Number(await white.getAttribute('aria-valuenow'))).toBeGreaterThan(500)
  })

  test('automatic levels come back, and colours are those of the map', async () => {
    await camera.getByLabel('Automatic levels').setChecked(true)
    await bench.choose(camera.getByRole('combobox', { name: 'Colours' }), 'Viridis')
    await bench.becomes('the dark end of viridis', async () =>
      (await bench.cornerColor()).every((channel, at) => Math.abs(channel - ([68, 1, 84][at] ?? 0)) < 8),
    )
    await bench.choose(camera.getByRole('combobox', { name: 'Colours' }), 'Gray')
    await bench.becomes('gray', async () => {
      const [red = 0, green = 1] = await bench.cornerColor()
      return red === green
    })
  })

  test('the picture is enlarged by buttons, keys and wheel, moved, and fitted again', async () => {
    const zoom = async () => Number(await bench.attribute('[data-zoom]', 'data-zoom'))
    const fitted = await zoom()
    await camera.getByRole('button', { name: 'Zoom in' }).click()
    await bench.becomes('one and a half times', async () => Math.abs((await zoom()) - 1.5 * fitted) < 0.01)
    const stage = camera.getByRole('application')
    await stage.press('+')
    await bench.becomes('larger still', async () => (await zoom()) > 1.8 * fitted)
    const box = await bench.picture()
    await page.mouse.move(box.x + 200, box.y + 200)
    await page.mouse.wheel(0, -300)
    await bench.becomes('twice that', async () => (await zoom()) > 3.6 * fitted)
    const before = await bench.attribute('[data-readout]', 'data-pixel')
    await stage.press('ArrowRight')
    await bench.becomes('another pixel under the pointer', async () => (await bench.attribute('[data-readout]', 'data-pixel')) !== before)
    await camera.getByRole('button', { name: /^1:1/ }).click()
    await bench.becomes('1:1', async () => (await zoom()) === 1)
    await stage.press('Home')
    await bench.becomes('all of it', async () => (await zoom()) === fitted)
  })

  touchTests(() => bench)

  test('a region is drawn, told in sensor pixels, and the picture becomes it, and the whole again', async () => {
    await bench.startLive()
    await bench.tool('Region')
    const box = await bench.picture()
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
    await bench.becomes('the number on the picture', async () => (await bench.attribute('[data-region]', 'data-region')) === '100,150,200,80')
    await camera.getByRole('button', { name: 'View only this' }).click()
    await bench.becomes(
      'only the region',
      async () =>
        (await bench.attribute('[data-shown]', 'data-shown')) === '100,150,200,80' && (await bench.attribute('[data-shown]', 'data-pixels')) === '100×40',
    )
    await camera.getByRole('button', { name: 'View all' }).click()
    await bench.becomes('the whole sensor', async () => (await bench.attribute('[data-shown]', 'data-shown')) === '0,0,512,512')
  })

  test('the keyboard alone makes a region, moves and enlarges it', async () => {
    const stage = camera.getByRole('application')
    const region = () => bench.attribute('[data-region]', 'data-region')
    await stage.press('Enter')
    await bench.becomes('a region', async () => (await camera.locator('[data-region]').count()) === 1)
    const [x = 0, y = 0, width = 0, height = 0] = (await region()).split(',').map(Number)
    await stage.press('Shift+ArrowLeft')
    await stage.press('Alt+ArrowDown')
    await bench.becomes('it moved by ten pixels of 2x2 and grew by one', async () => (await region()) === `${x - 20},${y},${width},${height + 2}`)
    await stage.press('Delete')
    await bench.becomes('it is gone', async () => (await camera.locator('[data-region]').count()) === 0)
  })

  test('a region becomes what the camera reads out, and its full frame comes back', async () => {
    for (const [name, value] of Object.entries({ x: '64', y: '32', width: '256', height: '128' }))
      await camera.getByLabel(`Region ${name}`, { exact: true }).fill(value)
    await camera.getByRole('button', { name: 'Set as camera ROI' }).click()
    await bench.becomes('the region of the camera', async () => (await bench.attribute('[data-shown]', 'data-shown')) === '64,32,256,128')
    expect((await bench.ofCamera<{ roi: unknown }>('roi { x y width height }')).roi).toEqual({ x: 64, y: 32, width: 256, height: 128 })
    await camera.getByRole('button', { name: 'Camera to full frame' }).click()
    await bench.becomes('the whole sensor', async () => (await bench.attribute('[data-shown]', 'data-shown')) === '0,0,512,512')
    expect(await camera.getByRole('alert').count()).toBe(0)
  })

  test('says in words why the camera does not take a region while it records, and the picture stays', async () => {
    const { startRun } = await query<{ startRun: { id: string } }>(
      bench.lab.url,
      'mutation ($input: RunInput!) { startRun(input: $input) { ... on Run { id } } }',
      {
        input: { plan: { record: { detectors: [{ role: 'camera' }], frames: 100_000 } } },
      },
    )
    const rows = async () =>
      (await query<{ run: { datasets: { rows: number }[] } }>(bench.lab.url, 'query ($id: ID!) { run(id: $id) { datasets { rows } } }', { id: startRun.id }))
        .run.datasets[0]?.rows ?? 0
    const state = async () =>
      (await query<{ run: { state: string } }>(bench.lab.url, 'query ($id: ID!) { run(id: $id) { state } }', { id: startRun.id })).run.state
    await bench.becomes('recorded frames', async () => (await rows()) > 0)
    await bench.tool('Region')
    for (const [name, value] of Object.entries({ x: '64', y: '32', width: '256', height: '128' }))
      await camera.getByLabel(`Region ${name}`, { exact: true }).fill(value)
    const refusal = camera.getByRole('alert')
    await camera.getByRole('button', { name: 'Set as camera ROI' }).click()
    await refusal.waitFor()
    expect(await refusal.textContent()).toMatch(/in use by run/)
    expect(await bench.attribute('[data-shown]', 'data-shown')).toBe('0,0,512,512')
    await refusal.getByRole('button', { name: 'Dismiss' }).click()
    await query(bench.lab.url, 'mutation ($id: ID!) { abortRun(id: $id) { ... on Run { id } } }', { id: startRun.id })
    await bench.becomes('its end', async () => (await state()) === 'ABORTED')
    await camera.getByRole('application').press('Delete')
  })

  figureTests(() => bench)

  test('a line gives a profile with one sample per pixel, over the sensor', async () => {
    await bench.tool('Line')
    const samples = () => bench.attribute('[data-samples]', 'data-samples')
    await camera.getByRole('button', { name: 'Whole row' }).click()
    await bench.becomes('256 pixels of a row', async () => (await samples()) === '256')
    await camera.getByRole('img', { name: /^counts over x on the sensor \(px\)/ }).waitFor()
    await camera.getByRole('button', { name: 'Whole column' }).click()
    await camera.getByRole('img', { name: /^counts over y on the sensor/ }).waitFor()
    const box = await bench.picture()
    const scale = Math.min(box.width, box.height) / 512
    await camera.getByRole('button', { name: 'Remove' }).click()
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width / 2 + 100 * scale, box.y + box.height / 2 + 60 * scale, { steps: 3 })
    await page.mouse.up()
    await bench.becomes('a sample for each pixel of the longer side', async () => (await samples()) === '51')
    await camera.getByRole('img', { name: /^counts over along the line/ }).waitFor()
  })

  test.each(['dark', 'light'] as const)('axe-core finds nothing to mend with any tool: %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme })
    await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor()
    for (const [name, width] of [
      ['Line', 1440],
      ['Region', 820],
    ] as const) {
      await bench.tool(name)
      await page.setViewportSize({ width, height: 1000 })
      expect(await accessibilityViolations(page), `${name} at ${width}`).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), `no sideways scrolling at ${width}`).toBeLessThanOrEqual(0)
    }
    await page.setViewportSize(VIEWPORT)
  })

  test('without WebGL2 the processor draws', async () => {
    const plain = await bench.browser.newPage({ viewport: { width: 820, height: 600 } })
    try {
      await plain.addInitScript(() => {
        const real = HTMLCanvasElement.prototype.getContext
        HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, kind: string, ...rest: unknown[]) {
          return kind === 'webgl2' ? null : Reflect.apply(real, this, [kind, ...rest])
        } as typeof real
      })
      await plain.goto(`${bench.lab.url}/#camera`)
      await plain.locator('figure[data-painter="canvas"]').waitFor({ timeout: ACTION_DEADLINE_MS })
      const seen = () =>
        plain.locator('canvas[role="img"]').evaluate((canvas) => {
          const { width, height } = canvas as HTMLCanvasElement
          const bytes = (canvas as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data ?? []
          return Array.from(bytes).reduce((most, byte, at) => (at % 4 === 0 && byte > most ? byte : most), 0)
        })
      await bench.becomes('the bright spot', async () => (await seen()) > 200)
    } finally {
      await plain.close()
    }
  })

  test('nothing failed in the page meanwhile', () => expect(bench.failures).toEqual([]))
})
