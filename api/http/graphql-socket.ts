import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type ExecutionArgs, type ExecutionResult, execute, GraphQLError, type GraphQLSchema, parse, validate } from 'graphql'
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws'
import type { Logger } from 'pino'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Actor } from '../../core/cause.ts'
import { type Authenticator, Unauthenticated } from '../actor.ts'
import { type Context, createContext, type Services } from '../context.ts'
import { publicErrors } from '../errors.ts'
import { MAX_TOKENS } from '../limits.ts'
import type { SubscriptionHub } from '../subscriptions/hub.ts'
import { closeSockets } from './close-sockets.ts'

const MAX_PAYLOAD_BYTES = 256 * 1024 // documents and their variables; data goes the other way
const MAX_OPERATIONS = 100 // of one socket at once: a page with a hundred panels
const KEEP_ALIVE_MS = 12_000 // a peer that answers no ping for that long is gone
const INIT_DEADLINE_MS = 5_000
const TWO_PARTS_FROM = 16_384 // characters; below, one write is cheaper than a copy saved

/** What the client has said of itself: in the header of the upgrade, or in the first message, as browsers must. */
type Extra = { authorization?: string }

export interface GraphqlSocket extends AsyncDisposable {
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

/** graphql-transport-ws: subscriptions, and queries and mutations for those who keep one connection. */
export function createGraphqlSocket(schema: GraphQLSchema, services: Services, authenticator: Authenticator, hub: SubscriptionHub, log: Logger): GraphqlSocket {
  const contextOf = (actor: Actor): Context => createContext(services, actor, performance.now())

  const server = makeServer<Record<string, unknown>, Extra>({
    schema,
    connectionInitWaitTimeout: INIT_DEADLINE_MS,
    async onConnect({ extra, connectionParams }) {
      const given = credentials(connectionParams)
      if (given !== undefined) extra.authorization = given
      try {
        await authenticator.actor(extra.authorization)
        return true
      } catch (error) {
        if (error instanceof Unauthenticated) return false // closed with 4403
        throw error
      }
    },
    async onSubscribe({ subscriptions, extra }, _id, { query, variables, operationName }) {
      if (Object.keys(subscriptions).length > MAX_OPERATIONS)
        return [new GraphQLError(`more than ${MAX_OPERATIONS} operations at once on one connection`, { extensions: { code: 'TOO_MANY_OPERATIONS' } })]
      try {
        const document = parse(query, { maxTokens: MAX_TOKENS })
        const errors = validate(schema, document)
        if (errors.length > 0) return publicErrors(errors, log)
        // Asked again for each operation: a key may have been revoked since.
        const actor = await authenticator.actor(extra.authorization)
        return { schema, document, variableValues: variables ?? null, operationName: operationName ?? null, contextValue: contextOf(actor) }
      } catch (error) {
        return publicErrors([error], log)
      }
    },
    async execute(args: ExecutionArgs): Promise<ExecutionResult> {
      const { errors, ...result } = await execute(args)
      return errors === undefined ? result : { ...result, errors: publicErrors(errors, log) }
    },
    subscribe: (args: ExecutionArgs) => hub.subscribe(args, ({ actor }) => contextOf(actor)),
  })

  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_PAYLOAD_BYTES, handleProtocols })
  return {
    accept: (request, socket, head) => sockets.handleUpgrade(request, socket, head, (client) => serve(client, request.headers)),
    [Symbol.asyncDispose]: () => closeSockets(sockets),
  }

  function serve(socket: WebSocket, { authorization }: IncomingMessage['headers']): void {
    const alive = keepAlive(socket)
    const closed = server.opened(
      {
        protocol: socket.protocol,
        // graphql-ws waits for it before the next event of an operation: this is the back-pressure.
        send: (message) =>
          new Promise((resolve, reject) => {
            const shared = hub.expand(message)
            if (socket.readyState !== socket.OPEN) return resolve()
            const sent = (error?: Error | null): void => (error == null ? resolve() : reject(error))
            if (shared === undefined) return socket.send(message, sent)
            const { head, shared: text } = shared
            if (text.length < TWO_PARTS_FROM) return socket.send(`${head}${text.text}}`, sent)
            // Two fragments of one message: the long one is the same bytes for every client, not a copy each.
            socket.send(head, { fin: false, binary: false })
            socket.send(text.tail, { fin: true, binary: false }, sent)
          }),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (take) =>
          socket.on('message', (data) => {
            take(String(data)).catch((error: unknown) => {
              log.error({ err: error }, 'a WebSocket message failed')
              socket.close(CloseCode.InternalServerError, 'something went wrong inside the api')
            })
          }),
      },
      authorization === undefined ? {} : { authorization },
    )
    socket.on('error', (error) => log.debug({ error: error.message }, 'a WebSocket broke'))
    socket.once('close', (code, reason) => {
      clearInterval(alive)
      closed(code, String(reason)).catch((error: unknown) => log.warn({ error: String(error) }, 'a WebSocket did not end cleanly'))
    })
  }
}

/** As in HTTP the name is the same in capitals: a key that was not seen would make its bearer the local user. */
function credentials(connectionParams: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const given = Object.entries(connectionParams ?? {}).find(([name]) => name.toLowerCase() === 'authorization')?.[1]
  return given === undefined || given === null ? undefined : String(given)
}

/** Ends sockets whose other side is gone without a word: an unplugged cable, a sleeping tablet. */
function keepAlive(socket: WebSocket): NodeJS.Timeout {
  let answered = true
  socket.on('pong', () => {
    answered = true
  })
  return setInterval(() => {
    if (!answered) return socket.terminate()
    answered = false
    socket.ping()
  }, KEEP_ALIVE_MS)
}
