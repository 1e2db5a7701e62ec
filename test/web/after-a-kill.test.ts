import { expect, test } from 'vitest'
import { query } from '../harness/graphql.ts'
import { startWholeLab } from '../harness/lab.ts'
import { BACK_WITHIN_MS, kill, scanPlan, startRun, untilConnected, untilOver } from '../survival/lab-at-work.ts'
import { until } from '../until.ts'
import { findChromium, launch } from './browser.ts'

const POINTS = 25

test('kill -9 of the api: the dashboard comes back to the run by itself, with every point of its curve', { timeout: 240_000 }, async ({ skip }) => {
  const executable = findChromium()
  if (executable === undefined) return skip('no Chromium')
  await using lab = await startWholeLab()
  await untilConnected(lab)
  const browser = await launch(executable)
  try {
    const page = await browser.newPage()
    await page.goto(lab.url)
    await page.locator('[data-connection="LIVE"]').waitFor({ timeout: BACK_WITHIN_MS }) // else the run may be over before it is looked at
    const runId = await startRun(lab, scanPlan(3, 4, POINTS))
    const { run } = await query<{ run: { number: number } }>(lab.url, 'query ($id: ID!) { run(id: $id) { number } }', { id: runId })
    const curve = page.locator(`[data-curve-run="${run.number}"]`)
    const rows = async (): Promise<number> => Number(await curve.getAttribute('data-rows', { timeout: BACK_WITHIN_MS }))
    await until(async () => (await rows()) >= 3, { deadlineMs: BACK_WITHIN_MS, what: 'the first points of the curve' })
    await page.evaluate(() => document.body.setAttribute('data-same-page', ''))
    expect(await rows()).toBeLessThan(POINTS)
    await kill(lab, 'api')
    expect(await untilOver(lab, runId)).toMatchObject({ state: 'COMPLETED', points: POINTS })
    await until(async () => (await rows()) === POINTS, { deadlineMs: BACK_WITHIN_MS, what: 'the whole curve' })
    await curve.getByText('completed', { exact: true }).waitFor({ timeout: BACK_WITHIN_MS })
    await page.locator('[data-connection="LIVE"]').waitFor({ timeout: BACK_WITHIN_MS })
    expect(await page.locator('[data-same-page]').count()).toBe(1)
  } finally {
    await browser.close()
  }
})
