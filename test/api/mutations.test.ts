import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { globalId } from '../../api/global-id.ts'
import { LimitViolation, Problem } from '../../core/errors.ts'
import { until } from '../until.ts'
import { METER, STAGE } from './fake-station.ts'
import { startTestLab, type TestLab } from './lab.ts'

let lab: TestLab
beforeAll(async () => {
  lab = await startTestLab()
})
afterAll(() => lab.close())
beforeEach(() => {
  lab.station.commands.length = 0
  lab.station.command = async ({ requestId, calls }) => ({
    requestId,
    state: 'DONE',
    results: calls.map(({ deviceId }) => ({ deviceId, readings: [] })),
    elapsedMs: 1,
  })
})

const stage = globalId('Device', STAGE)
const meter = globalId('Device', METER)

describe('commands', () => {
  it('go to the station with who asks, why, and their deadlines, and bring back what the instrument confirmed', async () => {
    lab.station.command = async ({ requestId }) => ({
      requestId,
      state: 'DONE',
      elapsedMs: 12,
      results: [{ deviceId: STAGE, readings: [{ deviceId: STAGE, parameter: 'velocity', reading: { time: 1n, quality: 'GOOD', value: 2 } }] }],
    })
    const { data, errors } = await lab.ask(
      `mutation ($input: SetParameterInput!) { setParameter(input: $input) { __typename ... on CommandPayload { device { name } state elapsedMs requestId readings { parameter { name unit } reading { number unit } } } } }`,
      {
        input: {
          deviceId: stage,
          name: 'velocity',
          value: { number: 2000 },
          unit: 'um/s',
          options: { idempotencyKey: 'k', reason: 'because', acceptWithinMs: 500, completeWithinMs: 1000 },
        },
      },
    )
    expect(errors).toBeUndefined()
    const [request] = lab.station.commands
    expect(request).toMatchObject({
      calls: [{ deviceId: STAGE, call: { kind: 'set', name: 'velocity', value: 2000, unit: 'um/s' } }],
      cause: { kind: 'PERSON', actor: 'ada', reason: 'because' },
      acceptWithinMs: 500,
      completeWithinMs: 1000,
      idempotencyKey: 'user:ada:k',
    })
    expect(data).toEqual({
      setParameter: {
        __typename: 'CommandPayload',
        device: { name: 'stage' },
        state: 'DONE',
        elapsedMs: 12,
        requestId: request?.requestId,
        readings: [{ parameter: { name: 'velocity', unit: 'mm/s' }, reading: { number: 2, unit: 'mm/s' } }],
      },
    })
  })

  it('answer with the problem that the station names, as data', async () => {
    lab.station.command = async () => {
      throw new LimitViolation('position', 11, -10, 10, 'mm')
    }
    const { data } = await lab.ask(
      'mutation ($id: ID!) { move(input: { deviceId: $id, to: 11 }) { ... on Problem { code message } ... on LimitViolation { given maximum unit parameter { name device { name } } } } }',
      { id: stage },
    )
    expect(data).toEqual({
      move: {
        code: 'LIMIT_VIOLATION',
        message: 'position: 11 mm is outside -10 … 10 mm',
        given: 11,
        maximum: 10,
        unit: 'mm',
        parameter: { name: 'position', device: { name: 'stage' } },
      },
    })
  })

  it('say whether the hardware may have acted', async () => {
    lab.station.command = async () => {
      throw new Problem('HARDWARE_FAULT', 'no answer', { effect: 'POSSIBLE', instrumentCode: 'E7' })
    }
    const { data } = await lab.ask('mutation ($id: ID!) { home(deviceId: $id) { ... on HardwareFault { effect instrumentCode device { name } } } }', {
      id: stage,
    })
    expect(data).toEqual({ home: { effect: 'POSSIBLE', instrumentCode: 'E7', device: { name: 'stage' } } })
  })

  it('of several devices go in one request, in the order given', async () => {
    const { data } = await lab.ask(
      'mutation ($inputs: [SetParameterInput!]!) { setParameters(inputs: $inputs) { ... on CommandsPayload { commands { device { name } } } } }',
      {
        inputs: [
          { deviceId: stage, name: 'velocity', value: { integer: 1 } },
          { deviceId: meter, name: 'range', value: { text: 'high' } },
        ],
      },
    )
    expect(data).toEqual({ setParameters: { commands: [{ device: { name: 'stage' } }, { device: { name: 'meter' } }] } })
    expect(lab.station.commands).toHaveLength(1)
    expect(lab.station.commands[0]).toMatchObject({ order: 'sequence', calls: [{ call: { value: 1 } }, { call: { value: 'high' } }] })
  })

  it.each([
    ['neither to nor by', '{ deviceId: $id }', 'InvalidValue'],
    ['both to and by', '{ deviceId: $id, to: 1, by: 1 }', 'InvalidValue'],
    ['a deadline beyond the bound', '{ deviceId: $id, to: 1, options: { completeWithinMs: 100000000 } }', 'InvalidValue'],
  ])('refuse %s', async (_what, input, type) => {
    const { data } = await lab.ask(`mutation ($id: ID!) { move(input: ${input}) { __typename } }`, { id: stage })
    expect(data).toEqual({ move: { __typename: type } })
    expect(lab.station.commands).toEqual([])
  })

  it('start together only what goes to one place each', async () => {
    const to = (position: number) => ({ deviceId: stage, to: position })
    const { data } = await lab.ask('mutation ($inputs: [MoveInput!]!) { moveMany(inputs: $inputs) { __typename ... on Problem { message } } }', {
      inputs: [to(1), to(2)],
    })
    expect(data).toEqual({ moveMany: { __typename: 'InvalidValue', message: 'stage is named twice; what starts together goes to one place each' } })
  })

  it('find no device under an id that is none', async () => {
    const { data } = await lab.ask('mutation { stop(deviceId: "bogus") { __typename } }')
    expect(data).toEqual({ stop: { __typename: 'NotFound' } })
  })
})

describe('the emergency stop', () => {
  it('reaches every station over GraphQL and over POST /stop, and is released by a person', async () => {
    const { data } = await lab.ask(
      'mutation { emergencyStop(reason: "smoke") { emergencyStop { active by reason } stations { acknowledged station { name } devices { device { name } sentMs confirmed } } } }',
    )
    expect(data).toEqual({
      emergencyStop: {
        emergencyStop: { active: true, by: 'ada', reason: 'smoke' },
        stations: [{ acknowledged: true, station: { name: 'fake' }, devices: [{ device: { name: 'stage' }, sentMs: 1, confirmed: true }] }],
      },
    })
    const posted = await fetch(`${lab.api.url}/stop?reason=fire`, { method: 'POST' })
    expect(posted.status).toBe(200)
    expect(await posted.json()).toMatchObject({ stopped: true })
    expect(lab.station.stops).toMatchObject([{ reason: 'smoke' }, { reason: 'fire', actor: { name: 'ada' } }])
    await until(() => lab.api.services.stations.find(lab.station.stationId)?.emergencyStop.active)
    const run = await lab.ask(
      'mutation { startRun(input: { plan: { count: { num: 1, detectors: [{ role: "meter" }] } } }) { __typename ... on EmergencyStopped { emergencyStop { active reason } } } }',
    )
    expect(run.data).toEqual({ startRun: { __typename: 'EmergencyStopped', emergencyStop: { active: true, reason: 'fire' } } })
    const released = await lab.ask('mutation { releaseEmergencyStop { ... on EmergencyStopPayload { emergencyStop { active } stations { acknowledged } } } }')
    expect(released.data).toEqual({ releaseEmergencyStop: { emergencyStop: { active: false }, stations: [{ acknowledged: true }] } })
    await until(() => lab.api.services.stations.find(lab.station.stationId)?.emergencyStop.active === false)
  })
})

describe('sessions and runs', () => {
  const START = `mutation ($input: RunInput!) { startRun(input: $input) {
    __typename ... on Problem { message } ... on Run { id number state plan { type summary } session { id title state } station { name } totalPoints progress devices { name } bindings { role device { name } } job { state queue } canPause }
  } }`
  const scan = (axis: Record<string, unknown> = {}) => ({
    plan: { linearScan: { num: 11, detectors: [{ role: 'meter' }], axes: [{ role: 'stage', start: 0, stop: 5, ...axis }] } },
  })

  it('queue a run whose roles are names of devices, in a session named after the plan and the day', async () => {
    const today = () => new Date().toISOString().slice(0, 10)
    const before = today()
    const { data, errors } = await lab.ask<{ startRun: { id: string; session: { id: string } } }>(START, { input: scan() })
    expect(errors).toBeUndefined()
    expect(data.startRun).toMatchObject({
      __typename: 'Run',
      number: 1,
      state: 'QUEUED',
      plan: { type: 'linearScan' },
      session: { title: expect.stringMatching(new RegExp(`^Linear scan, (${before}|${today()})$`)), state: 'OPEN' }, // it may have been midnight
      station: { name: 'fake' },
      totalPoints: 11,
      progress: 0,
      devices: [{ name: 'meter' }, { name: 'stage' }],
      bindings: [{ role: 'meter' }, { role: 'stage' }],
      job: { state: 'WAITING', queue: `station-${lab.station.stationId}` },
      canPause: false,
    })
    const queue = await lab.ask('query ($id: ID!) { runQueue(stationId: $id) { held entries { position waitsFor run { id } } } }', {
      id: globalId('Station', lab.station.stationId),
    })
    expect(queue.data).toEqual({ runQueue: { held: false, entries: [{ position: 1, waitsFor: null, run: { id: data.startRun.id } }] } })

    const ended = await lab.ask('mutation ($id: ID!) { endSession(id: $id) { __typename ... on Conflict { current { __typename id } } } }', {
      id: data.startRun.session.id,
    })
    expect(ended.data).toEqual({ endSession: { __typename: 'Conflict', current: { __typename: 'Run', id: data.startRun.id } } })
    const aborted = await lab.ask('mutation ($id: ID!) { abortRun(id: $id, reason: "no") { ... on Run { state exitReason job { state } } } }', {
      id: data.startRun.id,
    })
    expect(aborted.data).toEqual({ abortRun: { state: 'ABORTED', exitReason: 'aborted by ada: no', job: { state: 'CANCELLED' } } })
    const again = await lab.ask('mutation ($id: ID!) { abortRun(id: $id) { __typename } }', { id: data.startRun.id })
    expect(again.data).toEqual({ abortRun: { __typename: 'Conflict' } })
  })

  it('give the first run for the same key, also to two requests at once', async () => {
    const input = { ...scan(), idempotencyKey: 'once' }
    const answers = await Promise.all([1, 2, 3].map(() => lab.ask<{ startRun: { number: number } }>(START, { input })))
    expect(new Set(answers.map(({ data }) => data.startRun.number)).size).toBe(1)
  })

  it.each([
    ['an axis beyond its limits, in another unit', scan({ stop: 20_000, unit: 'um' }), 'LimitViolation'],
    ['a relative range that ends beyond them', scan({ start: 0, stop: 8, relative: true }), 'LimitViolation'],
    ['an axis that cannot be moved', scan({ role: 'meter' }), 'NotSupported'],
    ['a parameter that is not there', scan({ parameter: 'colour' }), 'InvalidValue'],
    ['a parameter that cannot be set', scan({ parameter: 'position' }), 'ReadOnlyParameter'],
    ['a unit that cannot be', scan({ unit: 'V' }), 'IncompatibleUnit'],
    ['a role that nobody plays', scan({ role: 'telescope' }), 'NotFound'],
    ['a plan that is wrong by itself', { plan: { count: { num: 0, detectors: [{ role: 'meter' }] } } }, 'InvalidValue'],
    ['an average of no reading', { plan: { count: { num: 1, detectors: [{ role: 'meter', average: 0 }] } } }, 'InvalidValue'],
    ['frames of what is no camera', { plan: { count: { num: 1, detectors: [{ role: 'meter', frames: 3 }] } } }, 'NotSupported'],
    ['a camera where a number is wanted', { plan: { count: { num: 1, detectors: [{ role: 'camera' }] } } }, 'NotSupported'],
  ])('refuse %s before it waits', async (_what, input, type) => {
    const { data, errors } = await lab.ask(START, { input })
    expect(errors).toBeUndefined()
    expect(data).toMatchObject({ startRun: { __typename: type } })
  })

  it('refuse frames for which there is no room', async () => {
    lab.station.diskFreeBytes = 1e6
    const { data } = await lab.ask(
      'mutation { startRun(input: { plan: { record: { frames: 100, detectors: [{ role: "camera" }] } } }) { __typename ... on StorageFull { neededBytes freeBytes } } }',
    )
    expect(data).toMatchObject({ startRun: { __typename: 'StorageFull', freeBytes: 1e6 } })
    lab.station.diskFreeBytes = 1e12
  })

  it('keep notes on sessions, runs and datasets in the session', async () => {
    const { data } = await lab.ask<{ startSession: { id: string } }>(
      'mutation { startSession(input: { title: "beam", tags: ["laser"], metadata: { sample: 7 } }) { ... on Session { id operator metadata tags } } }',
    )
    expect(data.startSession).toMatchObject({ operator: 'ada', metadata: { sample: 7 }, tags: ['laser'] })
    const { id } = data.startSession
    const note = await lab.ask(
      'mutation ($id: ID!) { annotate(input: { sessionId: $id, text: "aligned", tags: ["x"] }) { ... on Note { author text tags } } }',
      { id },
    )
    expect(note.data).toEqual({ annotate: { author: 'ada', text: 'aligned', tags: ['x'] } })
    const ended = await lab.ask(
      'mutation ($id: ID!) { endSession(id: $id, summary: "good") { ... on Session { state summary endedAt notes { text } devices { name } } } }',
      { id },
    )
    expect(ended.data).toMatchObject({ endSession: { state: 'CLOSED', summary: 'good', notes: [{ text: 'aligned' }], devices: [] } })
    const found = await lab.ask('{ sessions(filter: { text: "ALIGNED", tags: ["laser"], state: CLOSED }) { totalCount edges { node { title } } } }')
    expect(found.data).toEqual({ sessions: { totalCount: 1, edges: [{ node: { title: 'beam' } }] } })
    const run = await lab.ask(START, { input: { ...scan(), sessionId: id } })
    expect(run.data).toMatchObject({ startRun: { __typename: 'Conflict' } })
  })

  it('hold and release the queue of a station', async () => {
    const id = globalId('Station', lab.station.stationId)
    const held = await lab.ask('mutation ($id: ID!) { holdQueue(stationId: $id, reason: "lunch") { ... on RunQueue { held } } }', { id })
    expect(held.data).toEqual({ holdQueue: { held: true } })
    const released = await lab.ask('mutation ($id: ID!) { releaseQueue(stationId: $id) { ... on RunQueue { held station { name } } } }', { id })
    expect(released.data).toEqual({ releaseQueue: { held: false, station: { name: 'fake' } } })
    await lab.ask('mutation { emergencyStop { elapsedMs } }')
    const refused = await lab.ask('mutation ($id: ID!) { releaseQueue(stationId: $id) { __typename ... on EmergencyStopped { emergencyStop { active } } } }', {
      id,
    })
    await lab.ask('mutation { releaseEmergencyStop { __typename } }')
    expect(refused).toEqual({ data: { releaseQueue: { __typename: 'EmergencyStopped', emergencyStop: { active: true } } } })
  })
})

describe('devices', () => {
  const REGISTER =
    'mutation ($input: RegisterDeviceInput!) { registerDevice(input: $input) { __typename ... on Problem { message } ... on Device { id name simulated port { path } } } }'
  const input = (name: string, address: string) => ({
    name,
    driver: 'fake-stage',
    stationId: globalId('Station', lab.station.stationId),
    settings: [{ name: 'address', value: { text: address } }],
  })

  it('are registered once the station has found the settings right; names and places are taken once', async () => {
    const { data } = await lab.ask<{ registerDevice: { id: string } }>(REGISTER, { input: input('second', 'sim://second') })
    expect(data.registerDevice).toMatchObject({ __typename: 'Device', name: 'second', simulated: true, port: { path: 'sim://second' } })
    expect((await lab.ask(REGISTER, { input: input('second', 'sim://third') })).data).toMatchObject({ registerDevice: { __typename: 'Conflict' } })
    expect((await lab.ask(REGISTER, { input: input('third', 'sim://second') })).data).toMatchObject({ registerDevice: { __typename: 'Conflict' } })
    expect((await lab.ask(REGISTER, { input: input('3 third', 'sim://x') })).data).toMatchObject({ registerDevice: { __typename: 'InvalidValue' } })
    const removed = await lab.ask('mutation ($id: ID!) { removeDevice(id: $id) { ... on Device { name removedAt } } }', { id: data.registerDevice.id })
    expect(removed.data).toMatchObject({ removeDevice: { name: 'second', removedAt: expect.any(String) } })
    expect((await lab.ask(REGISTER, { input: input('second', 'sim://second') })).data).toMatchObject({ registerDevice: { __typename: 'Device' } })
  })

  it('stay as their station said when it refused', async () => {
    lab.station.checkDevice = async () => {
      throw new Problem('INVALID_VALUE', 'address: nowhere', { path: ['address'] })
    }
    expect((await lab.ask(REGISTER, { input: input('fourth', 'nowhere') })).data).toMatchObject({
      registerDevice: { __typename: 'InvalidValue', message: 'address: nowhere' },
    })
    expect((await lab.ask('{ device(name: "fourth") { id } }')).data).toEqual({ device: null })
  })

  it('are disconnected for good until they are connected again', async () => {
    const { data } = await lab.ask(
      'mutation ($id: ID!) { disconnectDevice(id: $id) { ... on Device { name } } connectDevice(id: $id) { ... on Device { name } } }',
      { id: meter },
    )
    expect(data).toEqual({ disconnectDevice: { name: 'meter' }, connectDevice: { name: 'meter' } })
    expect(lab.station.commands.map(({ calls }) => calls[0]?.call.kind)).toEqual(['disconnect', 'connect'])
  })
})
