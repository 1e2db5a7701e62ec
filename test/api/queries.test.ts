import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globalId, parameterId } from '../../api/global-id.ts'
import { until } from '../until.ts'
import { METER, STAGE } from './fake-station.ts'
import { startTestLab, type TestLab } from './lab.ts'

let lab: TestLab
beforeAll(async () => {
  lab = await startTestLab()
})
afterAll(() => lab.close())

describe('queries', () => {
  it('tell of the lab, its stations and its backends', async () => {
    const { data, errors } = await lab.ask(
      '{ viewer { name role permissions } lab { name version cursor backends { role kind embedded state } stations { name online } } drivers { id simulated } }',
    )
    expect(errors).toBeUndefined()
    expect(data).toMatchObject({
      viewer: { name: 'ada', role: 'ADMIN' },
      lab: { stations: [{ name: 'fake', online: true }], backends: [{ role: 'DATABASE', state: 'OK' }, { role: 'QUEUE' }, { role: 'GRAPH' }] },
      drivers: [{ id: 'fake-stage', simulated: true }, { id: 'fake-meter' }, { id: 'fake-camera' }],
    })
  })

  it('tell of devices with their facets, readings converted to the unit asked for', async () => {
    const { data, errors } = await lab.ask(`{
      device(name: "stage") {
        id simulated connection capabilities driver { model } station { name } port { path }
        motion { position(unit: "um") { number unit quality } moving minimum maximum velocity { number } }
        readout { unit }
        parameters { name access unit reading { number } }
        parameter(name: "velocity") { id maximum }
      }
    }`)
    expect(errors).toBeUndefined()
    expect(data).toEqual({
      device: {
        id: globalId('Device', STAGE),
        simulated: true,
        connection: 'CONNECTED',
        capabilities: ['MOVABLE', 'PARAMETERIZED'],
        driver: { model: 'Stage' },
        station: { name: 'fake' },
        port: { path: 'sim://stage' },
        motion: { position: { number: 2500, unit: 'um', quality: 'GOOD' }, moving: false, minimum: -10, maximum: 10, velocity: { number: 1 } },
        readout: null,
        parameters: [
          { name: 'position', access: 'READ_ONLY', unit: 'mm', reading: { number: 2.5 } },
          { name: 'velocity', access: 'READ_WRITE', unit: 'mm/s', reading: { number: 1 } },
        ],
        parameter: { id: parameterId(STAGE, 'velocity'), maximum: 10 },
      },
    })
  })

  it('find nodes of any type by their global ids, and nothing for what was never one', async () => {
    const ids = [globalId('Device', STAGE), parameterId(METER, 'power'), globalId('Station', lab.station.stationId), 'nonsense', globalId('Run', STAGE)]
    const { data } = await lab.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', { ids })
    expect(data).toEqual({
      nodes: [{ __typename: 'Device', id: ids[0] }, { __typename: 'Parameter', id: ids[1] }, { __typename: 'Station', id: ids[2] }, null, null],
    })
  })

  it('page with stable cursors, count only when asked, and refuse more than 200', async () => {
    const names: string[] = []
    for (let after: string | null = null; ; ) {
      const {
        data,
      }: {
        data: { devices: { edges: { node: { name: string }; cursor: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string }; totalCount: number } }
      } = await lab.ask(
        'query ($after: Cursor) { devices(first: 2, after: $after) { totalCount edges { cursor node { name } } pageInfo { hasNextPage hasPreviousPage endCursor } } }',
        { after },
      )
      expect(data.devices.totalCount).toBe(3)
      names.push(...data.devices.edges.map(({ node }) => node.name))
      if (!data.devices.pageInfo.hasNextPage) break
      after = data.devices.pageInfo.endCursor
    }
    expect(names).toEqual(['camera', 'meter', 'stage'])
    const { errors } = await lab.ask('{ devices(first: 201) { edges { cursor } } }')
    expect(errors?.[0]).toMatchObject({ message: expect.stringContaining('1 to 200'), extensions: { code: 'BAD_USER_INPUT' } })
  })

  it('filter devices by the text as it is typed', async () => {
    const { data } = await lab.ask(
      '{ a: devices(filter: { text: "%" }) { edges { node { name } } } b: devices(filter: { text: "TAG" }) { edges { node { name } } } }',
    )
    expect(data).toEqual({ a: { edges: [] }, b: { edges: [{ node: { name: 'stage' } }] } })
  })

  it('filter devices by what their stations say', async () => {
    const { data } = await lab.ask(
      '{ a: devices(filter: { capabilities: [MOVABLE] }) { edges { node { name } } } b: devices(filter: { connections: [DISCONNECTED] }) { edges { node { name } } } }',
    )
    expect(data).toEqual({ a: { edges: [{ node: { name: 'stage' } }] }, b: { edges: [] } })
  })

  it('refuse what costs too much, by what it asks for', async () => {
    const { errors } = await lab.ask('{ sessions(first: 200) { edges { node { runs(first: 200) { edges { node { devices { id } } } } } } } }')
    expect(errors?.[0]?.extensions?.['code']).toBe('OPERATION_TOO_LARGE')
    const long = await lab.ask(`{ ${Array.from({ length: 2000 }, (_, index) => `a${index}: __typename`).join(' ')} }`)
    expect(long.errors?.[0]?.message).toContain('tokens')
  })

  it('hide what went wrong inside, and say a unit that cannot be', async () => {
    const { errors } = await lab.ask('{ device(name: "stage") { motion { position(unit: "V") { number } } } }')
    expect(errors?.[0]).toMatchObject({ message: 'mm cannot be converted to V', extensions: { code: 'INCOMPATIBLE_UNIT' } })
  })

  it('give stale readings and a refusal at once while the station is away', async () => {
    await lab.station.stop()
    await until(() => !lab.api.services.stations.find(lab.station.stationId)?.online)
    const startedMs = performance.now()
    const { data, errors } = await lab.ask(
      `mutation ($id: ID!) { move(input: { deviceId: $id, to: 1, options: { acceptWithinMs: 60000 } }) { __typename ... on StationOffline { message station { name } } } }`,
      { id: globalId('Device', STAGE) },
    )
    expect(errors).toBeUndefined()
    expect(data).toMatchObject({ move: { __typename: 'StationOffline', station: { name: 'fake' } } })
    expect(performance.now() - startedMs).toBeLessThan(10_000) // and not after the minute within which it might have been accepted
    const answer = await lab.ask('{ device(name: "stage") { connection motion { moving position { number quality } } } station(name: "fake") { online } }')
    expect(answer.data).toEqual({
      device: { connection: 'DISCONNECTED', motion: { moving: null, position: { number: 2.5, quality: 'STALE' } } },
      station: { online: false },
    })
    await lab.station.start()
    await until(() => lab.api.services.stations.find(lab.station.stationId)?.online)
    expect(lab.station.commands).toEqual([])
  })

  it('say that the database is away, while commands and the emergency stop go through without it', async () => {
    const other = await startTestLab()
    try {
      await other.stopDatabase()
      const devices = await other.ask('{ devices { totalCount } }')
      expect(devices.errors?.[0]).toMatchObject({ message: expect.stringContaining('the database is away'), extensions: { code: 'DATABASE_AWAY' } })
      expect(JSON.stringify(devices.errors)).not.toContain('prisma')
      const moved = await other.ask('mutation ($id: ID!) { move(input: { deviceId: $id, to: 1 }) { __typename ... on CommandPayload { device { name } } } }', {
        id: globalId('Device', STAGE),
      })
      expect(moved.data).toEqual({ move: { __typename: 'CommandPayload', device: { name: 'stage' } } })
      expect((await fetch(`${other.api.url}/stop`, { method: 'POST' })).status).toBe(200)
      expect((await fetch(`${other.api.url}/healthz`)).status).toBe(200)
      expect((await fetch(`${other.api.url}/readyz`)).status).toBe(503)
    } finally {
      await other.close()
    }
  })
})
