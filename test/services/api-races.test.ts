import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globalId } from '../../api/global-id.ts'
import { startTestLab, type TestLab } from '../api/lab.ts'
import { services } from '../harness/services.ts'

const skipped = services() === undefined
const why = skipped ? ' (skipped: TEST_DATABASE_URL or TEST_REDIS_URL is not set; .ci/servers sets them)' : ''
const ROUNDS = 15

const START_RUN = `mutation ($input: RunInput!) { startRun(input: $input) { __typename ... on Run { id } ... on Problem { message } } }`
const count = (more: object) => ({ input: { plan: { count: { num: 1, detectors: [{ role: 'meter' }] } }, ...more } })

/** Requests that meet in the middle of their transactions. */
describe.skipIf(skipped)(`requests at the same moment${why}`, () => {
  let lab: TestLab
  beforeAll(async () => {
    lab = await startTestLab()
  })
  afterAll(() => lab.close())

  async function startSession(): Promise<string> {
    const { data } = await lab.ask<{ startSession: { id: string } }>('mutation { startSession(input: { title: "race" }) { ... on Session { id } } }')
    return data.startSession.id
  }

  it('to end a session and to start a run in it: one of the two is refused', async () => {
    const outcomes: string[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const sessionId = await startSession()
      const [ended, started] = await Promise.all([
        lab.ask<{ endSession: { __typename: string } }>('mutation ($id: ID!) { endSession(id: $id) { __typename } }', { id: sessionId }),
        lab.ask<{ startRun: { __typename: string } }>(START_RUN, count({ sessionId })),
      ])
      outcomes.push([ended.data.endSession.__typename, started.data.startRun.__typename].sort().join(' '))
    }
    expect(outcomes.filter((outcome) => outcome !== 'Conflict Run' && outcome !== 'Conflict Session')).toEqual([])
  })

  it('to end the same session: it ends once', async () => {
    const id = await startSession()
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => lab.ask<{ endSession: { __typename: string } }>('mutation ($id: ID!) { endSession(id: $id) { __typename } }', { id })),
    )
    expect(answers.map(({ data }) => data.endSession.__typename).sort()).toEqual(['Conflict', 'Conflict', 'Conflict', 'Conflict', 'Conflict', 'Session'])
  })

  it('to start runs without a session: all go into one', async () => {
    const answers = await Promise.all(
      Array.from({ length: 6 }, () =>
        lab.ask<{ startRun: { session: { id: string } } }>(
          'mutation ($input: RunInput!) { startRun(input: $input) { ... on Run { session { id } } ... on Problem { message } } }',
          count({}),
        ),
      ),
    )
    expect(new Set(answers.map(({ data }) => data.startRun.session.id)).size).toBe(1)
  })

  it.each([
    ['name', (index: number) => ['same', `sim://place-${index}`]],
    ['place', (index: number) => [`device-${index}`, 'sim://same']],
  ] as const)('to take one %s for several devices: one gets it', async (_, named) => {
    const answers = await Promise.all(
      Array.from({ length: 4 }, (__, index) => {
        const [name, address] = named(index)
        return lab.ask<{ registerDevice: { __typename: string } }>(
          'mutation ($input: RegisterDeviceInput!) { registerDevice(input: $input) { __typename ... on Problem { message } } }',
          {
            input: {
              name,
              driver: 'fake-stage',
              stationId: globalId('Station', lab.station.stationId),
              settings: [{ name: 'address', value: { text: address } }],
            },
          },
        )
      }),
    )
    expect(answers.map(({ data }) => data.registerDevice.__typename).sort()).toEqual(['Conflict', 'Conflict', 'Conflict', 'Device'])
  })
})
