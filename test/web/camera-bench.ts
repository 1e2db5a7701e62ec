import type { Browser, Locator, Page } from 'playwright-core'
import WebSocket from 'ws'
import { decodeFrame, type Frame } from '../../web/src/model/frame-header.ts'
import { query } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'
import { launch } from './browser.ts'
import { type FrameProxy, openFrameProxy } from './frame-proxy.ts'

export const ACTION_DEADLINE_MS = 20_000
const KEPT_FRAMES = 400
const RATE_WINDOW_MS = 2000
/** Small, and few frames: the browser of a test draws with the processor, which the lab needs too. */
export const VIEWPORT = { width: 1000, height: 700 }
export const RATE_HZ = 10
/** The simulated camera loses every such frame on its way. */
export const LOSE_EVERY = 7
export const SENSOR_SIDE = 512

export type Box = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

/** A lab, a browser, and the camera's panel alone on a page, which comes through a proxy. */
export class CameraBench implements AsyncDisposable {
  readonly lab: WholeLab
  readonly browser: Browser
  readonly page: Page
  readonly proxy: FrameProxy
  readonly camera: Locator
  /** What went wrong in the page. */
  readonly failures: string[] = []

  private constructor(lab: WholeLab, browser: Browser, page: Page, proxy: FrameProxy) {
    this.lab = lab
    this.browser = browser
    this.page = page
    this.proxy = proxy
    this.camera = page.locator('[data-panel="camera"]')
  }

  static async open(executable: string): Promise<CameraBench> {
    const [lab, browser] = await Promise.all([startWholeLab({ env: { KYMOGRAPH_PVCAM_SIM_LOSE_EVERY: String(LOSE_EVERY) } }), launch(executable)])
    const proxy = await openFrameProxy(lab.port)
    const page = await browser.newPage({ viewport: VIEWPORT, colorScheme: 'dark' })
    const bench = new CameraBench(lab, browser, page, proxy)
    page.setDefaultTimeout(ACTION_DEADLINE_MS)
    page.on('pageerror', (error) => bench.failures.push(error.message))
    await page.addInitScript((rate) => localStorage.setItem('kymograph.camera.stream', `{"quality":"PREVIEW","maxRateHz":${rate},"isPacked":false}`), RATE_HZ)
    await page.goto(`${proxy.url}/#camera`)
    await bench.startLive()
    return bench
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close()
    await this.proxy[Symbol.asyncDispose]()
    await this.lab.stop()
  }

  becomes(what: string, condition: () => Promise<boolean>): Promise<unknown> {
    return until(condition, { deadlineMs: ACTION_DEADLINE_MS, everyMs: 50, what })
  }

  async fact(name: string): Promise<string> {
    return (await this.camera.locator(`[data-fact="${name}"] dd`).textContent()) ?? ''
  }

  /** All of them at once, of the same frame. */
  async facts(): Promise<Readonly<Record<string, number>>> {
    const texts = await this.camera
      .locator('[data-fact]')
      .evaluateAll((all) => all.map((one) => [one.getAttribute('data-fact') ?? '', one.querySelector('dd')?.textContent ?? ''] as const))
    return Object.fromEntries(texts.map(([name, text]) => [name, Number.parseFloat(text)]))
  }

  async attribute(selector: string, name: string): Promise<string> {
    return (await this.camera.locator(selector).getAttribute(name)) ?? ''
  }

  tool(name: 'Move' | 'Region' | 'Line'): Promise<void> {
    return this.camera.getByText(name, { exact: true }).click()
  }

  async choose(combobox: Locator, name: string): Promise<void> {
    await combobox.click()
    await this.page.getByRole('option', { name, exact: true }).click()
  }

  async quality(name: 'Full' | 'Preview' | 'Fast', side: number): Promise<void> {
    await this.choose(this.camera.getByRole('combobox', { name: 'Quality' }), name)
    await this.becomes(`${side} pixels`, async () => (await this.attribute('[data-shown]', 'data-pixels')) === `${side}×${side}`)
  }

  async startLive(): Promise<void> {
    await this.camera.getByRole('button', { name: 'Start live' }).press('Enter')
    const first = Number(await this.attribute('figure', 'data-frames'))
    await this.becomes('frames on the canvas', async () => Number(await this.attribute('figure', 'data-frames')) > first + 3)
  }

  async stopLive(): Promise<void> {
    await this.camera.getByRole('button', { name: 'Stop live' }).press('Enter') // the pointer stays where it is
    await this.camera.getByRole('button', { name: 'Start live' }).waitFor()
  }

  async picture(): Promise<Box> {
    const box = await this.camera.getByRole('application').boundingBox()
    if (box === null) throw new Error('the picture is not there')
    return box
  }

  async zoom(): Promise<number> {
    return Number(await this.attribute('[data-zoom]', 'data-zoom'))
  }

  /** Red, green and blue of what is on the screen, as a person sees it: of a corner that the bright spot never comes to. */
  async cornerColor(): Promise<number[]> {
    const { x, y, width, height } = await this.picture()
    return await this.#colorOf({ x: x + width / 2 - height / 2 + 4, y: y + 4, width: 24, height: 24 })
  }

  async #colorOf(clip: Box): Promise<number[]> {
    const png = (await this.page.screenshot({ clip })).toString('base64')
    return await this.page.evaluate(async (data) => {
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

  async ofCamera<Fields>(fields: string): Promise<Fields> {
    const answer = await query<{ devices: { edges: { node: { camera: Fields } }[] } }>(
      this.lab.url,
      `{ devices(filter: { capabilities: [FRAME_PRODUCER] }) { edges { node { camera { ${fields} } } } } }`,
    )
    const [camera] = answer.devices.edges
    if (camera === undefined) throw new Error('there is no camera')
    return camera.node.camera
  }

  /** Looks at the same view as the page, which the station therefore computes once for both: the same frames, byte for byte. */
  async watch(quality: string, maxRateHz: number): Promise<Watched> {
    const { ticket } = await this.ofCamera<{ ticket: { url: string; protocol: string } }>(
      `ticket(quality: ${quality}, maxRateHz: ${maxRateHz}) { url protocol }`,
    )
    const seen = new Map<number, Frame>()
    const times: number[] = []
    let [received, skipped] = [0, 0]
    const socket = new WebSocket(new URL(ticket.url, this.lab.url.replace('http', 'ws')), ticket.protocol)
    socket.binaryType = 'arraybuffer'
    socket.on('message', (data) => {
      if (!(data instanceof ArrayBuffer)) return
      const frame = decodeFrame(data)
      seen.set(frame.sequence, frame)
      received += 1
      skipped = frame.skipped
      times.push(performance.now())
      for (const old of seen.keys()) if (seen.size > KEPT_FRAMES) seen.delete(old)
    })
    return {
      seen,
      received: () => received,
      skipped: () => skipped,
      rateHz: () => times.filter((time) => time > performance.now() - RATE_WINDOW_MS).length / (RATE_WINDOW_MS / 1000),
      [Symbol.dispose]: () => socket.close(),
    }
  }
}

export type Watched = Disposable & {
  /** The newest frames, by their sequence. */
  readonly seen: ReadonlyMap<number, Frame>
  received(): number
  /** Frames that this viewer was too slow for. */
  skipped(): number
  /** Over the last two seconds. */
  rateHz(): number
}
