import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globalId } from '../../../api/global-id.ts'
import { uuidv7 } from '../../../core/id.ts'
import type { ParameterValue, Reading } from '../../../core/reading.ts'
import type { RunState } from '../../../core/run.ts'
import { storeState } from '../../../prisma/states.ts'
import { METER, STAGE } from '../fake-station.ts'
import { startTestLab, type TestLab } from '../lab.ts'

const START = 1_700_000_000_000_000_000n
const MANY = 500
const STATES = 30

let lab: TestLab
let keys: ReadonlyMap<string, number>
/** The first half belongs to one device, the second to another. */
const deviceOf = (at: number): string => (at < MANY / 2 ? STAGE : METER)
const nameOf = (at: number): string => `p${at}`

beforeAll(async () => {
  lab = await startTestLab()
  const { prisma } = lab.api.services.database
  await prisma.parameter.createMany({
    data: Array.from({ length: MANY }, (_, at) => ({
      deviceId: deviceOf(at),
      name: nameOf(at),
      spec: { name: nameOf(at), description: '', kind: 'FLOAT', access: 'READ_WRITE', unit: 'V' },
    })),
  })
  keys = new Map((await prisma.parameter.findMany()).map(({ key, deviceId, name }) => [`${deviceId}/${name}`, key]))
})
afterAll(() => lab.close())

type Values = Readonly<Record<string, ParameterValue | Reading>>
type Planted = {
  readonly title?: string
  readonly tags?: string[]
  readonly operator?: string
  readonly state?: RunState
  readonly summary?: string
  readonly at?: bigint
}

/** A run with its manifest and its stored state, as the station's shipper leaves it. Returns its id. */
async function plant(
  values: Values,
  { title = 'a day', tags = [], operator = 'ada', state = 'COMPLETED', summary = 'count', at = START }: Planted = {},
): Promise<string> {
  const { prisma, pool } = lab.api.services.database
  const entries = Object.entries(values).map(([id, value]) => {
    const [deviceId = '', parameter = ''] = id.split('/')
    const reading: Reading = typeof value === 'object' && 'quality' in value ? value : { time: at, quality: 'GOOD', value }
    return { deviceId, deviceName: 'd', parameter, unit: 'V', reading }
  })
  const stored = entries.map((entry) => ({ ...entry, reading: { ...entry.reading, time: entry.reading.time.toString() } }))
  const session = await prisma.session.create({ data: { title, tags, operator } })
  const id = uuidv7()
  await prisma.run.create({
    data: {
      id,
      sessionId: session.id,
      stationId: lab.station.stationId,
      plan: {},
      planType: 'count',
      summary,
      actor: operator,
      state,
      manifest: JSON.parse(JSON.stringify({ takenAt: at.toString(), parameters: stored, software: {} })),
      devices: { create: { deviceId: STAGE, role: 'axis' } },
    },
  })
  const client = await pool.connect()
  await client.query('BEGIN')
  await storeState(
    client,
    id,
    at,
    entries.map(({ deviceId, parameter, reading }) => ({ key: keys.get(`${deviceId}/${parameter}`) ?? 0, reading })),
  )
  await client.query('COMMIT')
  client.release()
  return id
}

/** The n-th of some states that differ a little in everything. */
function values(n: number, change: Values = {}): Values {
  return {
    ...Object.fromEntries(Array.from({ length: MANY }, (_, at) => [`${deviceOf(at)}/${nameOf(at)}`, 100 + at + noise(n, at)])),
    ...change,
  }
}

/** From -1 to 1, the same each time. */
function noise(n: number, at: number): number {
  const mixed = Math.sin(n * 12.9898 + at * 78.233) * 43_758.5453
  return 2 * (mixed - Math.floor(mixed)) - 1
}

type Match = {
  readonly run: { readonly id: string }
  readonly session: { readonly title: string }
  readonly distance: number
  readonly similarity: number
  readonly contributions: readonly {
    readonly parameter: { readonly name: string }
    readonly from: { readonly number: number | null; readonly text: string | null } | null
    readonly to: { readonly number: number | null; readonly unit: string | null } | null
    readonly distance: number
  }[]
}
async function similar(to: object, more = ''): Promise<readonly Match[]> {
  const { data, errors } = await lab.ask<{ similarStates: Match[] }>(
    `query ($to: StateRef!) { similarStates(to: $to${more}) { time similarity distance run { id } session { title }
       contributions { parameter { name } from { number text } to { number unit } distance } } }`,
    { to },
  )
  expect(errors).toBeUndefined()
  return data.similarStates
}
const runRef = (id: string) => ({ runId: globalId('Run', id) })
const orderOf = (matches: readonly Match[]): string[] => matches.map(({ run }) => run.id)
async function order(to: object, more = ''): Promise<string[]> {
  const { data, errors } = await lab.ask<{ similarStates: Match[] }>(`query ($to: StateRef!) { similarStates(to: $to${more}) { run { id } } }`, { to })
  expect(errors).toBeUndefined()
  return orderOf(data.similarStates)
}

describe('similar states', () => {
  const planted: string[] = []
  let changed: string

  it('are none in a lab without runs', async () => {
    expect(await similar({ now: true })).toEqual([])
  })

  it('are found by what has changed: one parameter among 500 comes first, and the contributions add up to the distance', async () => {
    for (let n = 0; n < STATES; n += 1) planted.push(await plant(values(n), { at: START + BigInt(n) }))
    const id = `${METER}/${nameOf(321)}`
    changed = await plant(values(0, { [id]: 500 }))
    const matches = await similar(runRef(changed), ', first: 5')
    expect(matches).toHaveLength(5)
    expect(orderOf(matches)[0]).toBe(globalId('Run', planted[0] ?? ''))
    for (const { contributions, distance, similarity } of matches) {
      expect(contributions).toHaveLength(MANY)
      expect(contributions[0]).toMatchObject({ parameter: { name: nameOf(321) }, from: { number: 500 }, to: { unit: 'V' } })
      expect(Math.abs(contributions.reduce((sum, contribution) => sum + contribution.distance, 0) - distance)).toBeLessThanOrEqual(1e-9)
      expect(similarity).toBeCloseTo(1 / (1 + distance), 12)
    }
    expect(matches[0]?.contributions[1]?.distance).toBe(0) // the same in everything else
    const distances = matches.map(({ distance }) => distance)
    expect(distances).toEqual(distances.toSorted((a, b) => a - b))
  })

  it('are the same whether searched by vectors or through every state', async () => {
    for (const n of [0, 7, 19]) {
      const to = runRef(planted[n] ?? '')
      expect(await order(to)).toEqual(await order(to, ', exact: true'))
    }
  })

  it('keep their order when a device is offline, in the state asked for or in one of theirs', async () => {
    const offline = (n: number): Values =>
      values(
        n,
        Object.fromEntries(Array.from({ length: MANY / 2 }, (_, at) => [`${STAGE}/${nameOf(at)}`, { time: START, quality: 'STALE', value: 1e6 } as const])),
      )
    const without = await plant(offline(3), { at: START + 1000n })
    const exact = await order(runRef(without), ', first: 40, exact: true')
    expect(await order(runRef(without), ', first: 40')).toEqual(exact)
    expect(exact[0]).toBe(globalId('Run', planted[3] ?? ''))

    const others = (ids: readonly string[]) => ids.filter((id) => id !== globalId('Run', without) && id !== globalId('Run', planted[5] ?? ''))
    const before = others(await order(runRef(planted[9] ?? ''), ', first: 40'))
    const { prisma } = lab.api.services.database
    await prisma.hardwareState.delete({ where: { runId: planted[5] ?? '' } })
    planted[5] = await plant(offline(5), { at: START + 5n })
    expect(others(await order(runRef(planted[9] ?? ''), ', first: 40'))).toEqual(before)
    const [nearest] = await similar(runRef(planted[5] ?? ''), ', first: 1')
    expect(nearest?.contributions).toHaveLength(MANY / 2)
  })

  it('are chosen by the runs they belong to', async () => {
    const odd = await plant(values(100), {
      title: 'the 100% laser',
      tags: ['red', 'cw'],
      operator: 'bob',
      state: 'FAILED',
      summary: 'scan of x',
      at: START + 10_000n,
    })
    const to = runRef(planted[0] ?? '')
    const found = async (filter: string): Promise<string[]> => order(to, `, filter: { ${filter} }`)
    const only = [globalId('Run', odd)]
    expect(await found('operator: "bob"')).toEqual(only)
    expect(await found('sessionTags: ["cw", "red"]')).toEqual(only)
    expect(await found('outcome: FAILED')).toEqual(only)
    expect(await found('text: "100% LASER"')).toEqual(only)
    expect(await found('text: "100%x"')).toEqual([])
    expect(await found('text: "scan of"')).toEqual(only)
    expect(await found('range: { from: "2023-11-14T22:13:20.00001Z" }')).toEqual(only)
    expect(await order(to, ', exact: true, filter: { operator: "bob", text: "laser" }')).toEqual(only)
  })

  it('are compared in the devices that are asked for', async () => {
    const other = await plant(values(200, Object.fromEntries(Object.entries(values(11)).filter(([id]) => id.startsWith(METER)))))
    const to = runRef(planted[11] ?? '')
    const [nearest] = await similar(to, `, filter: { deviceIds: ["${globalId('Device', METER)}"] }`)
    expect(nearest).toMatchObject({ run: { id: globalId('Run', other) }, distance: 0 })
    expect(nearest?.contributions).toHaveLength(MANY / 2)
    expect((await similar(to, `, filter: { deviceIds: ["${globalId('Device', STAGE)}"] }`))[0]?.distance).toBeGreaterThan(0)
  })

  it('can be asked for from a preset or a session, in what these hold', async () => {
    const { data } = await lab.ask<{ savePreset: { id: string } }>(
      `mutation ($input: SavePresetInput!) { savePreset(input: $input) { ... on Preset { id } ... on Problem { message } } }`,
      { input: { name: 'p', values: [{ deviceId: globalId('Device', STAGE), parameter: 'velocity', value: { number: 1 } }] } },
    )
    const velocity = await lab.api.services.database.prisma.parameter.create({
      data: { deviceId: STAGE, name: 'velocity', spec: { name: 'velocity', kind: 'FLOAT', description: '' } },
    })
    keys = new Map([...keys, [`${STAGE}/velocity`, velocity.key]])
    const slow = await plant({ [`${STAGE}/velocity`]: 1.01 })
    const fast = await plant({ [`${STAGE}/velocity`]: 9 })
    const matches = await similar({ presetId: data.savePreset.id })
    expect(orderOf(matches)).toEqual([globalId('Run', slow), globalId('Run', fast)])
    expect(matches[0]?.contributions).toMatchObject([{ parameter: { name: 'velocity' }, from: { number: 1 }, to: { number: 1.01 } }])
  })

  it('are null where the database lacks them, and the rest of the answer survives', async () => {
    const { pool } = lab.api.services.database
    await pool.query('ALTER TABLE "state_vector" RENAME TO "elsewhere"')
    const { data, errors } = await lab.ask('{ lab { name } similarStates(to: { now: true }) { distance } }')
    expect(data).toEqual({ lab: { name: 'Kymograph' }, similarStates: null })
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'SIMILARITY_UNAVAILABLE' })
    await pool.query('ALTER TABLE "elsewhere" RENAME TO "state_vector"')
    await pool.query('UPDATE "state_projection" SET "complete" = false')
    expect((await lab.ask('{ similarStates(to: { now: true }) { distance } }')).errors?.[0]).toMatchObject({
      message: expect.stringContaining('being made'),
      extensions: { code: 'SIMILARITY_UNAVAILABLE' },
    })
  })

  it('are refused in senseless numbers', async () => {
    expect((await lab.ask('{ similarStates(to: { now: true }, first: 0) { distance } }')).errors?.[0]?.extensions).toMatchObject({ code: 'INVALID_VALUE' })
  })
})
