import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { uuidv7 } from '../../../core/id.ts'
import { catalogOf, listed } from '../../../drivers/catalog/driver-catalog.ts'
import { connectStation } from '../../../link/client.ts'
import type { StateItem, StationLink } from '../../../link/protocol.ts'
import { linkToken } from '../../../link/token.ts'
import { type Database, openDatabase } from '../../../prisma/client.ts'
import { readStationConfig, type StationConfig } from '../../../workers/config.ts'
import { openLogger } from '../../../workers/logger.ts'
import { startStation } from '../../../workers/station/station.ts'
import { startTestDatabase, type TestDatabase } from '../../harness/database.ts'
import { until } from '../../until.ts'
import { ADA, never } from './host/bench.ts'
import { Instrument, testDriver } from './host/test-driver.ts'

let dataDir: string
let server: TestDatabase
let database: Database
let stage: Instrument
let config: StationConfig
let stationId: string
let deviceId: string
let station: AsyncDisposable | undefined
let link: StationLink | undefined

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'station-'))
  server = await startTestDatabase()
  database = openDatabase(server.url, { onError: () => undefined })
  stage = new Instrument()
  config = readStationConfig({ DATA_DIR: dataDir, DATABASE_URL: server.url, STATION_NAME: 'bench', RING_DIR: dataDir })
  stationId = uuidv7()
  deviceId = uuidv7()
  const { prisma } = database
  await prisma.station.create({ data: { id: stationId, name: 'bench', host: 'here' } })
  const port = await prisma.port.create({ data: { stationId, address: 'stage', kind: 'SERIAL' } })
  await prisma.device.create({
    data: { id: deviceId, name: 'axis', driverId: 'test-bench', stationId, portId: port.id, settings: { address: 'stage' }, simulated: false },
  })
})

afterEach(async () => {
  await link?.[Symbol.asyncDispose]()
  await station?.[Symbol.asyncDispose]()
  link = station = undefined
  await database[Symbol.asyncDispose]()
  await server.stop()
  await rm(dataDir, { recursive: true })
})

async function start(): Promise<StationLink> {
  station = await startStation(config, { catalog: catalogOf([listed('test', [testDriver({ stage })])]), logger: openLogger('test', 'silent') })
  const opened = connectStation({ stationId, address: `unix:${config.socketPath}`, token: await linkToken(config.tokenFile), log: () => undefined })
  link = opened
  await until(() => opened.online)
  await until(async () => (await present(opened)).devices[0]?.connection === 'CONNECTED')
  return opened
}

async function stop(): Promise<void> {
  await link?.[Symbol.asyncDispose]()
  await station?.[Symbol.asyncDispose]()
  link = station = undefined
}

async function present(from: StationLink): Promise<Extract<StateItem, { kind: 'snapshot' }>> {
  for await (const item of from.stream('state', {}, never)) if (item.kind === 'snapshot') return item
  throw new Error('no snapshot')
}

const move = (requestId: string, to: number, wait = true) => ({
  requestId,
  calls: [{ deviceId, call: { kind: 'move', to, wait } as const }],
  order: 'sequence' as const,
  cause: { kind: 'PERSON', actor: 'Ada' } as const,
  acceptWithinMs: 30_000,
})
const SOON = { timeoutMs: 45_000 } // ends what hangs

describe('a station', () => {
  it('registers itself, says what it has, and serves commands over its link', async () => {
    const connected = await start()
    const row = await database.prisma.station.findUniqueOrThrow({ where: { id: stationId } })
    expect(row).toMatchObject({ linkAddress: `unix:${config.socketPath}`, epoch: 1, version: '0.1.0' })
    expect(Date.now() - (row.lastSeen?.getTime() ?? 0)).toBeLessThan(60_000)
    expect((await stat(config.socketPath)).mode & 0o777).toBe(0o600)
    const snapshot = await present(connected)
    expect(snapshot).toMatchObject({
      stationId,
      epoch: 1,
      emergencyStop: { active: false },
      devices: [{ name: 'axis', connection: 'CONNECTED' }],
      drivers: [{ id: 'test-bench' }],
    })
    const answer = await connected.call('command', move('r1', 3), SOON)
    expect(answer).toMatchObject({ state: 'DONE', results: [{ readings: [{ reading: { value: 3 } }, { setpoint: true }] }] })
    expect(await connected.call('checkDevice', { driverId: 'test-bench', settings: { address: 'stage' } }, SOON)).toMatchObject({
      address: 'stage',
      simulated: false,
    })
    await expect(connected.call('checkDevice', { driverId: 'nothing', settings: {} }, SOON)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    const health = await connected.call('health', {}, SOON)
    expect(health.components).toContainEqual({ name: 'device axis', state: 'OK' })
  })

  it('ships what was done into the database', async () => {
    await (await start()).call('command', move('r1', 3), SOON)
    await until(async () => (await database.prisma.parameterChange.count()) === 1)
    const [change] = await database.prisma.parameterChange.findMany({ include: { parameter: true } })
    expect(change).toMatchObject({ parameter: { name: 'position', deviceId }, new: { value: 3 }, cause: { actor: 'Ada' } })
  })

  it('tells its watchers of changes of devices, of the queue and of the emergency stop', async () => {
    const connected = await start()
    const seen: StateItem[] = []
    const watch = new AbortController()
    const watching = (async () => {
      for await (const item of connected.stream('state', {}, watch.signal)) seen.push(item)
    })()
    await until(() => seen.length > 0)
    await connected.call('holdQueue', { actor: ADA, reason: 'lunch' }, SOON)
    await connected.call('emergencyStop', { actor: ADA, reason: 'smoke', elapsedMs: 0 }, SOON)
    stage.unplug()
    await until(() => ['device', 'queue', 'emergencyStop'].every((kind) => seen.some((item) => item.kind === kind)))
    watch.abort()
    await watching
  })

  it('takes a stop on its own port with the token, and from nobody else', async () => {
    const connected = await start()
    stage.unitsPerSecond = 5
    await connected.call('command', move('r1', 40, false), SOON)
    const port = Number(await readFile(config.stopPortFile, 'utf8'))
    const url = `http://127.0.0.1:${port}/stop`
    expect((await fetch(url, { method: 'POST' })).status).toBe(401)
    expect((await fetch(url, { headers: { authorization: 'Bearer x' } })).status).toBe(405)
    expect(stage.moving).toBe(true)
    const answer = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${await linkToken(config.tokenFile)}` },
      body: JSON.stringify({ by: 'Bea', reason: 'smoke' }),
    })
    expect(answer.status).toBe(200)
    expect(stage.moving).toBe(false)
    expect(await answer.json()).toMatchObject({ state: { active: true, by: 'Bea', reason: 'smoke' }, devices: [{ deviceId, confirmed: true }] })
    expect((await present(connected)).emergencyStop).toMatchObject({ active: true, by: 'Bea' })
  })

  it('stops motion before it ends, and leaves no socket that looks alive', async () => {
    const connected = await start()
    stage.unitsPerSecond = 5
    await connected.call('command', move('r1', 40, false), SOON)
    await stop()
    expect(stage.heard).toEqual(['move 40', 'stop'])
    expect(stage.openPorts).toBe(0)
    await expect(stat(config.stopPortFile)).rejects.toThrow(/ENOENT/)
  })

  it('begins a new epoch with each start, and goes on while the database is away', async () => {
    await start()
    await stop()
    const away = { ...config, databaseUrl: 'postgresql://postgres@localhost:1/postgres' }
    const restored = config
    config = away
    const connected = await start()
    expect(await present(connected)).toMatchObject({ epoch: 2, devices: [{ id: deviceId }] })
    await connected.call('command', move('r2', 1), SOON)
    await stop()
    config = restored
    expect(await present(await start())).toMatchObject({ epoch: 3 })
    expect(await database.prisma.station.findUniqueOrThrow({ where: { id: stationId } })).toMatchObject({ epoch: 3 })
  })

  it('refuses to be the second one of its name on this machine', async () => {
    await start()
    await expect(startStation(config, { catalog: catalogOf([]), logger: openLogger('test', 'silent') })).rejects.toThrow(/already/)
    expect(await database.prisma.station.findUniqueOrThrow({ where: { id: stationId } })).toMatchObject({ epoch: 1 })
  })

  it('takes up a device that is registered while it runs', async () => {
    const connected = await start()
    const port = await database.prisma.port.findFirstOrThrow({ where: { stationId } })
    const device = await database.prisma.device.create({
      data: { name: 'second', driverId: 'test-bench', stationId, portId: port.id, settings: { address: 'stage' }, simulated: false },
    })
    await connected.call('syncDevices', {}, SOON)
    expect((await present(connected)).devices.map(({ id }) => id)).toContain(device.id)
    await database.prisma.device.update({ where: { id: device.id }, data: { removedAt: new Date() } })
    await connected.call('syncDevices', {}, SOON)
    expect((await present(connected)).devices.map(({ id }) => id)).toEqual([deviceId])
  })
})
