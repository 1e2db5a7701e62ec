import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunningSimulation } from '../../drivers/simulation/simulation.ts'
import { simulation as maiTai } from '../../drivers/spectra-physics-maitai/simulator.ts'
import { writeEntry } from '../../local/lab/book.ts'
import { query } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'
import { accessibilityViolations, cuttableSocket, findChromium, launch } from './browser.ts'

const executable = findChromium()
const START_DEADLINE_MS = 90_000
const ACTION_DEADLINE_MS = 20_000
const SCAN_DEADLINE_MS = 60_000

test.runIf(executable === undefined)('SKIPPED: the dashboard needs Chromium, and none is installed on this machine', ({ skip }) => skip('no Chromium'))

describe.skipIf(executable === undefined)('the dashboard of a whole lab, in Chromium', () => {
  let lab: WholeLab
  let browser: Browser
  let page: Page
  let laser: RunningSimulation | undefined
  let socket: Awaited<ReturnType<typeof cuttableSocket>>
  const failures: string[] = []

  beforeAll(async () => {
    lab = await startWholeLab()
    browser = await launch(executable ?? '')
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark', acceptDownloads: true })
    page = await context.newPage()
    page.setDefaultTimeout(ACTION_DEADLINE_MS)
    page.on('pageerror', (error) => failures.push(error.message))
    socket = await cuttableSocket(page)
    await page.goto(lab.url)
  }, START_DEADLINE_MS)

  afterAll(async () => {
    await browser?.close()
    await laser?.[Symbol.asyncDispose]()
    await lab?.stop()
  }, START_DEADLINE_MS)

  const panel = (id: string): Locator => page.locator(`[data-panel="${id}"]`)
  const numberIn = async (locator: Locator): Promise<number> => Number.parseFloat(((await locator.textContent()) ?? '').replace('\u2212', '-'))
  /** Of the devices that move, the one whose travel the tests below are made for. */
  const movable = (): Locator => panel('devices').locator('[data-device="stage-x"]', { has: page.getByRole('button', { name: /^Home / }) })

  test('shows every registered device with its connection, and says that they are simulated', async () => {
    const { devices } = await query<{ devices: { edges: { node: { name: string } }[] } }>(lab.url, '{ devices(first: 100) { edges { node { name } } } }')
    const names = devices.edges.map(({ node }) => node.name)
    expect(names.length).toBeGreaterThan(3)
    for (const name of names) await page.locator(`[data-device="${name}"][data-connection="CONNECTED"]`).waitFor()
    expect(await panel('devices').getByText('simulated', { exact: true }).count()).toBe(names.length)
  })

  test('values are live: a noisy reading changes by itself', async () => {
    const values = panel('devices').locator('[data-main-value]')
    await values.first().waitFor()
    const first = await values.allTextContents()
    await until(async () => (await values.allTextContents()).some((text, at) => text !== first[at]), {
      deadlineMs: ACTION_DEADLINE_MS,
      what: 'a changed value',
    })
  })

  test(
    'homes and moves a stage',
    async () => {
      const stage = movable()
      const home = stage.getByRole('button', { name: /^Home / })
      await home.click()
      await until(async () => (await home.getAttribute('aria-busy')) === null, { deadlineMs: SCAN_DEADLINE_MS, what: 'the end of the search for home' })
      expect(await stage.getByRole('alert').count()).toBe(0)
      const target = stage.getByRole('textbox', { name: /^Move / })
      await target.fill('1.5')
      await target.press('Enter')
      await until(async () => Math.abs((await numberIn(stage.locator('[data-main-value]'))) - 1.5) < 0.001, {
        deadlineMs: ACTION_DEADLINE_MS,
        what: 'the stage at 1.5',
      })
      expect(await stage.getByRole('alert').count()).toBe(0)
    },
    SCAN_DEADLINE_MS,
  )

  test('says in words why a move is refused, beside the control, and nothing moves', async () => {
    const stage = movable()
    const before = await numberIn(stage.locator('[data-main-value]'))
    const target = stage.getByRole('textbox', { name: /^Move / })
    await target.fill('100000')
    await target.press('Enter')
    const refusal = stage.getByRole('alert')
    await refusal.waitFor()
    expect(await refusal.getAttribute('data-code')).toBe('LIMIT_VIOLATION')
    expect(await refusal.textContent()).toMatch(/100000/)
    expect(await numberIn(stage.locator('[data-main-value]'))).toBeCloseTo(before, 1)
    await refusal.getByRole('button', { name: 'Dismiss' }).click()
    await target.fill('')
  })

  test(
    'starts a session and a scan, and its curve grows point by point',
    async () => {
      await page.getByLabel('Title').fill('A session of the test')
      await page.getByRole('button', { name: 'Start session' }).click()
      await panel('session').locator('[data-session="A session of the test"]').waitFor()
      const release = panel('queue').getByRole('button', { name: 'Release queue' })
      if ((await release.count()) > 0) await release.click()
      const form = panel('scan').getByRole('form', { name: 'New run' })
      await choose(form.getByRole('combobox', { name: 'Scan' }), /^Stage X$/)
      await form.getByLabel('From').fill('1')
      await form.getByLabel('To', { exact: true }).fill('3')
      await form.getByLabel('Points').fill('9')
      await form.getByRole('button', { name: 'Start scan' }).click()
      const curve = panel('scan').locator('[data-curve-run]')
      const rows = async () => Number(await curve.getAttribute('data-rows'))
      await until(async () => (await rows()) >= 2, { deadlineMs: SCAN_DEADLINE_MS, what: 'the first points' })
      await until(async () => (await rows()) === 9, { deadlineMs: SCAN_DEADLINE_MS, what: 'all nine points' })
      await curve.getByText('completed', { exact: true }).waitFor()
      expect(await curve.locator('.uplot canvas').count()).toBe(1)
    },
    2 * SCAN_DEADLINE_MS,
  )

  test(
    'shows the camera live, with its rate',
    async () => {
      const camera = panel('camera')
      await camera.getByRole('button', { name: 'Start live' }).click()
      await until(async () => Number(await camera.locator('[data-frames]').getAttribute('data-frames')) > 5, {
        deadlineMs: ACTION_DEADLINE_MS,
        what: 'frames on the canvas',
      })
      expect(await camera.locator('[data-fact="rate"]').textContent()).toMatch(/\d Hz/)
      await camera.getByRole('button', { name: 'Stop live' }).click()
      await camera.getByRole('button', { name: 'Start live' }).waitFor()
    },
    SCAN_DEADLINE_MS,
  )

  test(
    'exports a dataset as CSV with a progress bar, and the file downloads',
    async () => {
      const datasets = panel('datasets')
      await datasets.locator('[data-dataset] button').last().click()
      await datasets.locator('.uplot canvas').first().waitFor()
      await choose(datasets.getByRole('combobox', { name: 'Export format' }), /^CSV/)
      await datasets.getByRole('button', { name: 'Export', exact: true }).click()
      const link = datasets.getByRole('link', { name: /^Download .*\.csv/ })
      await link.waitFor({ timeout: SCAN_DEADLINE_MS })
      const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
      const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\r\n')
      expect(lines).toHaveLength(10)
      expect(lines[0]).toMatch(/mm/)
    },
    2 * SCAN_DEADLINE_MS,
  )

  test(
    'records frames, and one of them is shown',
    async () => {
      const form = panel('scan').getByRole('form', { name: 'New run' })
      await form.getByText('Record frames', { exact: true }).click()
      await form.getByRole('textbox', { name: 'Frames' }).fill('12')
      await form.getByRole('button', { name: 'Start recording' }).click()
      const frames = panel('datasets').locator('[data-dataset]', { hasText: 'frames' }).filter({ hasText: 'complete' })
      await frames.getByRole('button').click({ timeout: SCAN_DEADLINE_MS })
      const picture = panel('datasets').getByRole('img', { name: /^Frame 0 of / })
      await until(() => picture.evaluate((image) => image instanceof HTMLImageElement && image.complete && image.naturalWidth > 0), {
        deadlineMs: ACTION_DEADLINE_MS,
        what: 'the pixels of the first frame',
      })
      await panel('datasets').getByText('Frame 1 of 12').waitFor()
    },
    2 * SCAN_DEADLINE_MS,
  )

  test(
    'finds a laser that was plugged in, registers it, tunes it, and lets its light out in two steps',
    async () => {
      const folder = path.join(lab.dataDir, 'lab')
      laser = await maiTai.start({ folder, name: 'maitai', seed: 1, timeFactor: 100 })
      await writeEntry(folder, 'maitai', laser.entry)
      const discovery = panel('discovery')
      const find = discovery.getByRole('button', { name: /^(Find devices|Looking)$/ })
      const row = discovery.locator('[data-found="sim://maitai"]')
      // A busy machine may answer too late to be heard: a person looks again, too.
      const answered = async (): Promise<boolean> => {
        await find.click()
        await until(async () => (await find.getAttribute('aria-busy')) === null, { deadlineMs: SCAN_DEADLINE_MS, what: 'the end of the search' })
        return (await row.textContent())?.includes('Spectra') === true
      }
      await until(answered, { deadlineMs: SCAN_DEADLINE_MS, what: 'the laser is found' })
      expect(await discovery.locator('[data-known]').count()).toBeGreaterThan(3)
      await row.getByRole('button', { name: /^Register what/ }).click()
      await row.getByLabel('Name').fill('new-laser')
      await row.getByRole('button', { name: 'Register', exact: true }).click()
      await discovery.locator('[data-known="new-laser"]').waitFor({ timeout: SCAN_DEADLINE_MS })

      const card = page.locator('[data-device="new-laser"][data-connection="CONNECTED"]')
      await card.getByRole('textbox', { name: 'Tune new-laser to' }).fill('850')
      await card.getByRole('button', { name: 'Tune' }).click()
      await until(async () => Math.abs((await numberIn(card.locator('[data-wavelength] .value'))) - 850) < 1, {
        deadlineMs: ACTION_DEADLINE_MS,
        what: 'light of 850 nm',
      })
      await card.getByRole('button', { name: 'Switch on the emission of new-laser' }).click()
      expect(await card.locator('[data-emission]').getAttribute('data-emission')).toBe('off') // asked first
      await card.getByRole('button', { name: 'Switch on', exact: true }).click()
      await card.locator('[data-emission="on"]').waitFor()
      await card.getByRole('button', { name: 'Open the shutter of new-laser' }).click()
      await card.locator('[data-shutter="open"]').waitFor()
      expect(await card.getByRole('alert').count()).toBe(0)
    },
    2 * SCAN_DEADLINE_MS,
  )

  test('every panel can be reached and shown alone by the keyboard', async () => {
    await page.locator('body').press('2')
    await page.locator('[data-panel="devices"][data-solo]').waitFor()
    await page.locator('body').press('0')
    await panel('scan').waitFor()
    await page.reload()
    await movable().waitFor()
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to the panels')
    await page.keyboard.press('Enter')
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('main')
  })

  test('on a phone the head is low, the tab of the panel is in sight, and what is in order is one line until it is asked for', async () => {
    const phone = { width: 390, height: 844 }
    await page.setViewportSize(phone)
    await page.evaluate(() => location.assign('#health'))
    await page.locator('[data-panel="health"][data-solo]').waitFor()
    const head = await page.locator('header').first().boundingBox()
    expect(head?.height).toBeLessThan(120)
    const tab = page.getByRole('navigation', { name: 'Panels' }).getByRole('link', { name: 'Health', exact: true })
    await until(
      async () => {
        const { x = -1, width = 0 } = (await tab.boundingBox()) ?? {}
        return x >= 0 && x + width <= phone.width
      },
      { deadlineMs: ACTION_DEADLINE_MS, what: 'the tab in sight' },
    )
    await panel('health')
      .getByText(/^\d+ more in order$/)
      .click()
    await panel('health').getByText('station local: device camera').waitFor()
    expect(await accessibilityViolations(page)).toEqual([])
    await page.evaluate(() => location.assign('#overview'))
    await movable().waitFor()
    expect(await accessibilityViolations(page)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0)
    await page.setViewportSize({ width: 1440, height: 900 })
  })

  test.each(['dark', 'light'] as const)(
    'axe-core finds nothing to mend: %s, on a desk and on a tablet',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme })
      await page.locator(`html[data-mantine-color-scheme="${colorScheme}"]`).waitFor()
      await openEverything()
      for (const width of [1440, 820]) {
        await page.setViewportSize({ width, height: 1000 })
        expect(await accessibilityViolations(page)).toEqual([])
        expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), `no sideways scrolling at ${width}`).toBeLessThanOrEqual(0)
      }
      await page.setViewportSize({ width: 1440, height: 900 })
      await page.locator('body').press('?')
      await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
      expect(await accessibilityViolations(page)).toEqual([])
      await page.getByRole('button', { name: 'Close', exact: true }).click()
    },
    SCAN_DEADLINE_MS,
  )

  test(
    'the emergency stop works while the WebSocket is lost; then the page comes back by itself',
    async () => {
      await socket.cut()
      await page.getByText('Connection lost').waitFor()
      await page.getByRole('button', { name: 'Emergency stop' }).click()
      await page.locator('[data-emergency="active"]').waitFor()
      expect(await stopped()).toEqual([true])
      expect(await accessibilityViolations(page)).toEqual([])
      socket.mend()
      await page.getByText('Connection lost').waitFor({ state: 'hidden' })
      await page.locator('[data-connection="LIVE"]').waitFor()
      const stage = movable()
      await stage.getByRole('textbox', { name: /^Move / }).fill('2')
      await stage.getByRole('button', { name: 'Move', exact: true }).click()
      await stage.locator('[role="alert"][data-code="EMERGENCY_STOPPED"]').waitFor()
      await page.getByRole('button', { name: 'Release…' }).click()
      await page.getByRole('button', { name: 'Release: it is safe to move' }).click()
      await page.locator('[data-emergency="active"]').waitFor({ state: 'detached' })
      expect(await stopped()).toEqual([false])
    },
    SCAN_DEADLINE_MS,
  )

  test('nothing failed in the page meanwhile', () => expect(failures).toEqual([]))

  /** What is folded away at first: a device's parameters, a dataset of each kind, the camera's levels by hand. */
  async function openEverything(): Promise<void> {
    const closed = [movable().getByRole('button', { name: /parameters$/, expanded: false }), panel('datasets').getByRole('button', { expanded: false }).first()]
    for (const button of closed) if ((await button.count()) > 0) await button.click()
    const automatic = panel('camera').getByLabel('Automatic levels')
    await automatic.setChecked(false)
    await panel('datasets').getByRole('combobox', { name: 'Export format' }).waitFor()
  }

  async function stopped(): Promise<boolean[]> {
    const answer = await query<{ lab: { stations: { emergencyStop: { active: boolean } }[] } }>(lab.url, '{ lab { stations { emergencyStop { active } } } }')
    return answer.lab.stations.map((station) => station.emergencyStop.active)
  }

  async function choose(combobox: Locator, name: RegExp): Promise<void> {
    await combobox.click()
    await page.getByRole('option', { name }).click()
  }
})
