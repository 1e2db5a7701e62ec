import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Keeps pages of other sites away from the lab. A browser sends the Origin of the page; a page of a foreign site must not read or move anything, and a name
 * that an attacker points at this machine (DNS rebinding) must not make it look like ours. Programs that are no browsers send no Origin and are served.
 */
export interface OriginPolicy {
  /** Why the request is refused; undefined where it is not. */
  refusal(request: IncomingMessage): string | undefined
  /** Lets pages of the allowed origins read the answer. True if that was all the request asked for (a preflight). */
  answerPreflight(request: IncomingMessage, response: ServerResponse): boolean
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]']
const WILDCARDS = new Set(['0.0.0.0', '::'])
const PREFLIGHT_SECONDS = '600'

export function createOriginPolicy(host: string, allowedOrigins: readonly string[]): OriginPolicy {
  const names = new Set([
    ...LOOPBACK_NAMES,
    ...(WILDCARDS.has(host) ? [] : [host.includes(':') ? `[${host}]` : host]),
    ...allowedOrigins.map((origin) => new URL(origin).hostname),
  ])
  const allowed = new Set(allowedOrigins)
  return {
    refusal({ headers: { host: given, origin } }) {
      const target = parsed(given === undefined ? undefined : `http://${given}`)
      if (target === undefined || !names.has(target.hostname)) return `the Host ${given ?? '(none)'} is not this lab; set HOST or ALLOWED_ORIGINS to let it be`
      if (origin === undefined || allowed.has(origin)) return undefined
      return parsed(origin)?.host === target.host ? undefined : `pages of ${origin} are not allowed here; ALLOWED_ORIGINS says which are`
    },
    answerPreflight({ method, headers }, response) {
      const { origin } = headers
      if (origin === undefined || !allowed.has(origin)) return false
      response.setHeader('Access-Control-Allow-Origin', origin)
      response.setHeader('Vary', 'Origin')
      if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) return false
      response.setHeader('Access-Control-Allow-Methods', 'GET, POST, HEAD')
      response.setHeader('Access-Control-Allow-Headers', 'content-type, authorization, apollo-require-preflight, range, if-range, if-none-match')
      response.setHeader('Access-Control-Max-Age', PREFLIGHT_SECONDS)
      response.writeHead(204).end()
      return true
    },
  }
}

function parsed(text: string | undefined): URL | undefined {
  return text !== undefined && URL.canParse(text) ? new URL(text) : undefined
}
