import { readdir } from 'node:fs/promises'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Axis, PlanMessage, PlanSpec } from '../../core/plan.ts'
import { MAX_AXES, MAX_POINTS } from '../../core/plan.ts'
import { linePoint } from '../../core/plans/linear-scan.ts'
import { checkPlan, messagesOf, outlineOf, PLANS } from '../../core/plans/plans.ts'

const detectors = [{ role: 'meter' }]
const axis = (part: Partial<Axis> = {}): Axis => ({ role: 'stage', start: 0, stop: 10, relative: false, ...part })
const scan = (part: Partial<Extract<PlanSpec, { type: 'linearScan' }>['arguments']> = {}): PlanSpec => ({
  type: 'linearScan',
  arguments: { axes: [axis()], num: 11, detectors, after: 'STAY', ...part },
})
const count = (part: object = {}): PlanSpec => ({ type: 'count', arguments: { detectors, num: 3, ...part } })
const record = (part: object = {}): PlanSpec => ({ type: 'record', arguments: { detectors, ...part } })
const walk = (plan: PlanSpec, origins: readonly number[] = [0]): PlanMessage[] => [...messagesOf(plan, origins)]

test('the list names every plan of the folder', async () => {
  const files = await readdir(path.join(import.meta.dirname, '../../core/plans'))
  const types = files
    .filter((file) => file.endsWith('.ts') && file !== 'plans.ts')
    .map((file) => file.slice(0, -3).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()))
  expect(Object.keys(PLANS).sort()).toEqual(types.sort())
  for (const [type, plan] of Object.entries(PLANS)) expect(plan.type).toBe(type)
})

describe('linearScan', () => {
  test('sets, settles and reads at each point, and checks in before', () => {
    const messages = walk(scan({ num: 2 }))
    expect(messages).toEqual([
      { do: 'checkpoint' },
      { do: 'set', axis: 0, value: 0 },
      { do: 'settle', settle: {} },
      { do: 'row' },
      { do: 'checkpoint' },
      { do: 'set', axis: 0, value: 10 },
      { do: 'settle', settle: {} },
      { do: 'row' },
    ])
  })

  test('goes back where it began, if asked, and knows relative ranges', () => {
    const values = (plan: PlanSpec, origins: readonly number[]): number[] =>
      walk(plan, origins).flatMap((message) => (message.do === 'set' ? [message.value] : []))
    expect(values(scan({ num: 2, after: 'RETURN' }), [3])).toEqual([0, 10, 3])
    expect(values(scan({ num: 2, axes: [axis({ relative: true, start: -1, stop: 1 })] }), [3])).toEqual([2, 4])
    expect(values(scan({ num: 2, axes: [axis(), axis({ start: 5, stop: 6 })] }), [0, 0])).toEqual([0, 5, 10, 6])
  })

  test('reads as many rows as the outline says, from exactly start to exactly stop, never outside', () => {
    const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true })
    fc.assert(
      fc.property(finite, finite, fc.integer({ min: 1, max: 300 }), (start, stop, num) => {
        const plan = scan({ axes: [axis({ start, stop })], num })
        checkPlan(plan)
        const messages = walk(plan)
        const values = messages.flatMap((message) => (message.do === 'set' ? [message.value] : []))
        expect(messages.filter((message) => message.do === 'row')).toHaveLength(outlineOf(plan).totalPoints ?? -1)
        expect(values[0]).toBeCloseTo(start, 12)
        if (num > 1) expect(values.at(-1)).toBe(0 * start + stop)
        for (const value of values) {
          expect(value).toBeGreaterThanOrEqual(Math.min(start, stop))
          expect(value).toBeLessThanOrEqual(Math.max(start, stop))
        }
      }),
    )
  })

  test('of one point stands at its start', () => {
    expect(linePoint(axis({ start: 4, stop: 9 }), 0, 1, 0)).toBe(4)
  })

  test.each([
    scan({ axes: [] }),
    scan({ axes: new Array<Axis>(MAX_AXES + 1).fill(axis()) }),
    scan({ num: 0 }),
    scan({ num: 1.5 }),
    scan({ num: MAX_POINTS + 1 }),
    scan({ detectors: [] }),
    scan({ axes: [axis({ start: Number.NaN })] }),
    scan({ axes: [axis({ stop: Number.POSITIVE_INFINITY })] }),
    scan({ settle: { timeoutSeconds: -1 } }),
    scan({ settle: { tolerance: Number.NaN } }),
    count({ num: 0 }),
    count({ detectors: [] }),
    count({ delaySeconds: -1 }),
    record({ detectors: [] }),
    record({ frames: 0 }),
    record({ durationSeconds: 0 }),
    record({ rateHz: 1e6 }),
  ])('refuses %j and says where', (plan) => {
    expect(() => checkPlan(plan)).toThrow(expect.objectContaining({ code: 'INVALID_VALUE', facts: { path: expect.arrayContaining(['plan', plan.type]) } }))
  })
})

test('count waits between its rows, not before the first nor after the last', () => {
  expect(walk(count({ delaySeconds: 0.5 })).map((message) => message.do)).toEqual([
    'checkpoint',
    'row',
    'checkpoint',
    'wait',
    'row',
    'checkpoint',
    'wait',
    'row',
  ])
})

test('record asks for one recording, with its end if it has one', () => {
  expect(walk(record({ frames: 20 }))).toEqual([{ do: 'checkpoint' }, { do: 'record', frames: 20 }])
  expect(outlineOf(record()).totalPoints).toBeUndefined()
  expect(outlineOf(record({ durationSeconds: 5 })).summary).toBe('record meter, 5 s')
})

test('every plan can be told in words', () => {
  expect(outlineOf(scan({ axes: [axis({ unit: 'mm' })] })).summary).toBe('linear scan of stage 0 … 10 mm in 11 points, reading meter')
  expect(outlineOf(scan({ axes: [axis({ relative: true, parameter: 'angle' })] })).summary).toContain('stage.angle by 0 … 10')
  expect(outlineOf(count()).summary).toBe('count 3 × meter')
})
