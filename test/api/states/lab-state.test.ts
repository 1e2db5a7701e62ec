import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LAST_SAMPLES } from '../../../api/states/snapshot.ts'
import { HEARTBEAT_MS } from '../../../core/history.ts'
import { formatRfc3339, NS_PER_MS } from '../../../core/time.ts'
import { until } from '../../until.ts'
import { CAMERA, METER, STAGE } from '../fake-station.ts'
import { startTestLab, type TestLab } from '../lab.ts'

const START = 1_700_000_000_000_000_000n
const HEARTBEAT_NS = BigInt(HEARTBEAT_MS) * NS_PER_MS
const FIELDS = 'time readings { device { name removedAt } parameter { name unit } reading { time quality number text reason unit } age }'

type Entry = {
  readonly device: { readonly name: string; readonly removedAt: string | null }
  readonly parameter: { readonly name: string }
  readonly reading: {
    readonly time: string
    readonly quality: string
    readonly number: number | null
    readonly text: string | null
    readonly unit: string | null
  }
  readonly age: number
}
type LabState = { readonly time: string; readonly readings: readonly Entry[] }

let lab: TestLab
beforeAll(async () => {
  lab = await startTestLab()
})
afterAll(() => lab.close())

async function labState(args = ''): Promise<LabState> {
  const { data, errors } = await lab.ask<{ labState: LabState }>(`{ labState${args} { ${FIELDS} } }`)
  expect(errors).toBeUndefined()
  return data.labState
}
const at = (time: bigint) => labState(`(at: "${formatRfc3339(time)}")`)
const shown = ({ readings }: LabState) =>
  readings.map(({ device, parameter, reading }) => `${device.name}.${parameter.name} ${reading.number ?? reading.text ?? '-'} ${reading.quality}`)

describe('the state of the lab now', () => {
  it('is every parameter of every device, from the mirror', async () => {
    expect(shown(await labState())).toEqual([
      'camera.exposure 0.01 GOOD',
      'meter.power 0.001 GOOD',
      'meter.range auto GOOD',
      'stage.position 2.5 GOOD',
      'stage.velocity 1 GOOD',
    ])
    const publishedMs = performance.now()
    lab.station.publish([1, 7.25])
    const moved = await until(async () =>
      (await labState()).readings.find(({ parameter, reading }) => parameter.name === 'position' && reading.number === 7.25),
    )
    expect(moved.reading.unit).toBe('mm')
    expect(moved.age).toBeGreaterThanOrEqual(0)
    expect(moved.age).toBeLessThan((performance.now() - publishedMs) / 1000 + 1)
  })

  it('can be asked for some devices, and for none that is not there', async () => {
    const { data } = await lab.ask<{ device: { id: string } }>('{ device(name: "meter") { id } }')
    expect(shown(await labState(`(deviceIds: ["${data.device.id}"])`))).toEqual(['meter.power 0.001 GOOD', 'meter.range auto GOOD'])
    const { errors } = await lab.ask('{ labState(deviceIds: ["nobody"]) { time } }')
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'NOT_FOUND' })
  })
})

describe('the state of the lab at a moment of the past', () => {
  beforeAll(async () => {
    const { prisma } = lab.api.services.database
    const gone = await prisma.device.create({
      data: {
        name: 'gone',
        driverId: 'fake-meter',
        stationId: lab.station.stationId,
        portId: (await prisma.port.findFirstOrThrow()).id,
        settings: {},
        simulated: true,
        removedAt: new Date(Number((START + 10n * HEARTBEAT_NS) / NS_PER_MS)),
      },
    })
    const spec = { kind: 'FLOAT', description: '', access: 'READ_ONLY', pollMs: 500 }
    const parameter = (deviceId: string, name: string, more: object = {}) =>
      prisma.parameter.create({ data: { deviceId, name, spec: { ...spec, name, ...more } } })
    const [power, range, position, old] = [
      await parameter(METER, 'power', { unit: 'W' }),
      await parameter(METER, 'range', { kind: 'ENUM', pollMs: undefined }),
      await parameter(STAGE, 'position', { unit: 'mm' }),
      await parameter(gone.id, 'power', { unit: 'W' }),
    ]
    await parameter(CAMERA, 'exposure')
    const sample = (parameterKey: number, time: bigint, sequence: bigint, value: object) => ({ parameterKey, time, sequence, quality: 0, ...value })
    await prisma.sample.createMany({
      data: [
        sample(power.key, START, 1n, { number: 1 }),
        sample(power.key, START + HEARTBEAT_NS, 2n, { number: 1 }),
        sample(power.key, START + 2n * HEARTBEAT_NS, 3n, { number: 2 }),
        sample(power.key, START + 2n * HEARTBEAT_NS, 4n, { number: 3 }),
        sample(range.key, START, 5n, { text: 'high' }),
        sample(position.key, START, 6n, { number: 9.5 }),
        sample(position.key, START + HEARTBEAT_NS, 7n, { quality: 3 }),
        sample(old.key, START + 9n * HEARTBEAT_NS, 8n, { number: 5 }),
      ],
    })
  })

  it('is the last sample of each parameter then, to the nanosecond', async () => {
    expect(shown(await at(START - 1n))).toEqual([])
    expect(shown(await at(START))).toEqual(['meter.power 1 GOOD', 'meter.range high GOOD', 'stage.position 9.5 GOOD'])
    expect(shown(await at(START + 2n * HEARTBEAT_NS - 1n))).toContain('meter.power 1 GOOD')
    expect(shown(await at(START + 2n * HEARTBEAT_NS))).toContain('meter.power 3 GOOD')
    const [power] = (await at(START + 1_500_000_000n)).readings
    expect(power).toMatchObject({ age: 1.5, reading: { unit: 'W', time: formatRfc3339(START) } })
  })

  it('keeps BAD as BAD, and says STALE of what nobody had read for two heartbeats', async () => {
    expect(shown(await at(START + 4n * HEARTBEAT_NS))).toEqual(['meter.power 3 GOOD', 'meter.range high GOOD', 'stage.position - BAD'])
    const late = await at(START + 5n * HEARTBEAT_NS)
    expect(shown(late)).toEqual(['meter.power 3 STALE', 'meter.range high STALE', 'stage.position - BAD'])
    expect(late.readings[0]?.age).toBe((3 * HEARTBEAT_MS) / 1000)
  })

  it('shows removed devices as they were, as long as they were there', async () => {
    const before = await at(START + 9n * HEARTBEAT_NS)
    expect(before.readings.find(({ device }) => device.name === 'gone')).toMatchObject({ reading: { number: 5, quality: 'GOOD' } })
    expect(shown(await at(START + 10n * HEARTBEAT_NS)).filter((line) => line.startsWith('gone'))).toEqual([])
  })

  it('steps down an index for each parameter, however long its history', async () => {
    const { pool } = lab.api.services.database
    const { key } = await lab.api.services.database.prisma.parameter.findFirstOrThrow({ where: { name: 'exposure' } })
    await pool.query(
      `INSERT INTO "sample" ("parameterKey", "time", "sequence", "quality", "number", "list") SELECT $1, $2::bigint - i, i, 0, i, '{}' FROM generate_series(1, 20000) AS i`,
      [key, (START - HEARTBEAT_NS).toString()],
    )
    await pool.query('ANALYZE "sample"')
    const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
      `EXPLAIN (ANALYZE, COSTS OFF) ${LAST_SAMPLES.replaceAll('$1', START.toString()).replaceAll('$2', 'NULL')}`,
    )
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan).toMatch(/Index Scan Backward using sample_pkey/)
    expect(plan).not.toMatch(/Seq Scan on sample/)
  })

  it('is refused for the future', async () => {
    const { errors } = await lab.ask(`{ labState(at: "${formatRfc3339(BigInt(Date.now() + 60_000) * NS_PER_MS)}") { time } }`)
    expect(errors?.[0]).toMatchObject({ message: expect.stringContaining('in the future'), extensions: { code: 'INVALID_VALUE' } })
  })
})

describe('when the station is away', () => {
  it('what was known is STALE', async () => {
    await lab.station.stop()
    await until(async () => shown(await labState()).every((line) => line.endsWith('STALE')))
    expect(shown(await labState())).toContain('meter.power 0.001 STALE')
    await lab.station.start()
    await until(async () => shown(await labState()).every((line) => line.endsWith('GOOD')))
  })
})
