import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from 'graphql-ws'
import { WebSocket } from 'ws'
import type { ApiConfig } from '../../api/config.ts'
import { createLog } from '../../api/log.ts'
import { type Api, startApi } from '../../api/server.ts'
import { linkToken } from '../../link/token.ts'
import { startTestDatabase, type TestDatabase } from '../harness/database.ts'
import { severableServers } from '../harness/severable.ts'
import { until } from '../until.ts'
import { CAMERA, FakeStation, METER, STAGE } from './fake-station.ts'

export type Answer = {
  readonly data?: Record<string, never> & { readonly [field: string]: unknown }
  readonly errors?: readonly { readonly message: string; readonly extensions?: Record<string, unknown> }[]
}

/** An api on a database of its own, with one fake station: a stage, a meter and a camera. */
export type TestLab = {
  readonly api: Api
  readonly station: FakeStation
  readonly database: TestDatabase
  readonly dataDir: string
  /** POST /graphql. `data` is whatever the document asks for; tests say what they expect of it. */
  ask<Data = Record<string, unknown>>(
    query: string,
    variables?: Record<string, unknown>,
    headers?: Record<string, string>,
  ): Promise<{ data: Data; errors?: Answer['errors'] }>
  socket(connectionParams?: Record<string, unknown>): Client
  stopDatabase(): Promise<void>
  close(): Promise<void>
}

export async function startTestLab(options: Partial<ApiConfig> = {}): Promise<TestLab> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kymograph-api-'))
  await mkdir(join(dataDir, 'run'))
  const database = await startTestDatabase()
  const way = await severableServers(database)
  const station = new FakeStation(join(dataDir, 'run'), await linkToken(join(dataDir, 'run', 'link-token')))
  const config: ApiConfig = {
    dataDir,
    databaseUrl: way.url,
    databaseEmbedded: true,
    redisUrl: way.redisUrl,
    graph: { socketPath: join(dataDir, 'run', 'graph.sock') },
    port: 0,
    host: '127.0.0.1',
    allowedOrigins: [],
    userName: 'ada',
    logLevel: 'silent',
    commit: undefined,
    ...options,
  }
  const api = await startApi(config, { log: createLog(config.logLevel), webFolder: join(dataDir, 'web') })
  await register(api, station)
  await station.start()
  await until(() => api.services.stations.find(station.stationId)?.online, { what: 'the station is online' })

  const clients: Client[] = []
  let stopping: Promise<void> | undefined
  const stopDatabase = (): Promise<void> => {
    stopping ??= (async () => {
      await way[Symbol.asyncDispose]()
      await database.stop()
    })()
    return stopping
  }
  return {
    api,
    station,
    database,
    dataDir,
    stopDatabase,
    async ask<Data>(query: string, variables: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
      const response = await fetch(`${api.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ query, variables }),
      })
      return (await response.json()) as { data: Data; errors?: Answer['errors'] }
    },
    socket(connectionParams) {
      const client = createClient({
        url: `${api.url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        lazy: true,
        ...(connectionParams !== undefined && { connectionParams }),
      })
      clients.push(client)
      return client
    },
    async close() {
      for (const client of clients) await client.dispose()
      await api[Symbol.asyncDispose]()
      await station.stop()
      await stopDatabase()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function register(
  {
    services: {
      database: { prisma },
    },
  }: Api,
  { stationId, address }: FakeStation,
): Promise<void> {
  await prisma.station.create({ data: { id: stationId, name: 'fake', host: 'bench', linkAddress: address } })
  for (const [id, name, driverId] of [
    [STAGE, 'stage', 'fake-stage'],
    [METER, 'meter', 'fake-meter'],
    [CAMERA, 'camera', 'fake-camera'],
  ] as const) {
    const port = await prisma.port.create({ data: { stationId, address: `sim://${name}`, kind: 'SERIAL' } })
    await prisma.device.create({ data: { id, name, driverId, stationId, portId: port.id, settings: {}, simulated: true } })
  }
}
