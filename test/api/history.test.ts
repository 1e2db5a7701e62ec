import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { METER, STAGE } from './fake-station.ts'
import { startTestLab, type TestLab } from './lab.ts'

const START = 1_700_000_000_000_000_000n
const SECOND = 1_000_000_000n
const RANGE = 'range: { from: "2023-11-14T22:13:20Z", to: "2023-11-14T23:13:20Z" }' // START to an hour later
const SAMPLES = 3_000

let lab: TestLab
beforeAll(async () => {
  lab = await startTestLab()
  const { prisma, pool } = lab.api.services.database
  const power = await prisma.parameter.create({
    data: { deviceId: METER, name: 'power', spec: { name: 'power', kind: 'FLOAT', unit: 'W', description: '', access: 'READ_ONLY' } },
  })
  const range = await prisma.parameter.create({
    data: { deviceId: METER, name: 'range', spec: { name: 'range', kind: 'ENUM', description: '', access: 'READ_WRITE' } },
  })
  // A sine of 1 W with one spike of 9 W, a sample a second.
  await pool.query(
    `INSERT INTO "sample" ("parameterKey", "time", "sequence", "quality", "number", "list")
     SELECT $1, $2::bigint + i::bigint * 1000000000, i, 0, CASE WHEN i = 1234 THEN 9 ELSE sin(i / 100.0) END, '{}' FROM generate_series(0, $3::int - 1) AS i`,
    [power.key, START.toString(), SAMPLES],
  )
  await prisma.sample.createMany({
    data: [
      { parameterKey: power.key, time: START - SECOND, sequence: 0n, quality: 0, number: 0.5 },
      { parameterKey: range.key, time: START + SECOND, sequence: 1n, quality: 0, text: 'high' },
    ],
  })
  for (let index = 0; index < 3; index += 1)
    await prisma.parameterChange.create({
      data: {
        parameterKey: range.key,
        time: START + BigInt(index) * SECOND,
        new: { time: (START + BigInt(index) * SECOND).toString(), quality: 'GOOD', value: index % 2 === 0 ? 'auto' : 'high' },
        cause: { kind: 'PERSON', actor: 'ada', reason: `the ${index}th` },
      },
    })
})
afterAll(() => lab.close())

type Series = {
  unit: string
  times: string[]
  values: (number | null)[]
  texts: string[] | null
  minimum: number[] | null
  maximum: number[] | null
  reducedFrom: number
  reduction: string
  cursor: string
}
async function history(parameter: string, args: string): Promise<Series> {
  const { data, errors } = await lab.ask<{ device: { parameter: { history: Series } } }>(
    `{ device(name: "meter") { parameter(name: "${parameter}") { history(${args}) { unit times values texts minimum maximum reducedFrom reduction cursor } } } }`,
  )
  expect(errors).toBeUndefined()
  return data.device.parameter.history
}

const ascending = (times: readonly string[]): boolean => times.every((time, at) => at === 0 || Date.parse(time) >= Date.parse(times[at - 1] ?? ''))

describe('history', () => {
  it('gives all samples where they fit, led by what was there at the beginning of the range', async () => {
    const all = await history('power', `${RANGE}, maxPoints: 5000`)
    expect(all).toMatchObject({ unit: 'W', reducedFrom: SAMPLES, reduction: 'NONE' })
    expect([all.times.length, all.times[0], all.values[0], all.values[1]]).toEqual([SAMPLES + 1, '2023-11-14T22:13:20Z', 0.5, 0])
  })

  it.each(['MIN_MAX', 'LTTB'])('keeps the spike when it reduces by %s', async (reduce) => {
    const some = await history('power', `${RANGE}, maxPoints: 100, reduce: ${reduce}`)
    expect(some.values.length).toBeLessThanOrEqual(100)
    expect(Math.max(...some.values.map((value) => value ?? 0))).toBe(9)
    expect(some).toMatchObject({ reducedFrom: SAMPLES, reduction: reduce })
    expect(ascending(some.times)).toBe(true)
  })

  it('gives means with their extremes, in the unit asked for', async () => {
    const means = await history('power', `${RANGE}, maxPoints: 50, reduce: MEAN, unit: "mW"`)
    expect(means.unit).toBe('mW')
    expect(Math.max(...(means.maximum ?? []))).toBe(9000)
    expect(means.values.length).toBeLessThanOrEqual(50)
  })

  it('lets PostgreSQL make the first bins of what is too long to read', async () => {
    const { pool } = lab.api.services.database
    const key = (
      await lab.api.services.database.prisma.parameter.create({
        data: { deviceId: STAGE, name: 'position', spec: { name: 'position', kind: 'FLOAT', unit: 'mm', description: '', access: 'READ_ONLY' } },
      })
    ).key
    await pool.query(
      `INSERT INTO "sample" ("parameterKey", "time", "sequence", "quality", "number", "list")
       SELECT $1, $2::bigint + i::bigint * 10000000, i, 0, CASE WHEN i = 123456 THEN -9 ELSE cos(i / 10000.0) END, '{}' FROM generate_series(0, 210000) AS i`,
      [key, START.toString()],
    )
    for (const reduce of ['MIN_MAX', 'LTTB', 'MEAN', 'FIRST', 'LAST']) {
      const { data } = await lab.ask<{ device: { parameter: { history: Series } } }>(
        `{ device(name: "stage") { parameter(name: "position") { history(${RANGE}, maxPoints: 200, reduce: ${reduce}) { times values minimum reducedFrom } } } }`,
      )
      const { values, times, minimum, reducedFrom } = data.device.parameter.history
      expect(reducedFrom).toBe(210_001)
      expect(values.length).toBeLessThanOrEqual(200)
      expect(ascending(times)).toBe(true)
      if (reduce === 'MIN_MAX' || reduce === 'LTTB') expect(Math.min(...values.map((value) => value ?? 0))).toBe(-9)
      if (reduce === 'MEAN') expect(Math.min(...(minimum ?? []))).toBe(-9)
    }
  })

  it('tells texts as they were', async () => {
    expect(await history('range', RANGE)).toMatchObject({ texts: ['high'], values: null, times: ['2023-11-14T22:13:21Z'] })
  })

  it('names the years that a time can have', async () => {
    const { errors } = await lab.ask('{ device(name: "meter") { parameter(name: "power") { history(range: { from: "0001-01-01T00:00:00Z" }) { times } } } }')
    expect(errors?.[0]).toMatchObject({ message: expect.stringContaining('1678 and 2262'), extensions: { code: 'BAD_USER_INPUT' } })
  })

  it('refuses a range that ends before it begins', async () => {
    const { errors } = await lab.ask(
      '{ device(name: "meter") { parameter(name: "power") { history(range: { from: "2024-01-01T00:00:00Z", to: "2023-01-01T00:00:00Z" }) { times } } } }',
    )
    expect(errors?.[0]).toMatchObject({ message: 'range: to must be after from', extensions: { code: 'INVALID_VALUE' } })
  })
})

describe('changes', () => {
  it('say who and why, the newest first, page by page', async () => {
    const ask = (after: string | null) =>
      lab.ask<{
        device: {
          parameter: {
            changes: {
              edges: { cursor: string; node: { time: string; new: { text: string }; cause: { reason: string } } }[]
              pageInfo: { hasNextPage: boolean }
            }
          }
        }
      }>(
        'query ($after: Cursor) { device(name: "meter") { parameter(name: "range") { changes(first: 2, after: $after) { edges { cursor node { time old { text } new { text } cause { kind actor reason } } } pageInfo { hasNextPage } } } } }',
        { after },
      )
    const first = (await ask(null)).data.device.parameter.changes
    expect(first.edges.map(({ node }) => [node.time, node.new.text, node.cause.reason])).toEqual([
      ['2023-11-14T22:13:22Z', 'auto', 'the 2th'],
      ['2023-11-14T22:13:21Z', 'high', 'the 1th'],
    ])
    expect(first.pageInfo.hasNextPage).toBe(true)
    const second = (await ask(first.edges.at(-1)?.cursor ?? null)).data.device.parameter.changes
    expect(second.edges.map(({ node }) => node.cause.reason)).toEqual(['the 0th'])
  })
})
