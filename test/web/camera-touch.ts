import type { CDPSession } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type CameraBench, SENSOR_SIDE } from './camera-bench.ts'

type Place = { readonly x: number; readonly y: number }
/** What a screen tells. */
const rounded = ({ x, y }: Place): Place => ({ x: Math.round(x), y: Math.round(y) })
const STEPS = 6 // of each finger's way: a hand moves in many small ones

/** Fingers on the picture, as a screen tells the browser of them. */
export function touchTests(bench: () => CameraBench): void {
  describe('by touch', () => {
    let screen: CDPSession

    beforeAll(async () => {
      screen = await bench().page.context().newCDPSession(bench().page)
      await screen.send('Emulation.setTouchEmulationEnabled', { enabled: true, maxTouchPoints: 5 })
      await bench().tool('Move')
      await bench().page.mouse.move(0, 0)
    })

    afterAll(async () => {
      await screen?.send('Emulation.setTouchEmulationEnabled', { enabled: false })
      await screen?.detach()
    })

    const pixel = () => bench().attribute('[data-readout]', 'data-pixel')
    const numbers = async (selector: string, name: string) => (await bench().attribute(selector, name)).split(',').map(Number)
    /** Sensor pixels from what is read to there, along the longer side. */
    const farFrom = async (there: readonly number[]) => {
      const here = await numbers('[data-readout]', 'data-pixel')
      return Math.max(...here.map((along, at) => Math.abs(along - (there[at] ?? 0))))
    }
    const middle = async (): Promise<Place> => {
      const { x, y, width, height } = await bench().picture()
      return { x: x + width / 2, y: y + height / 2 }
    }
    const fingers = (type: 'touchStart' | 'touchMove' | 'touchEnd', places: readonly Place[]) =>
      screen.send('Input.dispatchTouchEvent', { type, touchPoints: places.map((place, id) => ({ ...rounded(place), id })) })
    /** Put down one after the other, moved together, all lifted. */
    const drag = async (from: readonly Place[], to: readonly Place[]) => {
      await parted(from, to)
      await fingers('touchEnd', [])
    }
    const parted = async (from: readonly Place[], to: readonly Place[]) => {
      for (let down = 1; down <= from.length; down += 1) await fingers('touchStart', from.slice(0, down))
      for (let step = 1; step <= STEPS; step += 1)
        await fingers(
          'touchMove',
          from.map(({ x, y }, at) => ({ x: x + (((to[at]?.x ?? x) - x) * step) / STEPS, y: y + (((to[at]?.y ?? y) - y) * step) / STEPS })),
        )
    }
    const tap = async (place: Place) => {
      await fingers('touchStart', [place])
      await fingers('touchEnd', [])
    }
    const fitted = async () => {
      await bench().camera.getByRole('button', { name: 'Fit the picture' }).click()
      return await bench().zoom()
    }

    test('a tap reads a pixel, and it stays read when the finger is away', async () => {
      const scale = await fitted()
      const { x, y } = await middle()
      const [toX, toY] = [Math.round(x + 40), Math.round(y - 60)]
      await tap({ x: toX, y: toY })
      const there = [toX - x, toY - y].map((offset) => Math.floor(SENSOR_SIDE / 2 + offset / scale))
      await bench().becomes('the pixel', async () => (await pixel()) === there.join())
      expect(await bench().attribute('[data-readout]', 'data-count')).toMatch(/^\d+$/)
    })

    test.each([
      ['sideways', 1, 0],
      ['up and down', 0, 1],
      ['aslant', 0.7, 0.7],
    ])('two fingers that part %s enlarge the picture around what is between them, and the page stays', async (_, across, down) => {
      const before = await fitted()
      const { x, y } = await middle()
      const at = (distance: number) => ({ x: x + across * distance, y: y + down * distance })
      const scrolled = await bench().page.evaluate(() => scrollY)
      await drag([at(-30), at(30)], [at(-90), at(90)])
      await bench().becomes('three times as large', async () => Math.abs((await bench().zoom()) / before - 3) < 0.05)
      expect(await bench().page.evaluate(() => scrollY)).toBe(scrolled)
      await tap(at(0))
      expect(await farFrom([SENSOR_SIDE / 2, SENSOR_SIDE / 2]), 'what was between them is there still').toBeLessThanOrEqual(1)
      await drag([at(-90), at(90)], [at(-60), at(60)])
      await bench().becomes('smaller again', async () => Math.abs((await bench().zoom()) / before - 2) < 0.05)
    })

    test('one finger moves an enlarged picture, which follows it to the pixel; a double tap shows all of it', async () => {
      const before = await fitted()
      const { x, y } = await middle()
      await drag(
        [
          { x: x - 20, y },
          { x: x + 20, y },
        ],
        [
          { x: x - 80, y },
          { x: x + 80, y },
        ],
      )
      await bench().becomes('larger', async () => (await bench().zoom()) > 3 * before)
      await tap({ x, y })
      const taken = await numbers('[data-readout]', 'data-pixel')
      await drag([{ x, y }], [{ x: x + 55, y: y - 45 }])
      expect(await farFrom(taken)).toBeLessThanOrEqual(1)
      await bench().becomes('all of it', async () => {
        await tap({ x, y })
        await tap({ x, y })
        return (await bench().zoom()) === before
      })
    })

    test('the finger that is left of two goes on moving the picture, without a jump', async () => {
      const before = await fitted()
      const { x, y } = await middle()
      const [one, other, end] = [
        { x: x - 100, y },
        { x: x + 100, y },
        { x: x - 60, y: y + 30 },
      ]
      await parted(
        [
          { x: x - 30, y },
          { x: x + 30, y },
        ],
        [one, other],
      )
      await bench().becomes('larger', async () => (await bench().zoom()) > 3 * before)
      await screen.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [{ ...rounded(other), id: 1 }] })
      await fingers('touchMove', [one])
      const taken = await numbers('[data-readout]', 'data-pixel')
      await fingers('touchMove', [end])
      expect(await farFrom(taken)).toBeLessThanOrEqual(1)
      await fingers('touchEnd', [])
    })

    test('a finger draws a region; two enlarge the picture and leave the region as it was', async () => {
      const scale = await fitted()
      await bench().tool('Region')
      const { x, y } = await middle()
      const region = () => bench().attribute('[data-region]', 'data-region')
      await drag([{ x: x - 99 * scale, y: y - 49 * scale }], [{ x: x + 99 * scale, y: y + 49 * scale }])
      await bench().becomes('the region', async () => (await region()) === `${SENSOR_SIDE / 2 - 100},${SENSOR_SIDE / 2 - 50},200,100`)
      const drawn = await region()
      const far = 120 * scale
      await drag(
        [
          { x: x - 50, y: y - far },
          { x: x + 50, y: y - far },
        ],
        [
          { x: x - 100, y: y - far },
          { x: x + 100, y: y - far },
        ],
      )
      await bench().becomes('larger', async () => (await bench().zoom()) > 1.9 * scale)
      expect(await region()).toBe(drawn)
      await bench().camera.getByRole('application').press('Delete')
      await bench().tool('Move')
      await fitted()
    })

    test('a finger sets the white level on the histogram', async () => {
      const plot = await bench().camera.getByRole('img', { name: 'Histogram of the picture' }).boundingBox()
      if (plot === null) throw new Error('the histogram is not there')
      const white = bench().camera.getByRole('slider', { name: 'White level' })
      const to = await numbers('[data-span]', 'data-span')
      const y = plot.y + 20
      await drag([{ x: plot.x + plot.width * 0.75, y }], [{ x: plot.x + plot.width / 2, y }])
      const half = ((to[0] ?? 0) + (to[1] ?? 0)) / 2
      const pixel = (to[1] ?? 0) / plot.width
      await bench().becomes(`a white level of ${half}`, async () => Math.abs(Number(await white.getAttribute('aria-valuenow')) - half) < pixel + 2)
      await bench().camera.getByLabel('Automatic levels').setChecked(true)
    })
  })
}
