import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CommandProgress, CommandRequest } from '../../../../core/command.ts'
import { uuidv7 } from '../../../../core/id.ts'
import { until } from '../../../until.ts'
import { type HostBench, never, openHostBench, problemOf, record } from './bench.ts'
import { Instrument, QUICK, SLOW, testDriver } from './test-driver.ts'

let stage: Instrument
let meter: Instrument
let bench: HostBench

beforeEach(async () => {
  stage = new Instrument()
  meter = new Instrument()
  bench = await openHostBench(
    [testDriver({ stage, meter })],
    [
      record('axis', 'test-bench', { address: 'stage' }),
      record('meter', 'test-bench', { address: 'meter', moves: false }),
      record('away', 'test-bench', { address: 'nowhere' }),
      record('strange', 'unknown-driver', { address: 'stage' }),
    ],
  )
  await bench.connected('axis', 'meter')
})
afterEach(() => bench[Symbol.asyncDispose]())

const setGain = (value: number, unit?: string): { readonly kind: 'set'; readonly name: string; readonly value: number; readonly unit?: string } => ({
  kind: 'set',
  name: 'gain',
  value,
  ...(unit !== undefined && { unit }),
})

describe('what is refused, before anything is written', () => {
  const refusals: [string, string, CommandRequest['calls'][number]['call'], string, object?][] = [
    ['an unknown device', 'nobody', { kind: 'read' }, 'NOT_FOUND'],
    ['a device that is away', 'away', { kind: 'read' }, 'DEVICE_OFFLINE'],
    ['a device without a driver', 'strange', { kind: 'read' }, 'DEVICE_OFFLINE'],
    ['an unknown parameter', 'axis', { kind: 'set', name: 'colour', value: 1 }, 'NOT_FOUND'],
    ['a parameter that can only be read', 'axis', { kind: 'set', name: 'power', value: 1 }, 'READ_ONLY', { parameter: 'power' }],
    ['a value of the wrong kind', 'axis', { kind: 'set', name: 'gain', value: 'high' }, 'INVALID_VALUE'],
    ['a choice that there is not', 'axis', { kind: 'set', name: 'mode', value: 'medium' }, 'INVALID_VALUE'],
    ['a value outside its limits', 'axis', setGain(11), 'LIMIT_VIOLATION', { given: 11, maximum: 10, unit: 'V' }],
    ['a value outside its limits in another unit', 'axis', setGain(11_000, 'mV'), 'LIMIT_VIOLATION', { given: 11 }],
    ['a unit that does not fit', 'axis', setGain(1, 'mm'), 'INCOMPATIBLE_UNIT', { givenUnit: 'mm', expectedUnit: 'V' }],
    ['a set of a device that takes none', 'meter', setGain(1), 'NOT_SUPPORTED', { capability: 'SETTABLE' }],
    ['a move of what cannot move', 'meter', { kind: 'move', to: 1, wait: true }, 'NOT_SUPPORTED', { capability: 'MOVABLE' }],
    ['a home of what cannot move', 'meter', { kind: 'home', wait: true }, 'NOT_SUPPORTED', { capability: 'MOVABLE' }],
    ['a stop of what cannot move', 'meter', { kind: 'stop' }, 'NOT_SUPPORTED', { capability: 'MOVABLE' }],
    ['a move beyond the limits', 'axis', { kind: 'move', to: 51, wait: true }, 'LIMIT_VIOLATION', { given: 51, minimum: 0, maximum: 50, unit: 'mm' }],
    ['a relative move beyond the limits', 'axis', { kind: 'move', by: -1, wait: true }, 'LIMIT_VIOLATION', { given: -1 }],
    ['a move to nowhere', 'axis', { kind: 'move', wait: true }, 'INVALID_VALUE'],
    ['a move both to and by', 'axis', { kind: 'move', to: 1, by: 1, wait: true }, 'INVALID_VALUE'],
    ['a move to no number', 'axis', { kind: 'move', to: Number.NaN, wait: true }, 'INVALID_VALUE'],
    ['a move in kilograms', 'axis', { kind: 'move', to: 1, unit: 'kg', wait: true }, 'INCOMPATIBLE_UNIT'],
    ['a trigger of what has none', 'axis', { kind: 'trigger', frames: 1 }, 'NOT_SUPPORTED', { capability: 'TRIGGERABLE' }],
    ['a camera setting of what is none', 'axis', { kind: 'configureCamera', binning: 2 }, 'NOT_SUPPORTED', { capability: 'FRAME_PRODUCER' }],
    ['an exposure of what has none', 'axis', { kind: 'configureCamera', exposureSeconds: 1 }, 'NOT_SUPPORTED', { capability: 'EXPOSURE_CONTROL' }],
    ['a live picture of what is no camera', 'axis', { kind: 'startLive' }, 'NOT_SUPPORTED', { capability: 'FRAME_PRODUCER' }],
    ['a refresh of an unknown parameter', 'axis', { kind: 'refresh', names: ['colour'] }, 'NOT_FOUND'],
    ['a refresh of what cannot be read', 'axis', { kind: 'refresh', names: ['note'] }, 'NOT_SUPPORTED'],
  ]

  it.each(refusals)('%s', async (_, deviceId, call, code, facts = {}) => {
    const before = bench.journal.last
    const problem = await problemOf(bench.ask(deviceId, call))
    expect(problem).toMatchObject({ code, effect: 'NONE', facts: { deviceId, ...facts } })
    expect(stage.heard).toEqual([])
    const commands = (await bench.entries()).filter(({ type }) => type === 'command')
    expect(commands, `nothing was accepted since ${before}`).toEqual([])
  })

  it('all calls of a request, when one of them is wrong', async () => {
    const calls = [setGain(1), setGain(99)].map((call) => ({ deviceId: 'axis', call }))
    const problem = await problemOf(bench.host.command({ requestId: 'r', calls, order: 'sequence', cause: { kind: 'PERSON' }, acceptWithinMs: 30_000 }, never))
    expect(problem.code).toBe('LIMIT_VIOLATION')
    expect(stage.heard).toEqual([])
  })

  it("a value that is not what was expected, by the instrument's own word", async () => {
    stage.values.set('gain', 3) // somebody at the front panel
    const problem = await problemOf(bench.ask('axis', { ...setGain(5), expected: 2 }))
    expect(problem).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('is 3, not 2') })
    expect(stage.heard).toEqual([])
    await bench.ask('axis', { ...setGain(5), expected: 3 })
    expect(stage.heard).toEqual(['gain=5'])
  })

  it('a second move while the axis moves', async () => {
    stage.unitsPerSecond = SLOW
    await bench.ask('axis', { kind: 'move', to: 10, wait: false })
    expect(await problemOf(bench.ask('axis', { kind: 'move', to: 1, wait: false }))).toMatchObject({ code: 'DEVICE_BUSY' })
    expect(stage.heard).toEqual(['move 10'])
  })

  it('a request that is not accepted in time', async () => {
    stage.silent.add('read')
    const problem = await problemOf(bench.ask('axis', { ...setGain(5), expected: 2 }, { acceptWithinMs: 30 }))
    expect(problem).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'NONE', facts: { deadlineMs: 30 } })
    expect(stage.heard).toEqual([])
  })
})

describe('a set', () => {
  it('converts, writes, reads back, announces once, and journals old, new, unit and cause', async () => {
    const { position } = bench.host.readings
    const answer = await bench.ask('axis', setGain(4500, 'mV'), { cause: { kind: 'PERSON', actor: 'Ada', reason: 'too dim' } })
    expect(answer).toMatchObject({
      state: 'DONE',
      results: [{ deviceId: 'axis', readings: [{ parameter: 'gain', reading: { value: 4.5, quality: 'GOOD' } }] }],
    })
    expect(stage.heard).toEqual(['gain=4.5'])
    const device = bench.host.device('axis')
    expect([device.reading('gain')?.value, device.setpoint('gain')?.value]).toEqual([4.5, 4.5])
    expect((await bench.entries()).filter(({ type }) => type === 'change')).toMatchObject([
      { deviceId: 'axis', parameter: 'gain', unit: 'V', old: { value: 2 }, new: { value: 4.5 }, cause: { kind: 'PERSON', actor: 'Ada', reason: 'too dim' } },
    ])
    expect(bench.host.readings.position.position).toBeGreaterThan(position.position)
  })

  it('that fails leaves the value and its subscribers untouched', async () => {
    stage.failing.add('write')
    const problem = await problemOf(bench.ask('axis', setGain(5)))
    expect(problem).toMatchObject({ code: 'HARDWARE_FAULT', facts: { deviceId: 'axis', instrumentCode: '7' } })
    const device = bench.host.device('axis')
    expect([device.reading('gain')?.value, device.setpoint('gain')]).toEqual([2, undefined])
    expect((await bench.entries()).filter(({ type }) => type === 'change')).toEqual([])
  })

  it('of what cannot be read keeps what was asked for', async () => {
    const answer = await bench.ask('axis', { kind: 'set', name: 'note', value: 'hello' })
    expect(answer.results[0]?.readings).toMatchObject([{ parameter: 'note', reading: { value: 'hello' } }])
    expect(bench.host.device('axis').reading('note')).toBeUndefined()
  })

  it('in the order given, one after the other', async () => {
    const calls = [1, 2, 3].map((value) => ({ deviceId: 'axis', call: setGain(value) }))
    const answer = await bench.host.command({ requestId: 'r', calls, order: 'sequence', cause: { kind: 'PERSON' }, acceptWithinMs: 30_000 }, never)
    expect(stage.heard).toEqual(['gain=1', 'gain=2', 'gain=3'])
    expect(answer.results).toHaveLength(3)
  })
})

describe('a reading', () => {
  it('is fresh, and only the main quantity', async () => {
    meter.values.set('power', 42)
    const answer = await bench.ask('meter', { kind: 'read' })
    expect(answer.results).toMatchObject([{ readings: [{ parameter: 'power', reading: { value: 42, quality: 'GOOD' } }] }])
  })

  it('that fails is BAD with its reason and no value', async () => {
    meter.failing.add('read power')
    const answer = await bench.ask('meter', { kind: 'read' })
    expect(answer.results[0]?.readings[0]?.reading).toEqual({ time: expect.any(BigInt), quality: 'BAD', reason: 'no reply within 1 s' })
  })

  it('of all that can be read, or of the named', async () => {
    const all = await bench.ask('meter', { kind: 'refresh' })
    expect(all.results[0]?.readings.map(({ parameter }) => parameter)).toEqual(['position', 'power', 'gain', 'mode', 'enabled'])
    const named = await bench.ask('meter', { kind: 'refresh', names: ['mode'] })
    expect(named.results[0]?.readings).toMatchObject([{ parameter: 'mode', reading: { value: 'slow' } }])
  })

  it('is not journalled as a command', async () => {
    await bench.ask('meter', { kind: 'read' })
    expect((await bench.entries()).filter(({ type }) => type === 'command')).toEqual([])
  })
})

describe('a move', () => {
  it('is done when the axis stands by its own word, and answers what it measured and what was asked', async () => {
    const answer = await bench.ask('axis', { kind: 'move', to: 0.5, unit: 'cm', wait: true })
    expect(answer.state).toBe('DONE')
    expect(answer.results[0]?.readings).toMatchObject([
      { parameter: 'position', reading: { value: 5 } },
      { parameter: 'position', reading: { value: 5 }, setpoint: true },
    ])
    expect(stage.heard).toEqual(['move 5'])
    expect(bench.host.device('axis').state).toMatchObject({ status: { code: 'IDLE' }, motion: { moving: false } })
  })

  it('by a distance counts from where the last one was to end', async () => {
    for (const by of [0.1, 0.1, 0.1]) await bench.ask('axis', { kind: 'move', by, wait: true })
    expect(stage.heard.at(-1)).toBe(`move ${0.1 + 0.1 + 0.1}`)
  })

  it('of several axes starts them together', async () => {
    stage.unitsPerSecond = meter.unitsPerSecond = SLOW
    bench.registry = [...bench.registry, record('axis2', 'test-bench', { address: 'meter' })].filter(({ id }) => id !== 'meter')
    await bench.host.syncDevices()
    await bench.connected('axis2')
    const calls = ['axis', 'axis2'].map((deviceId) => ({ deviceId, call: { kind: 'move', to: 1, wait: true } as const }))
    const moving = bench.host.command({ requestId: 'r', calls, order: 'together', cause: { kind: 'PERSON' }, acceptWithinMs: 30_000 }, never)
    await until(() => stage.moving && meter.moving)
    stage.unitsPerSecond = meter.unitsPerSecond = QUICK
    expect((await moving).results.map(({ readings }) => readings[0]?.reading.value)).toEqual([1, 1])
  })

  it('that is not waited for is accepted at once and can be followed', async () => {
    stage.unitsPerSecond = SLOW
    const requestId = uuidv7()
    const answer = await bench.ask('axis', { kind: 'move', to: 2, wait: false }, { requestId })
    expect(answer.state).toBe('ACCEPTED')
    expect(bench.host.device('axis').state).toMatchObject({ status: { code: 'BUSY' }, motion: { moving: true } })
    const seen: CommandProgress[] = []
    for await (const progress of bench.host.progress(requestId, never)) {
      seen.push(progress)
      if (seen.length === 2) stage.unitsPerSecond = QUICK
    }
    expect(seen[0]).toMatchObject({ state: 'ACCEPTED', done: false })
    expect(seen.length).toBeGreaterThan(2)
    expect(seen.at(-1)).toMatchObject({ state: 'DONE', done: true, readings: [{ reading: { value: 2 } }, { setpoint: true }] })
    // Who comes late hears the end.
    for await (const progress of bench.host.progress(requestId, never)) expect(progress.done).toBe(true)
  })

  it('that nobody has heard of cannot be followed', async () => {
    await expect(bench.host.progress('nobody', never)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('that takes too long is stopped', async () => {
    stage.unitsPerSecond = SLOW
    const problem = await problemOf(bench.ask('axis', { kind: 'move', to: 40, wait: true }, { completeWithinMs: 500 }))
    expect(problem).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'POSSIBLE', facts: { deadlineMs: 500, deviceId: 'axis' } })
    expect(stage.heard).toEqual(['move 40', 'stop'])
    expect(stage.moving).toBe(false)
  })

  it('that takes too long is stopped also when nobody waits for it', async () => {
    stage.unitsPerSecond = SLOW
    const requestId = uuidv7()
    await bench.ask('axis', { kind: 'move', to: 40, wait: false }, { requestId, completeWithinMs: 500 })
    let last: CommandProgress | undefined
    for await (const progress of bench.host.progress(requestId, never)) last = progress
    expect(last).toMatchObject({ done: true, problem: { code: 'DEADLINE_EXCEEDED' } })
    expect(stage.heard).toEqual(['move 40', 'stop'])
  })

  it('that was not confirmed in time is stopped too: the axis may be on its way', async () => {
    stage.unitsPerSecond = SLOW
    stage.unconfirmed.add('moveTo')
    const problem = await problemOf(bench.ask('axis', { kind: 'move', to: 40, wait: true }, { completeWithinMs: 500 }))
    expect(problem).toMatchObject({ code: 'DEADLINE_EXCEEDED', effect: 'POSSIBLE' })
    expect(stage.heard).toEqual(['move 40', 'stop'])
    expect(stage.moving).toBe(false)
  })

  it('that somebody stops is not taken for done', async () => {
    stage.unitsPerSecond = SLOW
    const moving = problemOf(bench.ask('axis', { kind: 'move', to: 40, wait: true }))
    await until(() => stage.moving)
    const stopped = await bench.ask('axis', { kind: 'stop' })
    expect(stopped.results[0]?.readings[0]?.reading.value).toBe(stage.position)
    expect(await moving).toMatchObject({ code: 'CONFLICT', effect: 'POSSIBLE' })
  })

  it('is in the history with its cause', async () => {
    await bench.ask('axis', { kind: 'move', to: 3, wait: true })
    expect((await bench.entries()).filter(({ type }) => type === 'change')).toMatchObject([
      { parameter: 'position', unit: 'mm', old: { value: 0 }, new: { value: 3 }, cause: { actor: 'Ada' } },
    ])
  })
})

describe('the same idempotency key', () => {
  const again = { idempotencyKey: 'k1' }

  it('gives the first answer, and nothing moves twice', async () => {
    const first = await bench.ask('axis', { kind: 'move', by: 1, wait: true }, again)
    const second = await bench.ask('axis', { kind: 'move', by: 1, wait: true }, again)
    expect(second).toEqual(first)
    expect(stage.heard).toEqual(['move 1'])
  })

  it('waits with the first while it is under way', async () => {
    stage.unitsPerSecond = SLOW
    const both = Promise.all([bench.ask('axis', { kind: 'move', by: 1, wait: true }, again), bench.ask('axis', { kind: 'move', by: 1, wait: true }, again)])
    await until(() => stage.moving)
    stage.unitsPerSecond = QUICK
    const [first, second] = await both
    expect(second).toEqual(first)
    expect(stage.heard).toEqual(['move 1'])
  })

  it('gives the first failure', async () => {
    stage.failing.add('write')
    const first = await problemOf(bench.ask('axis', setGain(5), again))
    stage.failing.clear()
    const second = await problemOf(bench.ask('axis', setGain(5), again))
    expect(second.toRecord()).toEqual(first.toRecord())
    expect(stage.heard).toEqual([])
  })

  it('with other arguments is a conflict, while the first is under way, when it is done and after a restart', async () => {
    stage.unitsPerSecond = SLOW
    const first = bench.ask('axis', { kind: 'move', by: 1, wait: true }, again)
    await until(() => stage.moving)
    const other = async (): Promise<unknown> => problemOf(bench.ask('axis', { kind: 'move', by: 2, wait: true }, again))
    const conflict = { code: 'CONFLICT', effect: 'NONE', facts: { deviceId: 'axis' } }
    expect(await other()).toMatchObject(conflict)
    stage.unitsPerSecond = QUICK
    await first
    expect(await other()).toMatchObject(conflict)
    await bench.restart()
    await bench.connected('axis')
    expect(await other()).toMatchObject(conflict)
    expect(await problemOf(bench.ask('meter', { kind: 'move', by: 1, wait: true }, again))).toMatchObject({ code: 'CONFLICT' })
    expect(await bench.ask('axis', { kind: 'move', by: 1, wait: true }, again)).toEqual(await first)
    expect(stage.heard).toEqual(['move 1'])
  })

  it('gives the first answer after a restart', async () => {
    const first = await bench.ask('axis', setGain(5), again)
    await bench.restart()
    await bench.connected('axis')
    expect(await bench.ask('axis', setGain(5), again)).toEqual(first)
    expect(stage.heard).toEqual(['gain=5'])
  })
})

describe('the journal', () => {
  it('has the command before the hardware acts and the outcome before the answer', async () => {
    stage.silent.add('write')
    const exchange = stage.exchange.bind(stage)
    const atTheWrite: string[] = []
    stage.exchange = async (name, answer, signal) => {
      if (name === 'write') atTheWrite.push(...(await bench.entries()).map(({ type }) => type))
      return await exchange(name, answer, signal)
    }
    expect(await problemOf(bench.ask('axis', setGain(5), { requestId: 'r1', completeWithinMs: 500 }))).toMatchObject({
      code: 'DEADLINE_EXCEEDED',
      effect: 'POSSIBLE',
    })
    expect(atTheWrite.filter((type) => type === 'command' || type === 'outcome')).toEqual(['command'])
    expect((await bench.entries()).filter(({ type }) => type === 'outcome')).toMatchObject([{ requestId: 'r1', problem: { code: 'DEADLINE_EXCEEDED' } }])
  })
})

describe('a device that a run holds', () => {
  it("refuses others' commands with the run's name, but is read and stopped by anybody", async () => {
    await using claim = bench.host.claim('run-1', 1, ['axis'])
    for (const call of [setGain(1), { kind: 'move', to: 1, wait: true }, { kind: 'home', wait: true }, { kind: 'disconnect' }] as const)
      expect(await problemOf(bench.ask('axis', call))).toMatchObject({ code: 'DEVICE_BUSY', facts: { runId: 'run-1', deviceId: 'axis' } })
    expect(stage.heard).toEqual([])
    await bench.ask('axis', { kind: 'read' })
    await bench.ask('axis', { kind: 'stop' })
    await bench.ask('axis', setGain(1), { fence: { runId: 'run-1', number: 1 } })
    expect(stage.heard).toEqual(['stop', 'gain=1'])
    expect(bench.host.device('axis').state.runId).toBe(claim.runId)
  })

  it('takes no write with an old number', async () => {
    await using old = bench.host.claim('run-1', 1, ['axis'])
    await using _new = bench.host.claim('run-1', 2, ['axis'])
    expect(old.signal.aborted).toBe(true)
    expect(await problemOf(bench.ask('axis', setGain(1), { fence: { runId: 'run-1', number: 1 } }))).toMatchObject({ code: 'DEVICE_BUSY' })
    expect(() => bench.host.claim('run-1', 2, ['axis'])).toThrow(/number 2 already/)
    expect(() => bench.host.claim('run-2', 1, ['axis'])).toThrow(/held by run run-1/)
  })

  it('is free again after the run, and its late writes are not', async () => {
    const claim = bench.host.claim('run-1', 1, ['axis'])
    await claim[Symbol.asyncDispose]()
    await bench.ask('axis', setGain(1))
    expect(await problemOf(bench.ask('axis', setGain(2), { fence: { runId: 'run-1', number: 1 } }))).toMatchObject({ code: 'CONFLICT' })
    expect(stage.heard).toEqual(['gain=1'])
  })

  it('is not given to a run while somebody moves it', async () => {
    stage.unitsPerSecond = SLOW
    await bench.ask('axis', { kind: 'move', to: 10, wait: false })
    expect(() => bench.host.claim('run-1', 1, ['axis'])).toThrow(/busy/)
  })
})

it('the manifest names every parameter with its reading, the drivers and the software', () => {
  const { parameters, software } = bench.host.manifest()
  expect(software).toMatchObject({ commit: 'abc', drivers: { 'test-bench': '1.2.3', 'unknown-driver': 'unknown' }, node: process.version })
  expect(parameters.find(({ deviceName, parameter }) => deviceName === 'axis' && parameter === 'gain')).toMatchObject({ unit: 'V', reading: { value: 2 } })
})

it('the manifest says of a device that never connected why it has no readings', async () => {
  await until(() => bench.host.device('away').state.connectionReason !== undefined)
  const { parameters, devices } = bench.host.manifest()
  expect(devices?.map(({ deviceId }) => deviceId)).toEqual(['axis', 'meter', 'away', 'strange'])
  expect(devices).toContainEqual({ deviceId: 'axis', deviceName: 'axis', driverId: 'test-bench', connection: 'CONNECTED' })
  expect(devices?.find(({ deviceId }) => deviceId === 'away')).toMatchObject({
    connection: expect.not.stringMatching(/^CONNECTED$/),
    connectionReason: 'nothing is at nowhere',
  })
  expect(devices?.find(({ deviceId }) => deviceId === 'strange')).toMatchObject({
    connection: 'FAILED',
    connectionReason: 'no driver unknown-driver is installed on this station',
  })
  expect(parameters.filter(({ deviceId }) => deviceId === 'away' || deviceId === 'strange')).toEqual([])
})
