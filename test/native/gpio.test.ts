import { beforeAll, describe, expect, test } from 'vitest'
import { rampOf } from '../../drivers/dome-rotator/ramp.ts'
import { fakeKernel, whyNoFakeKernel } from './kernel.ts'

const why = await whyNoFakeKernel()
const OUTPUT = 8
const INPUT_PULLED_UP = 4 | 256

type Made = { readonly steps: number; readonly stopped: boolean; readonly failure?: string }
type Printed = { readonly made: Made; readonly stopped: Made; readonly failed: Made; readonly stopTookMs: number }

describe.skipIf(why !== undefined)(`GPIO lines, in the kernel's own structures${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let printed: Printed
  let told: readonly string[]

  beforeAll(async () => {
    await using kernel = await fakeKernel()
    const result = await kernel.run('kernel-gpio.ts')
    printed = result.printed as Printed
    told = result.told
  })

  test('a switch is read, pulled up, under our name', () => {
    expect(printed).toMatchObject({ chip: `gpiochip9 [${'l'.repeat(32)}] (32 lines)`, level: true, closed: 'these GPIO lines are closed' })
    expect(told[0]).toBe('open /dev/gpiochip9')
    expect(told).toContain(`line 27 flags ${INPUT_PULLED_UP} consumer kymograph`)
  })

  test('step and direction are requested together, low at first', () => {
    expect(told).toContain(`line 18 flags ${OUTPUT} consumer kymograph`)
    expect(told).toContain(`line 17 flags ${OUTPUT} consumer kymograph`)
    expect(told).toContain('attribute 2 mask 3 values 0')
  })

  test('exactly so many steps are made, each after its delay of the ramp', () => {
    expect(printed.made).toMatchObject({ steps: 1200, stopped: false })
    const rises = told.filter((line) => line.startsWith('rise ')).map((line) => line.split(' ').slice(1).map(Number))
    const move = rises.slice(0, 1200)
    expect(move.map(([, steps]) => steps)).toEqual(Array.from({ length: 1200 }, (_, at) => at + 1))
    const { risingUs, fallingUs, cruiseUs } = rampOf(1200, 260, 'SCURVE')
    const delays = [...risingUs, ...new Array<number>(200).fill(cruiseUs), ...fallingUs]
    const gapUs = (at: number): number => ((move[at + 1]?.[0] ?? 0) - (move[at]?.[0] ?? 0)) / 1000
    // A busy machine makes single steps late; no motor follows one that comes much too soon to make up for it.
    for (let at = 0; at < 1199; at += 1) expect(gapUs(at), `after step ${at}`).toBeGreaterThan((delays[at] ?? 0) * 0.9 - 1)
  })

  test('a stop ends the move between two steps, and the steps are counted', () => {
    expect(printed.stopped.stopped).toBe(true)
    expect(printed.stopped.steps).toBeGreaterThan(99)
    expect(printed.stopped.steps).toBeLessThan(1_000_000)
    const rises = told.filter((line) => line.startsWith('rise '))
    expect(rises).toHaveLength(1200 + printed.stopped.steps)
    expect(rises.at(-1)?.split(' ').at(-1)).toBe(String(1200 - printed.stopped.steps))
  })

  test('one move at a time, no delay that no motor follows, and errors with their reason', () => {
    expect(printed).toMatchObject({
      busy: 'a move is under way',
      tooFast: expect.stringContaining('50 to 1000000 microseconds'),
      afterClose: 'these GPIO lines are closed',
      failed: { steps: 0, failure: expect.stringContaining('Input/output error') },
      taken: expect.stringContaining('Device or resource busy'),
      none: expect.stringContaining('has no line 99'),
      noChip: expect.stringContaining('/dev/null is not a GPIO chip'),
    })
  })

  test('chips are closed once their lines are had, and lines when they are done with', () => {
    const opened = told.filter((line) => line === 'open /dev/gpiochip9').length
    expect(told.filter((line) => line === 'close chip')).toHaveLength(opened)
    expect(told.filter((line) => line === 'close lines')).toHaveLength(3)
  })
})

describe.skipIf(why !== undefined)('a dome on GPIO lines and spidev', () => {
  test('turns over its switch, and its encoder agrees with its steps', async () => {
    await using kernel = await fakeKernel()
    const { printed, told } = await kernel.run('kernel-dome.ts', { KERNEL_SHIM_AZIMUTH: '44.5' })
    const { after, steps } = printed as { after: { value: number }; steps: { value: number } }
    expect(printed).toMatchObject({
      identity: expect.stringMatching(/^step and direction on lines 18 and 17 of gpiochip9 .*; EMS22A encoder$/),
      before: { value: expect.closeTo(44.7, 1), quality: 'UNCERTAIN' },
      busy: 'DEVICE_BUSY',
      calibrated: { value: true },
      failed: { value: 0 },
    })
    // Ten steps of 10 ms warm the motor up, before the ramp.
    const roseAtNs = told.filter((line) => line.startsWith('rise ')).map((line) => Number(line.split(' ')[1]))
    for (let at = 0; at < 10; at += 1) expect((roseAtNs[at + 1] ?? 0) - (roseAtNs[at] ?? 0), `after step ${at}`).toBeGreaterThan(9e6)
    // The start was 0.2 deg off; the switch has put it right, within its own width.
    const truth = 44.5 + steps.value / 5394.07
    expect(Math.abs(truth - after.value)).toBeLessThan(0.3)
    expect(Math.abs(after.value - 45.3)).toBeLessThan(0.15)
  })
})
