import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { HEARTBEAT_MS } from '../../core/history.ts'
import { formatRfc3339, NS_PER_MS } from '../../core/time.ts'
import { until } from '../until.ts'
import { CAMERA, METER, STAGE } from './fake-station.ts'
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

  it('reduces each way as its name says', async () => {
    const { prisma } = lab.api.services.database
    const { key } = await prisma.parameter.create({ data: { deviceId: CAMERA, name: 'exposure', spec: { name: 'exposure', kind: 'FLOAT', description: '' } } })
    await prisma.sample.createMany({
      data: [0, 5, 1, -3, 2, 2, 9, 2].map((number, at) => ({ parameterKey: key, time: START + BigInt(at) * SECOND, sequence: BigInt(at), quality: 0, number })),
    })
    const reduced = async (reduce: string) => {
      const { data } = await lab.ask<{ device: { parameter: { history: object } } }>(
        `{ device(name: "camera") { parameter(name: "exposure") { history(${RANGE}, maxPoints: 4, reduce: ${reduce}) { values minimum maximum reduction } } } }`,
      )
      return data.device.parameter.history
    }
    const measured = { minimum: null, maximum: null }
    expect(await reduced('MIN_MAX')).toEqual({ values: [5, -3, 2, 9], ...measured, reduction: 'MIN_MAX' })
    expect(await reduced('LTTB')).toEqual({ values: [0, -3, 9, 2], ...measured, reduction: 'LTTB' })
    expect(await reduced('MEAN')).toEqual({ values: [2.5, -1, 2, 5.5], minimum: [0, -3, 2, 2], maximum: [5, 1, 2, 9], reduction: 'MEAN' })
    expect(await reduced('FIRST')).toEqual({ values: [0, 1, 2, 9], ...measured, reduction: 'FIRST' })
    expect(await reduced('LAST')).toEqual({ values: [5, -3, 2, 2], ...measured, reduction: 'LAST' })
    expect(await reduced('NONE')).toEqual({ values: [0, 5, 1, -3], ...measured, reduction: 'NONE' })
  })

  it('tells a constant from what nobody reads any more', async () => {
    const { prisma } = lab.api.services.database
    const stage = lab.station.device(STAGE)
    const parameters = stage.parameters.map((known) => (known.spec.name === 'velocity' ? { ...known, spec: { ...known.spec, pollMs: 500 } } : known))
    const spec = parameters.find(({ spec: { name } }) => name === 'velocity')?.spec ?? {}
    lab.station.change({ ...stage, parameters })
    const { key } = await prisma.parameter.create({ data: { deviceId: STAGE, name: 'velocity', spec } })
    const heartbeat = (count: number): bigint => START + BigInt(Math.round(count * HEARTBEAT_MS)) * NS_PER_MS
    const constant = Array.from({ length: 10 }, (_, at) => [heartbeat(at), 1] as const) // then its station died
    const later = [5, 6, 7, 8].map((value, at) => [heartbeat(20 + at), value] as const)
    await prisma.sample.createMany({
      data: [...constant, ...later].map(([time, number], at) => ({ parameterKey: key, time, sequence: BigInt(at), quality: 0, number })),
    })
    const between = async (from: number, to: number, more = '') => {
      const { data } = await lab.ask<{ device: { parameter: { history: { times: string[]; values: number[]; qualities: string[] } } } }>(
        `{ device(name: "stage") { parameter(name: "velocity") {
           history(range: { from: "${formatRfc3339(heartbeat(from))}", to: "${formatRfc3339(heartbeat(to))}" }${more}) { times values qualities } } } }`,
      )
      return data.device.parameter.history
    }
    expect(await between(4.2, 4.8)).toEqual({ times: [formatRfc3339(heartbeat(4.2))], values: [1], qualities: ['GOOD'] })
    expect(await between(14.2, 14.8)).toEqual({ times: [formatRfc3339(heartbeat(14.2))], values: [1], qualities: ['STALE'] })
    expect((await between(4.2, 8)).times).toHaveLength(4) // a heartbeat each minute, and none once it is dead
    const silent = await until(async () => {
      const found = await between(8.5, 20.5)
      return found.times.length === 4 && found // once the api knows that it is polled
    })
    expect(silent).toEqual({
      times: [8.5, 9, 11, 20].map((at) => formatRfc3339(heartbeat(at))),
      values: [1, 1, null, 5],
      qualities: ['GOOD', 'GOOD', 'STALE', 'GOOD'],
    })
    expect((await between(9.2, 20)).qualities).toEqual(['GOOD', 'STALE'])
    expect((await between(4.2, 24, ', maxPoints: 5, reduce: LAST')).values[0]).toBe(1)
    expect((await between(14.2, 24, ', maxPoints: 3, reduce: LAST')).values).toEqual([null, 6, 8])
  })

  it('gives means with their extremes, in the unit asked for', async () => {
    const means = await history('power', `${RANGE}, maxPoints: 50, reduce: MEAN, unit: "mW"`)
    expect(means.unit).toBe('mW')
    expect(Math.max(...(means.maximum ?? []))).toBe(9000)
    expect(means.values.length).toBeLessThanOrEqual(50)
  })

  it('lets PostgreSQL make the first bins of what is too long to read', { timeout: 300_000 }, async () => {
    const { pool } = lab.api.services.database
    const key = (
      await lab.api.services.database.prisma.parameter.create({
        data: { deviceId: STAGE, name: 'position', spec: { name: 'position', kind: 'FLOAT', unit: 'mm', description: '', access: 'READ_ONLY' } },
      })
    ).key
    await pool.query(
      `INSERT INTO "sample" ("parameterKey", "time", "sequence", "quality", "number", "list")
       SELECT $1, $2::bigint + i::bigint * 10000000, i, CASE WHEN i BETWEEN 50000 AND 60000 THEN 3 ELSE 0 END,
         CASE WHEN i BETWEEN 50000 AND 60000 THEN NULL WHEN i = 123456 THEN -9 ELSE cos(i / 10000.0) END, '{}' FROM generate_series(0, 210000) AS i`,
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
      for (const [at, value] of values.entries()) {
        const sample = Number(BigInt(Date.parse(times[at] ?? '')) * NS_PER_MS - START) / 1e7
        if (value !== null && value !== -9) expect(Math.abs(value - Math.cos(sample / 10_000))).toBeLessThan(0.2) // a bin is 1 800 samples, or twice that
      }
      if (reduce !== 'LTTB') expect(values.filter((value) => value === null).length).toBeGreaterThan(1) // what could not be read stays a gap
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
  it('name the run and the session that made them', async () => {
    const { prisma } = lab.api.services.database
    const session = await prisma.session.create({ data: { title: 'Beam', operator: 'ada' } })
    const run = await prisma.run.create({
      data: { sessionId: session.id, stationId: lab.station.stationId, plan: {}, planType: 'linearScan', summary: 'scan', actor: 'ada' },
    })
    const { key } = await prisma.parameter.findFirstOrThrow({ where: { deviceId: METER, name: 'power' } })
    const reading = { time: START.toString(), quality: 'GOOD', value: 2 }
    await prisma.parameterChange.create({
      data: { parameterKey: key, time: START, new: reading, cause: { kind: 'PLAN', actor: 'ada', sessionId: session.id, runId: run.id, requestId: 'r' } },
    })
    const { data } = await lab.ask<{ device: { parameter: { changes: { edges: object[] } } } }>(
      `{ device(name: "meter") { parameter(name: "power") { changes { edges { node { new { number } parameter { name }
         cause { kind actor requestId session { title } run { number } job { id } } } } } } } }`,
    )
    const cause = { kind: 'PLAN', actor: 'ada', requestId: 'r', session: { title: 'Beam' }, run: { number: run.number }, job: null }
    expect(data.device.parameter.changes.edges).toEqual([{ node: { new: { number: 2 }, parameter: { name: 'power' }, cause } }])
  })

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

describe('a parameter whose unit has changed', () => {
  const CHANGED = START + 10n * SECOND
  beforeAll(async () => {
    const { prisma } = lab.api.services.database
    const pastUnits = [
      { until: (START + 5n * SECOND).toString(), unit: 'K' },
      { until: CHANGED.toString(), unit: 'm/s' },
    ]
    const parameter = { deviceId: STAGE, name: 'velocity' }
    await prisma.sample.deleteMany({ where: { parameter } })
    await prisma.parameter.deleteMany({ where: parameter })
    const { key } = await prisma.parameter.create({
      data: { deviceId: STAGE, name: 'velocity', pastUnits, spec: { name: 'velocity', kind: 'FLOAT', unit: 'mm/s', description: '', access: 'READ_ONLY' } },
    })
    const samples: readonly (readonly [bigint, number])[] = [
      [START + 2n * SECOND, 300],
      [START + 6n * SECOND, 0.5],
      [START + 8n * SECOND, 0.25],
      [START + 12n * SECOND, 7],
    ]
    await prisma.sample.createMany({
      data: samples.map(([time, number], at) => ({ parameterKey: key, time, sequence: BigInt(at), quality: 0, number })),
    })
    const reading = (time: bigint, value: number) => ({ time: time.toString(), quality: 'GOOD', value })
    await prisma.parameterChange.create({
      data: {
        parameterKey: key,
        time: CHANGED + SECOND,
        old: reading(START + 8n * SECOND, 0.25),
        new: reading(CHANGED + SECOND, 7),
        cause: { kind: 'DEVICE' },
      },
    })
  })
  const read = async (args: string) => {
    const { data, errors } = await lab.ask<{
      device: { parameter: { history: { unit: string; times: string[]; values: (number | null)[]; reducedFrom: number } } }
    }>(`{ device(name: "stage") { parameter(name: "velocity") { history(${args}) { unit times values qualities reducedFrom } } } }`)
    expect(errors).toBeUndefined()
    return data.device.parameter.history
  }
  const range = (from: number, to: number): string => `range: { from: "2023-11-14T22:13:${20 + from}Z", to: "2023-11-14T22:13:${20 + to}Z" }`

  it('has its older values converted, and without a value where they cannot be', async () => {
    expect(await read(range(0, 20))).toMatchObject({ unit: 'mm/s', values: [null, 500, 250, 7], reducedFrom: 4 })
    expect(await read(`${range(0, 20)}, unit: "m/s"`)).toMatchObject({ unit: 'm/s', values: [null, 0.5, 0.25, 0.007] })
    expect(await read(`${range(0, 20)}, maxPoints: 6, reduce: MEAN`)).toMatchObject({ values: [null, 500, 250, 7] })
  })

  it('begins with what it was before, in the present unit', async () => {
    expect(await read(range(11, 20))).toMatchObject({ times: ['2023-11-14T22:13:31Z', '2023-11-14T22:13:32Z'], values: [250, 7] })
    expect(await read(range(5, 8))).toMatchObject({ values: [null, 500] })
  })

  it('is in a past state, and in its changes, what it was then in the unit of then', async () => {
    type Then = { number: number; unit: string }
    const { data } = await lab.ask<{
      labState: { readings: { parameter: { name: string }; reading: Then }[] }
      device: { parameter: { changes: { edges: { node: { old: Then; new: Then } }[] } } }
    }>(
      `{ labState(at: "2023-11-14T22:13:29Z") { readings { parameter { name } reading { number unit } } }
         device(name: "stage") { parameter(name: "velocity") { changes { edges { node { old { number unit } new { number unit } } } } } } }`,
    )
    expect(data.labState.readings.filter(({ parameter }) => parameter.name === 'velocity')).toMatchObject([{ reading: { number: 0.25, unit: 'm/s' } }])
    expect(data.device.parameter.changes.edges).toEqual([{ node: { old: { number: 0.25, unit: 'm/s' }, new: { number: 7, unit: 'mm/s' } } }])
  })
})
