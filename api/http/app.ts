import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server'
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled'
import { expressMiddleware } from '@as-integrations/express5'
import express, { type ErrorRequestHandler, type RequestHandler } from 'express'
import { GraphQLError, type GraphQLSchema } from 'graphql'
import helmet from 'helmet'
import type { Actor } from '../../core/cause.ts'
import { type Authenticator, Unauthenticated } from '../actor.ts'
import { type Context, createContext, type Services } from '../context.ts'
import { publicError } from '../errors.ts'
import { FILES_PATH } from '../file-urls.ts'
import type { FrameTaps } from '../frames/taps.ts'
import { THUMBNAIL_PATH } from '../frames/ticket.ts'
import { MAX_BODY, MAX_TOKENS } from '../limits.ts'
import type { SubscriptionHub } from '../subscriptions/hub.ts'
import { createFilesRouter } from './files.ts'
import { createPlayground } from './playground.ts'
import { createProbes } from './probes.ts'
import { forgetContent } from './send-file.ts'
import { createThumbnailRouter } from './thumbnails.ts'
import { createWebRouter } from './web.ts'

export const GRAPHQL_PATH = '/graphql'

export type App = AsyncDisposable & { handle(request: IncomingMessage, response: ServerResponse): void }
export type AppOptions = {
  readonly schema: GraphQLSchema
  readonly services: Services
  readonly authenticator: Authenticator
  readonly hub: SubscriptionHub
  readonly taps: FrameTaps
  readonly webFolder: string
}

/** Everything that is answered over plain HTTP but the emergency stop. */
export async function createApp({ schema, services, authenticator, hub, taps, webFolder }: AppOptions): Promise<App> {
  const { log } = services
  const apollo = new ApolloServer<Context>({
    schema,
    introspection: true, // the playground and every client generator need it; the schema is no secret
    csrfPrevention: true,
    persistedQueries: false,
    parseOptions: { maxTokens: MAX_TOKENS },
    includeStacktraceInErrorResponses: false,
    formatError: (formatted, error) => publicError(formatted, error, log),
    plugins: [ApolloServerPluginLandingPageDisabled(), REFUSE_SUBSCRIPTIONS],
    stopOnTerminationSignals: false,
    logger: log,
  })
  await apollo.start()

  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  app.use(createProbes(services, hub))
  app.use(
    helmet({
      contentSecurityPolicy: {
        directives: {
          // Charts set their own sizes and colours as inline styles; images come from blobs and canvases.
          styleSrc: ["'self'", "'unsafe-inline'"],
          imgSrc: ["'self'", 'data:', 'blob:'],
          connectSrc: ["'self'", 'ws:', 'wss:'],
          workerSrc: ["'self'", 'blob:'],
          upgradeInsecureRequests: null, // a laboratory's own network often has no certificates
        },
      },
      strictTransportSecurity: false,
    }),
  )
  app.use(
    GRAPHQL_PATH,
    createPlayground(GRAPHQL_PATH),
    express.json({ limit: MAX_BODY }),
    authenticated(authenticator),
    expressMiddleware(apollo, { context: async ({ res }) => contextOf(res.locals as Locals) }),
  )
  app.use(
    FILES_PATH,
    createFilesRouter({
      database: services.database,
      dataDir: services.config.dataDir,
      turns: services.readTurns,
      authorize: ({ headers }) => authenticator.actor(headers.authorization),
    }),
  )
  app.use(THUMBNAIL_PATH, createThumbnailRouter({ tickets: services.tickets, taps, stations: services.stations }))
  app.use(createWebRouter(webFolder))
  app.use(failed(log))

  function contextOf({ actor, arrivedAtMs, signal }: Locals): Context {
    return createContext(services, actor, arrivedAtMs, signal)
  }
  return { handle: app, [Symbol.asyncDispose]: () => apollo.stop() }
}

/** Apollo would run one as if it were a query. */
const REFUSE_SUBSCRIPTIONS: ApolloServerPlugin<Context> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ operation }) => {
      if (operation?.operation === 'subscription')
        throw new GraphQLError('subscriptions are served on the WebSocket at this path (graphql-transport-ws)', { extensions: { code: 'BAD_REQUEST' } })
    },
  }),
}

type Locals = { actor: Actor; arrivedAtMs: number; signal: AbortSignal }

/** Nobody reads it; with a code of its own it is no fault of ours for the log. */
function clientGone(): GraphQLError {
  return new GraphQLError('the client has gone', { extensions: { code: 'CLIENT_GONE' } })
}

function authenticated(authenticator: Authenticator): RequestHandler {
  return async ({ headers: { authorization } }, response, next) => {
    const arrivedAtMs = performance.now()
    try {
      const gone = new AbortController()
      response.once('close', () => gone.abort(clientGone()))
      Object.assign(response.locals, { actor: await authenticator.actor(authorization), arrivedAtMs, signal: gone.signal } satisfies Locals)
    } catch (error) {
      if (!(error instanceof Unauthenticated)) throw error
      return void response
        .status(401)
        .set('WWW-Authenticate', 'Bearer')
        .json({ errors: [{ message: error.message, extensions: { code: 'UNAUTHENTICATED' } }] })
    }
    next()
  }
}

/** What the routes above did not answer themselves: a body that is no JSON, a file that is not there, a fault of ours. */
function failed(log: Services['log']): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error)
    const status = error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : 500
    if (status >= 500) log.error({ err: error }, 'an HTTP request failed')
    const message = status < 500 && error instanceof Error ? error.message : 'something went wrong inside the api; its log says what'
    forgetContent(response)
    response.status(status).json({ errors: [{ message, extensions: { code: status < 500 ? 'BAD_REQUEST' : 'INTERNAL_SERVER_ERROR' } }] })
  }
}
