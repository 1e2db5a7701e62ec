import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globalId } from '../../../api/global-id.ts'
import { NS_PER_MS } from '../../../core/time.ts'
import { until } from '../../until.ts'
import { CAMERA, METER, STAGE } from '../fake-station.ts'
import { startTestLab, type TestLab } from '../lab.ts'

let lab: TestLab
beforeAll(async () => {
  lab = await startTestLab()
})
afterAll(() => lab.close())

type Saved = {
  readonly __typename: string
  readonly id: string
  readonly version: number
  readonly message: string
  readonly entries: readonly { readonly parameter: string; readonly reading: { readonly number: number | null; readonly text: string | null } }[]
}
async function save(input: object, headers: Record<string, string> = {}): Promise<Saved> {
  const { data, errors } = await lab.ask<{ savePreset: Saved }>(
    `mutation ($input: SavePresetInput!) { savePreset(input: $input) { __typename ... on Preset { id name description author version createdAt
       entries { deviceName parameter reading { number text unit quality } } } ... on Problem { message code } ... on Conflict { current { id } } } }`,
    { input },
    headers,
  )
  expect(errors).toBeUndefined()
  return data.savePreset
}
const [stage, meter, camera] = [STAGE, METER, CAMERA].map((id) => globalId('Device', id)) as [string, string, string]
const value = (deviceId: string, parameter: string, given: object, unit?: string) => ({
  deviceId,
  parameter,
  value: given,
  ...(unit !== undefined && { unit }),
})

describe('a preset', () => {
  it('holds what can be set of the devices named: settings, and where an axis stands', async () => {
    const saved = await save({ name: 'alignment', description: 'for the red laser', deviceIds: [stage, meter] })
    expect(saved).toMatchObject({ __typename: 'Preset', author: 'ada', version: 1, description: 'for the red laser' })
    expect(saved.entries.map(({ parameter, reading }) => [parameter, reading.number ?? reading.text])).toEqual([
      ['range', 'auto'],
      ['position', 2.5],
      ['velocity', 1],
    ])
    const { data } = await lab.ask<{ preset: { id: string }; byId: { name: string }; node: object; presets: { edges: object[] } }>(
      `query ($id: ID!) { preset(name: "alignment") { id } byId: preset(id: $id) { name } node(id: $id) { __typename ... on Preset { version } }
         presets(first: 1) { edges { node { name } } pageInfo { hasNextPage } } }`,
      { id: saved.id },
    )
    expect(data).toMatchObject({
      preset: { id: saved.id },
      byId: { name: 'alignment' },
      node: { __typename: 'Preset', version: 1 },
      presets: { edges: [{ node: { name: 'alignment' } }] },
    })
  })

  it('takes values as they are given, checked as a set is, in their own unit', async () => {
    const saved = await save({ name: 'given', values: [value(stage, 'position', { number: 0.5 }, 'cm'), value(meter, 'range', { text: 'high' })] })
    expect(saved.entries).toMatchObject([
      { parameter: 'position', reading: { number: 5, unit: 'mm' } },
      { parameter: 'range', reading: { text: 'high' } },
    ])
    const refused = (given: object) => save({ name: 'never', values: [given] }).then(({ __typename }) => __typename)
    expect(await refused(value(stage, 'position', { number: 11 }))).toBe('LimitViolation')
    expect(await refused(value(stage, 'position', { number: 1 }, 'nm/s'))).toBe('IncompatibleUnit')
    expect(await refused(value(meter, 'power', { number: 1 }))).toBe('ReadOnlyParameter')
    expect(await refused(value(meter, 'range', { text: 'low' }))).toBe('InvalidValue')
    expect(await refused(value(meter, 'colour', { text: 'red' }))).toBe('NotFound')
    expect((await save({ name: ' ', deviceIds: [stage] })).__typename).toBe('InvalidValue')
    expect((await save({ name: 'empty', values: [] })).__typename).toBe('InvalidValue')
  })

  it('is replaced only by those who know its version', async () => {
    const first = await save({ name: 'shared', deviceIds: [camera] })
    expect(await save({ name: 'shared', deviceIds: [camera] })).toMatchObject({
      __typename: 'Conflict',
      message: expect.stringContaining('version 1'),
      current: { id: first.id },
    })
    const next = await save({ name: 'shared', values: [value(camera, 'exposure', { number: 1 })], expectedVersion: 1 })
    expect(next).toMatchObject({ id: first.id, version: 2, entries: [{ reading: { number: 1 } }] })
    expect(await save({ name: 'shared', deviceIds: [camera], expectedVersion: 1 })).toMatchObject({ __typename: 'Conflict' })
    expect(await save({ name: 'not there', deviceIds: [camera], expectedVersion: 3 })).toMatchObject({ __typename: 'Conflict' })
  })

  it('is never made of what is not known', async () => {
    const dead = { time: BigInt(Date.now()) * NS_PER_MS, quality: 'BAD', reason: 'no reply' } as const
    const device = lab.station.device(CAMERA)
    lab.station.change({ ...device, parameters: device.parameters.map((known) => ({ ...known, reading: dead })) })
    await until(async () => (await save({ name: 'dead', deviceIds: [camera], expectedVersion: 99 })).message.includes('not known now'))
  })
})

describe('the difference of a preset', () => {
  it('is told in what it holds, and nothing else', async () => {
    const { id } = await save({ name: 'here', values: [value(stage, 'position', { number: 2.5 }), value(stage, 'velocity', { number: 3 })] })
    const { data } = await lab.ask<{ presetDiff: object[]; stateDiff: object[] }>(
      `query ($id: ID!) { presetDiff(id: $id, with: { now: true }) { parameter { name } from { number } to { number } delta }
         stateDiff(from: { now: true }, to: { presetId: $id }) { parameter { name } delta } }`,
      { id },
    )
    expect(data.presetDiff).toEqual([{ parameter: { name: 'velocity' }, from: { number: 3 }, to: { number: 1 }, delta: -2 }])
    expect(data.stateDiff).toEqual([{ parameter: { name: 'velocity' }, delta: 2 }])
  })
})
