import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { openGraph } from '../graph/open.ts'
import { CannotStart } from '../link/child.ts'
import { connectStation } from '../link/client.ts'
import { linkToken } from '../link/token.ts'
import { openDatabase } from '../prisma/client.ts'
import { type Authenticator, createAuthenticator } from './actor.ts'
import { type ApiConfig, linkTokenFile } from './config.ts'
import type { Services } from './context.ts'
import { createEventFeed } from './feed.ts'
import { createFrameTaps } from './frames/taps.ts'
import { createFrameTickets, FRAME_PATH } from './frames/ticket.ts'
import { createApp, GRAPHQL_PATH } from './http/app.ts'
import { createFramesSocket } from './http/frames-socket.ts'
import { createGraphqlSocket } from './http/graphql-socket.ts'
import { createOriginPolicy } from './http/origin.ts'
import { answerStop, isStop } from './http/stop.ts'
import { openJobQueues } from './job-queues.ts'
import { openKnownDevices } from './known-devices.ts'
import { Opened } from './opened.ts'
import { ReadTurns } from './read-turns.ts'
import { openRowChanges } from './row-changes.ts'
import { watchLostStations } from './runs/lost-stations.ts'
import { buildSchema } from './schema/index.ts'
import { PREPARE_SEARCHES } from './states/candidates.ts'
import { createProjections } from './states/projections.ts'
import { openStations } from './stations/stations.ts'
import { createSubscriptionHub } from './subscriptions/hub.ts'

/** Answers under way may be finished; what takes longer is cut, within the time that the supervisor gives. */
const DRAIN_DEADLINE_MS = 3_000

export type Api = AsyncDisposable & { readonly url: string; readonly services: Services }
export type ApiOptions = { readonly log: Logger; readonly webFolder: string }

/** Everything of one api process, opened in order and closed in the opposite one. */
export async function startApi(config: ApiConfig, { log, webFolder }: ApiOptions, signal?: AbortSignal): Promise<Api> {
  const opened = new Opened()
  try {
    const stop = new AbortController()
    opened.defer(() => stop.abort())
    const listening = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal])

    const database = opened.use(
      openDatabase(config.databaseUrl, {
        name: 'kymograph-api',
        prepare: PREPARE_SEARCHES,
        onError: (error) => log.warn({ error: error.message }, 'a database connection broke'),
      }),
    )
    const token = await linkToken(linkTokenFile(config.dataDir))
    const changes = await openRowChanges(config.databaseUrl, log, listening)
    const stations = opened.use(
      await openStations(
        database,
        changes,
        ({ id, linkAddress }) => connectStation({ stationId: id, address: linkAddress, token, log: (line) => log.info(line) }),
        log,
      ),
    )
    opened.use(watchLostStations({ database, stations, log }))
    const knownDevices = opened.use(await openKnownDevices(database, changes, log))
    const queues = opened.use(openJobQueues(config.redisUrl === undefined ? { databaseUrl: config.databaseUrl } : { redisUrl: config.redisUrl }, log))
    const graph = opened.use(openGraph(config.graph))
    const tickets = createFrameTickets(token)
    const projections = createProjections()
    const feed = createEventFeed(database, changes)
    const services: Services = { config, log, database, stations, knownDevices, changes, feed, queues, graph, tickets, projections, readTurns: new ReadTurns() }

    const authenticator = createAuthenticator(database, config.userName)
    const hub = createSubscriptionHub(log)
    const schema = buildSchema()
    const taps = opened.use(createFrameTaps(stations, log))
    const app = await createApp({ schema, services, authenticator, hub, taps, webFolder })
    opened.use(app)
    const graphqlSocket = opened.use(createGraphqlSocket(schema, services, authenticator, hub, log))
    const framesSocket = opened.use(createFramesSocket({ tickets, taps, log }))

    const origins = createOriginPolicy(config.host, config.allowedOrigins)
    const server = createServer((request, response) => {
      const refusal = origins.refusal(request)
      if (refusal !== undefined) return refuse(response, refusal)
      if (isStop(request)) return void stopLab(request, response, services, authenticator)
      if (!origins.answerPreflight(request, response)) app.handle(request, response)
    })
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', (error) => log.debug({ error: error.message }, 'a connection broke'))
      const path = request.url?.split('?')[0]
      if (origins.refusal(request) !== undefined) return hangUp(socket, '403 Forbidden')
      if (path === GRAPHQL_PATH) return graphqlSocket.accept(request, socket, head)
      if (path === FRAME_PATH) return void (framesSocket.accept(request, socket, head) || hangUp(socket, '401 Unauthorized'))
      hangUp(socket, '404 Not Found')
    })
    await listen(server, config)
    opened.defer(() => drain(server))
    const url = `http://${urlHost(config.host)}:${(server.address() as AddressInfo).port}`
    log.info({ url }, 'the api serves')
    return { url, services, [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose]() }
  } catch (error) {
    await opened[Symbol.asyncDispose]()
    throw error
  }
}

async function stopLab(request: IncomingMessage, response: ServerResponse, { stations, log }: Services, { localUser }: Authenticator): Promise<void> {
  try {
    await answerStop(request, response, { stations, actor: localUser, log })
  } catch (error) {
    log.error({ err: error }, 'POST /stop failed')
    response.writeHead(500).end()
  }
}

function refuse(response: ServerResponse, reason: string): void {
  response
    .writeHead(403, { 'Content-Type': 'application/json' })
    .end(JSON.stringify({ errors: [{ message: reason, extensions: { code: 'FORBIDDEN_ORIGIN' } }] }))
}

function hangUp(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

type Server = ReturnType<typeof createServer>

async function listen(server: Server, { port, host }: ApiConfig): Promise<void> {
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE') throw new CannotStart(`port ${port} on ${host} is taken; stop what uses it, or set PORT to another`)
    if (code === 'EACCES') throw new CannotStart(`port ${port} may not be used by this user; set PORT to one above 1023`)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') throw new CannotStart(`HOST=${host} is not an address of this machine`)
    throw error
  }
}

async function drain(server: Server): Promise<void> {
  const closed = once(server, 'close')
  server.close()
  server.closeIdleConnections()
  const late = setTimeout(() => server.closeAllConnections(), DRAIN_DEADLINE_MS)
  await closed
  clearTimeout(late)
}

function urlHost(host: string): string {
  return host === '0.0.0.0' || host === '::' ? 'localhost' : host.includes(':') ? `[${host}]` : host
}
