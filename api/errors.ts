import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import type { Logger } from 'pino'
import { Problem } from '../core/errors.ts'
import { Unauthenticated } from './actor.ts'

/**
 * What a client may know of an error. A Problem and an error that carries a code were made for clients; anything else is a fault of ours, which goes to the
 * log whole and to the client as one sentence, because its text may hold paths, statements and addresses.
 */
export function publicError(formatted: GraphQLFormattedError, error: unknown, log: Logger): GraphQLFormattedError {
  const cause = causeOf(error)
  const { locations, path } = formatted
  const place = { ...(locations !== undefined && { locations }), ...(path !== undefined && { path }) }
  if (cause instanceof Unauthenticated) return { message: cause.message, ...place, extensions: { code: 'UNAUTHENTICATED' } }
  if (cause instanceof Problem) return { message: cause.message, ...place, extensions: { code: cause.code, ...cause.facts } }
  if (cause instanceof GraphQLError) {
    const code = cause.extensions['code'] ?? formatted.extensions?.['code'] ?? 'GRAPHQL_VALIDATION_FAILED'
    const message = APOLLO_REFUSES_SIMPLE.test(cause.message) ? SIMPLE_REFUSED : cause.message
    if (code !== 'INTERNAL_SERVER_ERROR') return { message, ...place, extensions: { code } }
  }
  if (isDatabaseAway(cause)) {
    log.warn({ error: cause.message, path }, 'a request needed the database, which is away')
    return { message: 'the database is away; try again in a moment', ...place, extensions: { code: 'DATABASE_AWAY' } }
  }
  log.error({ err: cause, path }, 'a request failed')
  return { message: 'something went wrong inside the api; its log says what', ...place, extensions: { code: 'INTERNAL_SERVER_ERROR' } }
}

/** Apollo's answer to a request that a browser would send for any page without asking; it has no code of its own, and its words are about the attack. */
const APOLLO_REFUSES_SIMPLE = /^This operation has been blocked as a potential Cross-Site Request Forgery/
const SIMPLE_REFUSED =
  'any page on the web could make a browser send this, so it is not done. Send it by POST as JSON with the header content-type: application/json, or add the header apollo-require-preflight: yes'

/** For answers that do not pass through Apollo: over the WebSocket. */
export function publicErrors(errors: readonly unknown[], log: Logger): readonly GraphQLError[] {
  return errors.map((error) => {
    const { message, extensions } = publicError(error instanceof GraphQLError ? error.toJSON() : { message: String(error) }, error, log)
    const { nodes, source, positions, path } = error instanceof GraphQLError ? error : {}
    return new GraphQLError(message, {
      nodes: nodes ?? null,
      source: source ?? null,
      positions: positions ?? null,
      path: path ?? null,
      extensions: extensions ?? null,
    })
  })
}

/** What a resolver threw, without the wrappers that say where. */
function causeOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError != null ? causeOf(error.originalError) : error
}

/** What pg and Prisma's adapter say when they cannot reach the server, or lose it. */
const AWAY =
  /ECONNREFUSED|ECONNRESET|ENOENT .*\.s\.PGSQL|EPIPE|ENOTFOUND|ETIMEDOUT|Connection terminated|timeout exceeded when trying to connect|Can't reach database server|Server has closed the connection|57P0[123]/

function isDatabaseAway(error: unknown): error is Error {
  return error instanceof Error && (AWAY.test(error.message) || ('code' in error && AWAY.test(String(error.code))))
}
