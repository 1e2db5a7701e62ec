import { afterAll, beforeAll, expect, it } from 'vitest'
import { query, subscribe } from '../harness/graphql.ts'
import { startWholeLab, type WholeLab } from '../harness/lab.ts'
import { until } from '../until.ts'

/** What a camera's frames are like, frame by frame, for who listens now and for who asks later. */

const ENOUGH_FRAMES = 300

type Batch = {
  readonly gap: { readonly reason: string } | null
  readonly snapshot: boolean
  readonly series: readonly { readonly offsetsMs: readonly number[]; readonly numbers: readonly (number | null)[]; readonly qualities: readonly string[] }[]
}

let lab: WholeLab
let camera: string
beforeAll(async () => {
  lab = await startWholeLab()
  const device = await until(
    async () => {
      const answer = await query<{ device: { id: string; connection: string } }>(lab.url, '{ device(name: "camera") { id connection } }')
      return answer.device.connection === 'CONNECTED' && answer.device
    },
    { deadlineMs: 90_000, what: 'the camera is connected' },
  )
  camera = device.id
})
afterAll(async () => {
  await lab?.stop()
})

const command = async (text: string): Promise<void> => {
  const { answer } = await query<{ answer: object }>(lab.url, `mutation ($id: ID!) { answer: ${text} { __typename ... on Problem { message } } }`, {
    id: camera,
  })
  expect(answer).toMatchObject({ __typename: 'CommandPayload' })
}
const state = async () =>
  (
    await query<{ device: { camera: { framesProduced: number }; parameter: { reading: { quality: string; number: number | null } } } }>(
      lab.url,
      '{ device(name: "camera") { camera { framesProduced } parameter(name: "roi_1_mean") { reading { quality number } } } }',
    )
  ).device

it('every subscriber of every value has the mean of each frame, and so has the history', async () => {
  await command('setParameter(input: { deviceId: $id, name: "statistics_regions", value: { text: "8,8,16,16" } })')
  await command('configureCamera(input: { deviceId: $id, exposureSeconds: 0.001, roi: { x: 0, y: 0, width: 64, height: 32 } })') // 1000 frames a second
  const from = new Date().toISOString()
  const batches: Batch[] = []
  let begun = false
  const listening = (async () => {
    for await (const { readings } of subscribe<{ readings: Batch }>(
      lab.url,
      `subscription ($select: [ParameterSelector!]!) { readings(select: $select, delivery: EVERY) { gap { reason } snapshot series { offsetsMs numbers qualities } } }`,
      { select: [{ deviceId: camera, names: ['roi_1_mean'] }] },
    )) {
      begun = true
      batches.push(readings)
      if (!readings.snapshot && readings.series.some(({ qualities }) => qualities.includes('STALE'))) return
    }
  })()
  await until(() => begun, { what: 'the subscription' })
  await command('startLive(deviceId: $id)')
  await until(async () => (await state()).camera.framesProduced >= ENOUGH_FRAMES, { what: 'the frames' })
  await command('stopLive(deviceId: $id)')
  await listening
  const { framesProduced } = (await state()).camera
  expect(batches.filter(({ gap }) => gap !== null)).toEqual([])
  const told = batches
    .filter(({ snapshot }) => !snapshot)
    .flatMap(({ series }) => series.flatMap(({ numbers, qualities }) => numbers.filter((_, at) => qualities[at] === 'GOOD')))
  expect(told).toHaveLength(framesProduced)
  expect((await state()).parameter.reading).toEqual({ quality: 'STALE', number: told.at(-1) })

  const stored = await until(
    async () => {
      const { device } = await query<{ device: { parameter: { history: { values: (number | null)[]; qualities: string[] } } } }>(
        lab.url,
        `query ($from: Time!) { device(name: "camera") { parameter(name: "roi_1_mean") { history(range: { from: $from }, maxPoints: 100000) { values qualities } } } }`,
        { from },
      )
      const { values, qualities } = device.parameter.history
      return qualities.includes('STALE') && values.filter((_, at) => qualities[at] === 'GOOD')
    },
    { deadlineMs: 30_000, everyMs: 100, what: 'the history of the stream' },
  )
  expect(stored).toEqual(told)
})
