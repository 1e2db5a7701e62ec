import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type HardwareState, hardwareState, packState, unpackState } from '../../core/hardware-state.ts'
import type { ParameterSpec } from '../../core/parameter.ts'
import type { ParameterValue, Quality } from '../../core/reading.ts'
import { compareStates, contributionsOf, firstScale, fitScale, projectState, type Scale, type Scales, VECTOR_LENGTH } from '../../core/state-vector.ts'

const SPEC: ParameterSpec = { name: 'x', description: '', kind: 'FLOAT', access: 'READ_ONLY' }
const known = (value: ParameterValue, quality: Quality = 'GOOD') => ({ time: 1n, quality, value }) as const

function state(values: Readonly<Record<number, ParameterValue>>): HardwareState {
  return hardwareState(Object.entries(values).map(([key, value]) => ({ key: Number(key), reading: known(value) })))
}

/** Unlike any of the numbers in the states, so that nothing is hidden by a center. */
function scalesFor(keys: number, slotOf = (key: number) => key): Scales {
  return new Map(Array.from({ length: keys }, (_, key): [number, Scale] => [key, { slot: slotOf(key), center: 0.3 * key, spread: 0.5 + (key % 7) }]))
}

const KEYS = 40
const SCALES = scalesFor(KEYS)
const anyValue = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.string(), fc.array(fc.integer(), { maxLength: 4 }))
const anyState = fc.dictionary(fc.integer({ min: 0, max: KEYS - 1 }).map(String), anyValue, { maxKeys: KEYS }).map(state)
const numbers = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: KEYS, maxLength: KEYS }).map((values) => state({ ...values }))

describe('a hardware state', () => {
  it('leaves out what is not known now', () => {
    const { words } = hardwareState([
      { key: 3, reading: known(1) },
      { key: 1, reading: known(1, 'UNCERTAIN') },
      { key: 2, reading: known(1, 'STALE') },
      { key: 4, reading: { time: 1n, quality: 'BAD', reason: 'no reply' } },
      { key: 5, reading: known(Number.NaN) },
    ])
    expect([...words]).toEqual([2, 6])
  })

  it('is packed and unpacked without loss, wherever the bytes lie', () => {
    fc.assert(
      fc.property(anyState, fc.integer({ min: 0, max: 7 }), (given, offset) => {
        const packed = packState(given)
        const shifted = new Uint8Array(packed.length + offset)
        shifted.set(packed, offset)
        expect(unpackState(shifted.subarray(offset))).toEqual(given)
      }),
    )
  })
})

describe('the distance of two states', () => {
  it('is what the contributions add up to', () => {
    fc.assert(
      fc.property(anyState, anyState, (a, b) => {
        const comparison = compareStates(a, b, SCALES)
        const contributions = contributionsOf(a, b, SCALES)
        if (comparison === undefined) return
        expect(contributions).toHaveLength(comparison.common)
        expect(contributions.every(({ distance }, at) => distance >= 0 && distance <= (contributions[at - 1]?.distance ?? distance))).toBe(true)
        const sum = contributions.reduce((total, { distance }) => total + distance, 0)
        expect(Math.abs(sum - comparison.distance)).toBeLessThanOrEqual(1e-9 * Math.max(1, sum))
      }),
    )
  })

  it('is 0 to itself, the same both ways, and never NaN', () => {
    fc.assert(
      fc.property(anyState, anyState, (a, b) => {
        if (a.words.length > 0) expect(compareStates(a, a, SCALES)?.distance).toBe(0)
        const [there, back] = [compareStates(a, b, SCALES), compareStates(b, a, SCALES)]
        if (there !== undefined && back !== undefined) expect(there).toEqual(back)
        expect(there?.distance).not.toBeNaN()
      }),
    )
  })

  it('puts the one changed parameter among 500 first, whatever the units of the others', () => {
    const random = mulberry(7)
    const sigma = (key: number): number => 10 ** ((key % 13) - 6)
    const draw = (): Record<number, number> =>
      Object.fromEntries(Array.from({ length: 500 }, (_, key) => [key, 3 * key * sigma(key) + sigma(key) * normal(random)]))
    const before = Array.from({ length: 40 }, draw)
    const scales = new Map(
      Array.from({ length: 500 }, (_, key) => [
        key,
        {
          slot: key,
          ...fitScale(
            before.map((values) => values[key] ?? 0),
            SPEC,
          ),
        },
      ]),
    )
    for (let changed = 0; changed < 500; changed += 7) {
      const planted = draw()
      planted[changed] = 3 * changed * sigma(changed) + 10 * sigma(changed)
      expect(contributionsOf(state(planted), state(draw()), scales)[0]?.key).toBe(changed)
    }
  })

  it('puts a changed choice, text or switch first too', () => {
    const scales = scalesFor(500)
    const all = Object.fromEntries(Array.from({ length: 500 }, (_, key): [number, ParameterValue] => [key, 0.3 * key]))
    for (const [from, to] of [
      ['auto', 'high'],
      [true, false],
      [
        [0, 0, 512, 512],
        [0, 0, 256, 256],
      ],
      [5, 'five'],
    ] as const)
      expect(contributionsOf(state({ ...all, 123: from }), state({ ...all, 123: to }), scales)[0]).toMatchObject({ key: 123 })
  })

  it('keeps its order whatever an offline device says: absent where it is asked for, or absent in another state', () => {
    const offline = 5 // the keys below it are one device
    const without = ({ words, values }: HardwareState): HardwareState => ({ words: words.slice(offline), values: values.slice(offline) })
    fc.assert(
      fc.property(numbers, fc.array(numbers, { minLength: 3, maxLength: 12 }), (asked, others) => {
        const order = (from: HardwareState, states: readonly HardwareState[]): number[] =>
          states
            .map((other, at) => ({ at, distance: compareStates(from, other, SCALES)?.distance ?? Number.POSITIVE_INFINITY }))
            .sort((a, b) => a.distance - b.distance || a.at - b.at)
            .map(({ at }) => at)
        expect(order(without(asked), others)).toEqual(order(without(asked), others.map(without)))
        const [first, ...rest] = others
        if (first === undefined) return
        const others1 = order(asked, [first, ...rest]).filter((at) => at !== 0)
        expect(order(asked, [without(first), ...rest]).filter((at) => at !== 0)).toEqual(others1)
      }),
    )
  })

  it('is not given where next to nothing is common', () => {
    const asked = state({ 1: 1, 2: 2, 3: 3, 4: 4 })
    expect(compareStates(asked, state({ 1: 1 }), SCALES)).toBeUndefined()
    expect(compareStates(asked, state({ 1: 1, 2: 2 }), SCALES)).toEqual({ distance: 0, common: 2 })
    expect(compareStates(asked, state({ 9: 1 }), SCALES)).toBeUndefined()
    expect(compareStates(state({}), asked, SCALES)).toBeUndefined()
  })
})

describe('the vector of a state', () => {
  const squaredDistance = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, at) => sum + (value - (b[at] ?? 0)) ** 2, 0)

  it('is as far from another as the states are, where each parameter has its place', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const expected = (compareStates(a, b, SCALES)?.distance ?? 0) * KEYS
        expect(squaredDistance(projectState(a, SCALES).vector, projectState(b, SCALES).vector)).toBeCloseTo(expected, expected > 1000 ? -1 : 1)
      }),
    )
  })

  it('always has its length, says what is missing, and is the same every time', () => {
    fc.assert(
      fc.property(anyState, (given) => {
        const { vector, mask } = projectState(given, SCALES)
        expect([vector.length, mask.length]).toEqual([VECTOR_LENGTH, VECTOR_LENGTH])
        expect(vector.every(Number.isFinite)).toBe(true)
        expect([...mask].filter((bit) => bit === '1')).toHaveLength(given.words.length)
        expect([...mask].every((bit, at) => bit === '1' || vector[at] === 0)).toBe(true)
        expect(projectState(given, SCALES)).toEqual({ vector, mask })
      }),
    )
  })

  it('holds more parameters than it has places, with opposite signs where two share one', () => {
    const scales: Scales = new Map([
      [1, { slot: 3, center: 0, spread: 1 }],
      [2, { slot: 3 + VECTOR_LENGTH, center: 0, spread: 1 }],
    ])
    expect(projectState(state({ 1: 0.5, 2: 0.5 }), scales).vector[3]).toBeCloseTo(0, 6)
    expect(projectState(state({ 2: 0.5 }), scales).vector[3]).toBeCloseTo(-0.5, 2)
  })

  it('measures a switch exactly', () => {
    const [on, off] = [projectState(state({ 1: true }), SCALES), projectState(state({ 1: false }), SCALES)]
    expect(squaredDistance(on.vector, off.vector)).toBeCloseTo(compareStates(state({ 1: true }), state({ 1: false }), SCALES)?.distance ?? 0, 3)
  })
})

describe('a scale', () => {
  it('is not moved by a tenth of outliers', () => {
    const random = mulberry(3)
    const clean = Array.from({ length: 200 }, () => 20 + 0.1 * normal(random))
    const { center, spread } = fitScale(
      clean.map((value, at) => (at % 10 === 0 ? 1e9 : value)),
      SPEC,
    )
    expect(center).toBeCloseTo(20, 1)
    expect(spread).toBeGreaterThan(0.08)
    expect(spread).toBeLessThan(0.15)
  })

  it('takes the mean deviation of what is nearly always the same, and a guess of what never changed', () => {
    expect(fitScale([...Array.from({ length: 90 }, () => 800), ...Array.from({ length: 10 }, () => 850)], SPEC)).toEqual({
      center: 800,
      spread: expect.closeTo(5, 6),
    })
    expect(fitScale([800, 800, 800], { ...SPEC, minimum: 400, maximum: 1100 })).toEqual({ center: 800, spread: 7 })
    expect(fitScale([0, 0], SPEC)).toEqual({ center: 0, spread: 1 })
  })

  it('is never finer than the deadband, and always usable', () => {
    expect(fitScale([1, 1.001, 0.999], { ...SPEC, deadband: 0.5 }).spread).toBe(0.5)
    const exposure: ParameterSpec = { ...SPEC, access: 'READ_WRITE', minimum: 0, maximum: 1000, step: 1e-6 }
    expect(firstScale(0.01, exposure, [5, 7, 9])).toEqual({ center: 0.01, spread: 1e-4 })
    expect(firstScale(10, SPEC, [-17, 4, 0, 12, -9]).spread).toBeGreaterThan(5)
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }), (values) => {
        const { center, spread } = fitScale(values, SPEC)
        expect(Number.isFinite(center) && Number.isFinite(spread) && spread > 0).toBe(true)
      }),
    )
  })
})

/** Mulberry32: the same numbers each time. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
