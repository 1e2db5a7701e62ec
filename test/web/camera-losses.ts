import { expect, test } from 'vitest'
import { until } from '../until.ts'
import { type CameraBench, LOSE_EVERY, RATE_HZ, SENSOR_SIDE } from './camera-bench.ts'

const STALL_FRAMES = 30 // of 512 x 512: 16 MB, more than the sockets on the way hold
const STALL_RATE_HZ = 20
const DEADLINE_MS = 40_000

/** Every frame that the camera lost, or that the page has not shown, is counted: once, and by the frame after it. */
export function lossTests(bench: () => CameraBench): void {
  test('frames come, are drawn by the graphics card, and it says how many, how old, and how many the camera has lost', async () => {
    expect(await bench().attribute('figure', 'data-painter')).toBe('webgl2')
    expect(await bench().fact('age')).toMatch(/^[\d.]+ m?s$/)
    const first = Number(await bench().fact('frame'))
    for (const later of [first, first + 15, first + 30]) {
      await bench().becomes(`frame ${later}`, async () => Number(await bench().fact('frame')) > later)
      const { frame = -1, dropped } = await bench().facts()
      expect(dropped, `lost before frame ${frame}`).toBe(Math.floor((frame + 1) / LOSE_EVERY))
    }
  })

  test('the rate is that at which frames come', async () => {
    using frames = await bench().watch('PREVIEW', RATE_HZ)
    await bench().becomes('the same rate', async () => {
      const rateHz = Number.parseFloat(await bench().fact('rate'))
      return rateHz > RATE_HZ / 2 && Math.abs(rateHz - frames.rateHz()) < 1
    })
  })

  test('a page that stands still for a while says how many frames it has not drawn, and shows a fresh one', async () => {
    const before = Number(await bench().fact('skipped'))
    await bench().page.evaluate(() => {
      const untilMs = performance.now() + 1500
      while (performance.now() < untilMs) performance.now()
    })
    await bench().becomes('frames that were passed over', async () => Number(await bench().fact('skipped')) > before + 2)
    await bench().becomes('a fresh frame', async () => / ms$/.test(await bench().fact('age')))
  })

  test(
    'a network that is too slow for the frames costs the page those, which it counts to the last one, and no others',
    async () => {
      const { page, camera, proxy } = bench()
      await bench().choose(camera.getByRole('combobox', { name: /At most so many/ }), `≤ ${STALL_RATE_HZ} Hz`)
      await bench().quality('Full', SENSOR_SIDE) // asked for last, and seen: the page has the rate too
      using frames = await bench().watch('FULL', STALL_RATE_HZ)
      const { x, y, width, height } = await bench().picture()
      await page.mouse.move(x + width / 2, y + height / 2)
      const shown = await shownSequences()
      const start = await until(async () => {
        const facts = await bench().facts()
        const frame = facts['frame'] ?? -1
        // The facts are older than the picture: of a frame from before the watch, those drawn between the two would be missed.
        return frames.seen.has(frame) && (await shown.evaluate((set, sequence) => set.has(sequence), frame)) && facts
      })

      proxy.stall()
      const atStall = frames.received()
      await bench().becomes('frames that do not get through', async () => frames.received() > atStall + STALL_FRAMES)
      const stalled = [...frames.seen.keys()].at(-1) ?? 0
      proxy.flow()
      const end = await until(
        async () => {
          const facts = await bench().facts()
          return (facts['frame'] ?? 0) > stalled && frames.seen.has(facts['frame'] ?? -1) && facts
        },
        { deadlineMs: DEADLINE_MS, what: 'a frame from after the stall' },
      )

      const between = (sequence: number) => sequence > (start['frame'] ?? 0) && sequence < (end['frame'] ?? 0)
      const sent = [...frames.seen.keys()].filter(between)
      const drawn = new Set((await shown.evaluate((set) => [...set])).filter(between))
      expect(frames.skipped(), 'by the test itself').toBe(0)
      expect((end['skipped'] ?? 0) - (start['skipped'] ?? 0)).toBe(sent.length - drawn.size)
      expect(sent.length - drawn.size).toBeGreaterThan(STALL_FRAMES / 2)

      await bench().quality('Preview', SENSOR_SIDE / 2)
      expect(Number(await bench().fact('skipped')), 'another quality forgets none').toBeGreaterThanOrEqual(end['skipped'] ?? 0)
      await bench().choose(camera.getByRole('combobox', { name: /At most so many/ }), `≤ ${RATE_HZ} Hz`)
    },
    2 * DEADLINE_MS,
  )

  /** Which frames the page shows from now on. */
  async function shownSequences() {
    return await bench()
      .camera.locator('[data-readout]')
      .evaluateHandle((readout) => {
        const shown = new Set<number>()
        new MutationObserver(() => shown.add(Number(readout.getAttribute('data-sequence')))).observe(readout, { attributeFilter: ['data-sequence'] })
        return shown
      })
  }
}
