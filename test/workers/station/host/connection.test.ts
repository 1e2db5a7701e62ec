import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { HostChange } from '../../../../workers/station/host/host.ts'
import { until } from '../../../until.ts'
import { type HostBench, never, openHostBench, problemOf, record } from './bench.ts'
import { Instrument, QUICK, SLOW, testDriver } from './test-driver.ts'

let stage: Instrument
let bench: HostBench

beforeEach(async () => {
  stage = new Instrument()
  bench = await openHostBench([testDriver({ stage })], [record('axis', 'test-bench', { address: 'stage' }), record('twin', 'test-bench', { address: 'stage' })])
  await bench.connected('axis', 'twin')
})
afterEach(() => bench[Symbol.asyncDispose]())

const connection = (): string => bench.host.device('axis').state.connection

describe('a device', () => {
  it('shares its port with the others on it', () => {
    expect(stage.openPorts).toBe(1)
  })

  it('has been read before it may be commanded', () => {
    const { state } = bench.host.device('axis')
    expect(state).toMatchObject({
      identity: 'Test Bench 1.0',
      readoutParameter: 'power',
      status: { code: 'IDLE' },
      motion: { moving: false, minimum: 0, maximum: 50 },
    })
    expect(state.capabilities).toEqual(['MOVABLE', 'READABLE', 'PARAMETERIZED', 'SETTABLE'])
    expect(state.parameters.find(({ spec }) => spec.name === 'gain')?.reading).toMatchObject({ value: 2, quality: 'GOOD' })
  })

  it('that is lost alone is offline at once with its reason, while its twin on the same port stays, and comes back', async () => {
    const seen: HostChange[] = []
    const stop = new AbortController()
    const watching = (async () => {
      for await (const change of bench.host.changes(stop.signal)) seen.push(change)
    })()
    stage.removeFirst('the camera was removed')
    await until(() => seen.some((change) => change.kind === 'device' && change.device.connectionReason === 'the camera was removed'))
    await bench.connected('axis', 'twin')
    stop.abort()
    await watching
    const lost = new Set(seen.flatMap((change) => (change.kind === 'device' && change.device.connection !== 'CONNECTED' ? [change.device.id] : [])))
    expect(lost.size).toBe(1)
    expect(stage.openPorts).toBe(1)
  })

  it('that is unplugged goes STALE with a reason, refuses at once, and comes back by itself with the same handles', async () => {
    const handles = bench.host.device('axis').state.parameters.map(({ handle }) => handle)
    const seen: HostChange[] = []
    const stop = new AbortController()
    const watching = (async () => {
      for await (const change of bench.host.changes(stop.signal)) seen.push(change)
    })()

    stage.unplug()
    await until(() => connection() === 'RECONNECTING')
    const gain = bench.host.device('axis').reading('gain')
    expect(gain).toMatchObject({ quality: 'STALE', value: 2, reason: 'the cable was pulled' })
    expect(await problemOf(bench.ask('axis', { kind: 'set', name: 'gain', value: 1 }))).toMatchObject({ code: 'DEVICE_OFFLINE', effect: 'NONE' })
    await until(() => stage.openPorts === 0)

    stage.plugged = true
    await bench.connected('axis', 'twin')
    expect(bench.host.device('axis').reading('gain')).toMatchObject({ quality: 'GOOD', value: 2 })
    expect(bench.host.device('axis').state.parameters.map(({ handle }) => handle)).toEqual(handles)
    expect(stage.openPorts).toBe(1)
    stop.abort()
    await watching
    const connections = seen.flatMap((change) => (change.kind === 'device' && change.device.id === 'axis' ? [change.device.connection] : []))
    expect(connections[0]).toBe('RECONNECTING')
    expect(connections.at(-1)).toBe('CONNECTED')
    const events = (await bench.entries()).flatMap((entry) => (entry.type === 'event' && entry.event.deviceId === 'axis' ? [entry.event.summary] : []))
    expect(events).toContain('axis is reconnecting: the cable was pulled')
  })

  it('says what its handles mean before the first reading of them, however long it takes to open', async () => {
    const known = new Set(bench.host.states().flatMap(({ parameters }) => parameters.map(({ handle }) => handle)))
    const fresh: number[] = []
    const nameless: number[] = []
    const stop = new AbortController()
    const watching = Promise.all([
      (async () => {
        for await (const change of bench.host.changes(stop.signal))
          if (change.kind === 'device') for (const { handle } of change.device.parameters) known.add(handle)
      })(),
      (async () => {
        const before = new Set(known)
        for await (const item of bench.host.readings.stream({ after: bench.host.readings.position }, stop.signal)) {
          if (item.kind === 'gap') throw new Error(item.reason)
          fresh.push(...item.columns.handles.filter((handle) => !before.has(handle)))
          nameless.push(...item.columns.handles.filter((handle) => !known.has(handle)))
        }
      })(),
    ])
    stage.silent.add('isMoving') // asked last of all
    bench.registry = [...bench.registry, record('slow', 'test-bench', { address: 'stage' })]
    await bench.host.syncDevices()
    await until(() => fresh.length > 0, { what: 'readings of the new device' })
    expect(bench.host.device('slow').state.connection).toBe('CONNECTING')
    expect(nameless).toEqual([])
    stop.abort()
    await watching
  })

  it('that cannot be opened says why, and is tried again', async () => {
    stage.plugged = false
    bench.registry = [...bench.registry, record('late', 'test-bench', { address: 'elsewhere' })]
    await bench.host.syncDevices()
    await until(() => bench.host.device('late').state.connection === 'FAILED')
    expect(bench.host.device('late').state).toMatchObject({ connectionReason: 'nothing is at elsewhere', status: { code: 'ERROR' } })
  })

  it('that loses its port in the middle of a move ends the move with what is known', async () => {
    stage.unitsPerSecond = 5
    const moving = problemOf(bench.ask('axis', { kind: 'move', to: 40, wait: true }))
    await until(() => stage.moving)
    stage.unplug()
    expect(await moving).toMatchObject({ code: 'DEVICE_OFFLINE' })
    await until(() => bench.host.device('axis').state.motion === undefined)
  })

  it('is let go of and taken again when a person says so', async () => {
    await bench.ask('axis', { kind: 'disconnect' })
    expect(bench.host.device('axis').state).toMatchObject({ connection: 'DISCONNECTED', status: { code: 'DISABLED' } })
    expect(await problemOf(bench.ask('axis', { kind: 'read' }))).toMatchObject({ code: 'DEVICE_OFFLINE' })
    await bench.ask('axis', { kind: 'connect' })
    expect(connection()).toBe('CONNECTED')
  })

  it('fails to connect with the reason', async () => {
    await bench.ask('axis', { kind: 'disconnect' })
    await bench.ask('twin', { kind: 'disconnect' })
    stage.plugged = false
    expect(await problemOf(bench.ask('axis', { kind: 'connect' }))).toMatchObject({
      code: 'DEVICE_OFFLINE',
      message: expect.stringContaining('not plugged in'),
    })
  })
})

it('a person who has mended the cable does not wait for the next try', async () => {
  stage.plugged = false
  bench.registry = [...bench.registry, record('late', 'test-bench', { address: 'stage', late: true })]
  stage.unplug()
  await until(() => connection() === 'RECONNECTING')
  await bench.host.syncDevices()
  await until(() => bench.host.device('late').state.connection === 'FAILED')
  stage.plugged = true
  expect((await bench.ask('late', { kind: 'connect' })).state).toBe('DONE')
  expect(bench.host.device('late').state.connection).toBe('CONNECTED')
})

describe('the registry', () => {
  it('brings new devices, takes removed ones and opens changed ones again', async () => {
    const seen: HostChange[] = []
    const stop = new AbortController()
    const watching = (async () => {
      for await (const change of bench.host.changes(stop.signal)) seen.push(change)
    })()
    bench.registry = [record('axis', 'test-bench', { address: 'stage', moves: false }, 2)]
    await bench.host.syncDevices()
    await bench.connected('axis')
    expect(bench.host.device('axis').state.capabilities).not.toContain('MOVABLE')
    expect(() => bench.host.device('twin')).toThrow(/no device twin/)
    await until(() => seen.some((change) => change.kind === 'removed' && change.deviceId === 'twin'))
    stop.abort()
    await watching
  })

  it('does not take a device away from a run; all others are carried out, and that one when the run is over', async () => {
    {
      await using _claim = bench.host.claim('run-1', 1, ['axis'])
      bench.registry = [record('third', 'test-bench', { address: 'stage' })]
      expect(await bench.host.syncDevices()).toEqual({ postponed: ['axis'] })
      expect(connection()).toBe('CONNECTED')
      expect([...bench.host.devices.keys()].sort()).toEqual(['axis', 'third'])
      await bench.connected('third')
    }
    await until(() => !bench.host.devices.has('axis'), { what: 'the run to let the axis go' })
    expect(await bench.host.syncDevices()).toEqual({ postponed: [] })
  })
})

describe('motion', () => {
  it('at the front panel is seen, and its end too', async () => {
    stage.unitsPerSecond = SLOW
    stage.go(5)
    await until(() => bench.host.device('axis').state.motion?.moving === true)
    expect(await problemOf(bench.ask('axis', { kind: 'move', to: 1, wait: true }))).toMatchObject({ code: 'DEVICE_BUSY' })
    stage.unitsPerSecond = QUICK
    await until(() => bench.host.device('axis').state.motion?.moving === false)
    expect(stage.position).toBe(5)
  })

  it('survives a lost answer, and ends with the reason that the instrument gives', async () => {
    stage.unitsPerSecond = SLOW
    const moving = bench.ask('axis', { kind: 'move', to: 3, wait: true })
    await until(() => stage.moving)
    stage.loseAnswers = 2
    stage.unitsPerSecond = QUICK
    expect((await moving).state).toBe('DONE')
    stage.unitsPerSecond = SLOW
    const failing = problemOf(bench.ask('axis', { kind: 'move', to: 20, wait: true }))
    await until(() => stage.moving)
    stage.failing.add('isMoving')
    expect(await failing).toMatchObject({ code: 'HARDWARE_FAULT', facts: { instrumentCode: '7' } })
  })

  it('that failed before anybody waited for its end is still told', async () => {
    const device = bench.host.device('axis')
    stage.failing.add('isMoving')
    await device.moveTo(3, undefined, { cause: { kind: 'PLAN' } }, never)
    await until(() => device.state.motion?.moving === false)
    await expect(device.settled(never)).rejects.toMatchObject({ facts: { instrumentCode: '7' } })
  })
})

describe('polling', () => {
  it('reads each device once for everybody and publishes what it reads', async () => {
    const values: unknown[] = []
    stage.values.set('power', 5)
    const power = bench.host.device('axis').state.parameters.find(({ spec }) => spec.name === 'power')?.handle ?? 0
    for await (const item of bench.host.readings.stream({ handles: [power] }, never)) {
      if (item.kind !== 'gap') values.push(...item.columns.values)
      if (values.includes(5) && values.length < 20) stage.values.set('power', 6)
      if (values.includes(6)) break
    }
    expect(values.at(-1)).toBe(6)
  })

  it('says BAD with its reason for what cannot be read, and shows the device as failing when nothing can', async () => {
    stage.failing.add('read power')
    await until(() => bench.host.device('axis').reading('power')?.quality === 'BAD')
    expect(bench.host.device('axis').reading('power')).toMatchObject({ quality: 'BAD', reason: 'no reply within 1 s' })
    expect(bench.host.device('axis').state.status.code).toBe('IDLE')
    stage.failing.add('read position')
    await until(() => bench.host.device('axis').state.status.code === 'ERROR')
    stage.failing.clear()
    await until(() => bench.host.device('axis').state.status.code === 'IDLE')
  })

  it('writes into the history what leaves the deadband and every change of quality, not more', async () => {
    const samples = async (): Promise<unknown[]> =>
      (await bench.entries()).flatMap((entry) =>
        entry.type === 'samples'
          ? entry.samples
              .filter(({ deviceId, parameter }) => deviceId === 'axis' && parameter === 'power')
              .map(({ reading }) => reading.value ?? reading.quality)
          : [],
      )
    expect(await samples()).toEqual([1])
    stage.values.set('power', 1.05)
    await until(() => bench.host.device('axis').reading('power')?.value === 1.05)
    expect(await samples()).toEqual([1])
    stage.values.set('power', 1.2)
    await until(() => bench.host.device('axis').reading('power')?.value === 1.2)
    stage.failing.add('read power')
    await until(() => bench.host.device('axis').reading('power')?.quality === 'BAD')
    expect(await samples()).toEqual([1, 1.2, 'BAD'])
  })
})

it('the end of the station ends the commands before it stops what moves, so that none of them goes on to its next move', async () => {
  stage.unitsPerSecond = 5
  const move = (to: number) => ({ deviceId: 'axis', call: { kind: 'move', to, wait: true } as const })
  const request = { requestId: 'r', order: 'sequence', cause: { kind: 'PERSON' }, acceptWithinMs: 30_000 } as const
  const moving = problemOf(bench.host.command({ ...request, calls: [move(20), move(40)] }, never))
  await until(() => stage.moving)
  await bench.host.stopMotion()
  expect(await moving).toMatchObject({ message: 'the station ends', effect: 'POSSIBLE' })
  expect(await problemOf(bench.ask('axis', { kind: 'move', to: 1, wait: false }))).toMatchObject({ message: 'the station ends' })
  await bench.host[Symbol.asyncDispose]()
  expect([...new Set(stage.heard)]).toEqual(['move 20', 'stop']) // its twin, whose axis moves too, stops as well
})

it('the end of the station stops what moves and lets every port go', async () => {
  stage.unitsPerSecond = 5
  await bench.ask('axis', { kind: 'move', to: 40, wait: false })
  await bench.host[Symbol.asyncDispose]()
  expect([...new Set(stage.heard)]).toEqual(['move 40', 'stop']) // its twin may have seen it move, and stops it as well
  expect(stage.openPorts).toBe(0)
})
