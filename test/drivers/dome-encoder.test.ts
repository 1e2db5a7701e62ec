import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Alignment, decodeFrame, encodeFrame, HEALTHY, legacyRaw } from '../../drivers/dome-rotator/ems22a.ts'
import { DomeEncoder } from '../../drivers/dome-rotator/encoder.ts'
import { RecalibrationSwitch } from '../../drivers/dome-rotator/recalibration-switch.ts'
import { SimulatedDome } from '../../drivers/dome-rotator/simulated-dome.ts'
import { WheelCount } from '../../drivers/dome-rotator/wheel-count.ts'
import { until } from '../until.ts'

const bytesOf = (word: number): Uint8Array => Uint8Array.of(word >> 8, word & 0xff)
const HEALTHY_WORDS = [
  [0, 0x0021, 1],
  [1, 0x0060, 3],
  [341, 0x5560, 683],
  [511, 0x7fe0, 1023],
  [512, 0x8020, 1],
  [682, 0xaaa0, 341],
  [1023, 0xffe1, 1023],
] as const

describe('a frame of the EMS22A', () => {
  test.each(HEALTHY_WORDS)('of position %d is %i', (position, word) => {
    expect(encodeFrame(position)).toBe(word)
    expect(decodeFrame(bytesOf(word), 'standard')).toEqual({ counts: 2 * position, raw: position })
  })

  test.each(HEALTHY_WORDS)('of position %d read one bit late is the same position, and raw as DriftApp has it', (position, word, raw) => {
    expect(decodeFrame(bytesOf(word >> 1), 'legacy')).toEqual({ counts: 2 * position, raw })
  })

  test.each([
    ['20 00', 512],
    ['3F F0', 1023],
    ['00 10', 1],
    ['12 34', 291],
    ['FF FF', 1023],
    ['E0 0F', 512],
  ])("DriftApp's decoder makes of %s %d", (hex, raw) => {
    expect(legacyRaw(Buffer.from(hex.replace(' ', ''), 'hex'))).toBe(raw)
  })

  test('with an alarm is none, or a doubtful one', () => {
    const standard = (word: number) => decodeFrame(bytesOf(word), 'standard')
    expect(standard(encodeFrame(5, { ...HEALTHY, finished: false }))).toEqual({ fault: 'not-ready' })
    expect(standard(encodeFrame(5, { ...HEALTHY, overflow: true }))).toEqual({ fault: 'overflow' })
    expect(standard(encodeFrame(5, { ...HEALTHY, linearity: true }))).toEqual({ counts: 10, raw: 5, doubtful: 'linearity' })
    expect(standard(encodeFrame(5, { ...HEALTHY, increasing: true, decreasing: true }))).toEqual({ counts: 10, raw: 5, doubtful: 'field' })
    expect(standard(encodeFrame(5, { ...HEALTHY, increasing: true }))).toEqual({ counts: 10, raw: 5 })
    expect(decodeFrame(Uint8Array.of(1), 'standard')).toEqual({ fault: 'short' })
    expect(decodeFrame(Uint8Array.of(1, 2, 3), 'standard')).toEqual({ fault: 'short' })
    expect(standard(0xffff)).toEqual({ fault: 'overflow' }) // a line that hangs high
    expect(standard(0x0000)).toEqual({ fault: 'not-ready' }) // and low
    for (const word of [encodeFrame(5, { ...HEALTHY, finished: false }), encodeFrame(9, { ...HEALTHY, overflow: true })])
      expect(decodeFrame(bytesOf(word >> 1), 'legacy')).toHaveProperty('fault')
  })

  test('with one wrong bit is never a position', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1023 }), fc.integer({ min: 0, max: 15 }), (position, bit) => {
        expect(decodeFrame(bytesOf(encodeFrame(position) ^ (1 << bit)), 'standard')).toEqual({ fault: 'parity' })
      }),
    )
  })

  test('any two bytes are a position in range or a fault', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4 }), fc.constantFrom<Alignment>('standard', 'legacy'), (bytes, alignment) => {
        const frame = decodeFrame(bytes, alignment)
        if ('fault' in frame) return
        expect(frame.counts).toBeGreaterThanOrEqual(0)
        expect(frame.counts).toBeLessThan(2048)
      }),
    )
  })
})

describe('the count of the wheel', () => {
  const OPTIONS = { factor: 0.0108514, sign: -1, switchTotal: -11_795, fastest: 1.3 } as const
  const at = (counts: number) => ({ counts: ((counts % 2048) + 2048) % 2048, raw: 0 })
  const SAMPLE = 0.02

  /** Samples along a way, fifty a second. */
  function follow(count: WheelCount, from: number, to: number, startSeconds = 0, step = 10): number {
    let seconds = startSeconds
    for (let counts = from; counts !== to; counts += Math.sign(to - from) * Math.min(step, Math.abs(to - counts))) {
      count.take(at(counts), seconds, true)
      seconds += SAMPLE
    }
    for (let again = 0; again < 5; again += 1) {
      seconds += SAMPLE
      count.take(at(to), seconds, false)
    }
    return seconds
  }

  function azimuth(count: WheelCount, seconds: number): number {
    const reading = count.azimuth(seconds)
    return 'azimuth' in reading ? reading.azimuth : expect.fail(reading.bad)
  }

  test('knows no azimuth before it was told one, and 44.997 deg at the switch', () => {
    const count = new WheelCount(OPTIONS)
    expect(count.azimuth(0)).toHaveProperty('bad')
    count.take(at(100), 0, false)
    expect(count.azimuth(0)).toEqual({ bad: 'the azimuth is not known: calibrate at the switch, or set it' })
    count.atSwitch()
    expect(azimuth(count, 0.1)).toBeCloseTo(44.997, 3)
    expect(count.azimuth(0.1)).not.toHaveProperty('doubtful')
  })

  test('unwraps 46 turns of the wheel into one of the dome', () => {
    const count = new WheelCount(OPTIONS)
    count.take(at(0), 0, false)
    count.set(0, true)
    const perTurn = Math.round(360 / ((360 * OPTIONS.factor) / 1024))
    expect(Math.round(perTurn / 10)).toBe(Math.round(94_366 / 10)) // as documented, in DriftApp's counts
    const seconds = follow(count, 0, -Math.round(perTurn / 4))
    expect(azimuth(count, seconds)).toBeCloseTo(90, 2)
    const later = follow(count, -Math.round(perTurn / 4), -perTurn, seconds)
    const whole = azimuth(count, later)
    expect(Math.min(whole, 360 - whole)).toBeLessThan(0.01)
  })

  test('what was remembered is taken up at the first good frame, however late it comes', () => {
    const count = new WheelCount(OPTIONS)
    count.take({ fault: 'parity' }, 0, false)
    count.resume(100, 2040)
    expect(count.azimuth(0)).toHaveProperty('bad')
    count.take(at(16), 0.02, false) // by hand, over the wheel's zero
    const degreesPerCount = (360 / 1024) * OPTIONS.factor
    expect(azimuth(count, 0.02)).toBeCloseTo(100 - 24 * degreesPerCount, 6)
    expect(count.calibrated).toBe(false)
    count.take(at(20), 0.04, false)
    count.take(at(20), 0.06, false)
    expect(azimuth(count, 0.06)).toBeCloseTo(100 - 28 * degreesPerCount, 6)
  })

  test('a reading is stale after half a second, with the reason', () => {
    const count = new WheelCount(OPTIONS)
    count.take(at(0), 0, false)
    count.set(10, true)
    expect(count.azimuth(0.49)).toHaveProperty('azimuth')
    count.missed('input/output error')
    expect(count.azimuth(0.6)).toEqual({ bad: "the encoder's last position is 0.6 s old (input/output error)" })
    count.take({ fault: 'parity' }, 0.61, false)
    expect(count.azimuth(0.61)).toEqual({ bad: "the encoder's last position is 0.6 s old (a frame with wrong parity)" })
    expect(count.counters).toMatchObject({ good: 1, parity: 1, unanswered: 1 })
  })

  test('an alarm of the linearity makes the azimuth doubtful, and it goes on', () => {
    const count = new WheelCount(OPTIONS)
    count.take(at(0), 0, false)
    count.set(10, true)
    count.take({ ...at(2), doubtful: 'linearity' }, 0.02, false)
    expect(count.azimuth(0.03)).toMatchObject({ doubtful: 'linearity alarm' })
    count.take(at(2), 0.04, false)
    expect(count.azimuth(0.05)).not.toHaveProperty('doubtful')
  })

  test('a jump is not followed, and said; one that stays costs the calibration', () => {
    const count = new WheelCount(OPTIONS)
    count.take(at(0), 0, false)
    count.set(10, true)
    count.take(at(600), 0.02, false) // 105 deg of the wheel
    expect(count.azimuth(0.03)).toMatchObject({ doubtful: 'the encoder jumped' })
    expect(azimuth(count, 0.03)).toBeCloseTo(10, 6)
    count.take(at(0), 0.04, false)
    expect(count.azimuth(0.05)).not.toHaveProperty('doubtful')
    for (let sample = 0; sample < 6; sample += 1) count.take(at(600), 0.06 + sample * SAMPLE, false)
    expect(count.azimuth(0.2)).toMatchObject({ doubtful: 'not calibrated' })
    expect(azimuth(count, 0.2)).toBeCloseTo(10, 6)
    expect(count.calibrated).toBe(false)
    expect(count.counters.jump).toBe(6)
  })

  test('a gap in which the wheel may have gone round costs the calibration, a standing dome keeps it', () => {
    for (const moved of [true, false]) {
      const count = new WheelCount(OPTIONS)
      count.take(at(0), 0, false)
      count.set(10, true)
      count.take(at(500), 5, moved)
      expect(count.calibrated).toBe(!moved)
    }
  })

  test('a lonely wrong value does not get through the median', () => {
    const count = new WheelCount(OPTIONS)
    for (let sample = 0; sample < 5; sample += 1) count.take(at(0), sample * SAMPLE, false)
    count.set(10, true)
    for (const counts of [0, 0, 0, 100, 0]) count.take(at(counts), 0.1, false)
    expect(azimuth(count, 0.1)).toBeCloseTo(10, 6)
  })

  test.each(['standard', 'legacy'] as const)('follows the simulated dome, its frames read %s', (alignment) => {
    const dome = new SimulatedDome({ random: () => 0.5, noise: 0, azimuth: 0, slip: 0, backlash: 0 })
    const count = new WheelCount(OPTIONS)
    const sample = (seconds: number): void => count.take(decodeFrame(dome.frame(alignment === 'legacy' ? 0 : 1), alignment), seconds, true)
    sample(0)
    count.set(0, true)
    for (let step = 1; step <= 5000; step += 1) {
      dome.step(77) // 0.7 deg/s
      sample(step * SAMPLE)
    }
    // The wheel's 50 mm on 2303 mm and DriftApp's factor differ by 0.04 %.
    expect(Math.abs(azimuth(count, 100) - dome.azimuth)).toBeLessThan(0.06)
    expect(count.counters).toMatchObject({ jump: 0, parity: 0 })
  })
})

describe('the encoder, fifty times a second', () => {
  test('is opened again after five errors in a row, and closed as often as opened', async () => {
    let [opened, closed, asked] = [0, 0, 0]
    const count = new WheelCount({ factor: 0.0108514, sign: -1, switchTotal: -11_795, fastest: 1.3 })
    const encoder = await DomeEncoder.open(count, {
      alignment: 'standard',
      steps: () => 0,
      open: async () => {
        opened += 1
        const broken = opened === 1
        return {
          simulated: false,
          transfer: async () => {
            asked += 1
            if (broken) throw new Error('input/output error')
            return bytesOf(encodeFrame(7))
          },
          [Symbol.asyncDispose]: async () => {
            closed += 1
          },
        }
      },
    })
    await until(() => count.raw === 7)
    expect({ opened, closed, unanswered: count.counters.unanswered }).toEqual({ opened: 2, closed: 1, unanswered: 5 })
    expect(asked).toBeGreaterThan(5)
    await encoder[Symbol.asyncDispose]()
    expect(closed).toBe(2)
  })
})

test('whether the motor has turned is asked since the last good frame, also over bad ones', async () => {
  const frames = [encodeFrame(7), encodeFrame(7) ^ 1, encodeFrame(7), encodeFrame(7)]
  const steps = [0, 500, 500, 500]
  let sample = 0
  const moved: boolean[] = []
  const count = new WheelCount({ factor: 0.0108514, sign: -1, switchTotal: -11_795, fastest: 1.3 })
  const take = count.take.bind(count)
  count.take = (frame, seconds, since) => {
    if (moved.length < frames.length) moved.push(since)
    take(frame, seconds, since)
  }
  await using _encoder = await DomeEncoder.open(count, {
    alignment: 'standard',
    steps: () => steps[Math.min(sample - 1, 3)] ?? 0,
    open: async () => ({
      simulated: false,
      transfer: async () => {
        sample += 1
        return bytesOf(frames[Math.min(sample - 1, 3)] ?? 0)
      },
      [Symbol.asyncDispose]: async () => undefined,
    }),
  })
  await until(() => moved.length === frames.length)
  expect(moved).toEqual([false, true, true, false])
})

describe('the recalibration switch', () => {
  test('counts presses only, once in two seconds, and not the level it starts with', () => {
    const started = new RecalibrationSwitch()
    expect(started.take(false, 0)).toBe(false)
    const it = new RecalibrationSwitch()
    const taken = [
      [true, 0],
      [false, 0.02],
      [true, 0.04],
      [false, 0.06],
      [false, 3],
      [true, 3.1],
      [false, 3.2],
    ] as const
    expect(taken.map(([level, seconds]) => it.take(level, seconds))).toEqual([false, true, false, false, false, false, true])
  })
})
