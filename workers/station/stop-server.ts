import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Actor } from '../../core/cause.ts'
import { messageOf } from '../../core/errors.ts'
import { CannotStart } from '../../link/child.ts'
import type { DeviceHost } from './host/host.ts'

export type StopServerOptions = {
  /** 0: any free one. */
  readonly port: number
  /** Says which port it is. */
  readonly portFile: string
  readonly token: string
  readonly host: Pick<DeviceHost, 'emergencyStop'>
  readonly log: (line: string) => void
}

const MAX_BODY_BYTES = 4096 // a reason and a name
const BODY_WITHIN_MS = 500 // then it is stopped without a reason

/**
 * `POST /stop` on this host, with the link's token as Bearer: an emergency stop that needs nothing but this process. `GET /healthz` says that it lives, to
 * whoever watches it.
 */
export async function listenForStops(options: StopServerOptions): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      options.log(`POST /stop: ${messageOf(error)}`)
      response.destroy()
    })
  })
  server.listen({ host: '127.0.0.1', port: options.port, exclusive: true })
  try {
    await once(server, 'listening')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')
      throw new CannotStart(`STATION_STOP_PORT=${options.port}: the port is taken; give another one, or 0 for any free one`)
    throw error
  }
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  await writeFile(options.portFile, `${port}\n`, { mode: 0o600 })
  return {
    port,
    [Symbol.asyncDispose]: async () => {
      await rm(options.portFile, { force: true })
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function answer(request: IncomingMessage, response: ServerResponse, { token, host, log }: StopServerOptions): Promise<void> {
  const arrived = performance.now()
  if (request.method === 'GET' && request.url === '/healthz') return reply(response, 200, { state: 'OK' })
  if (request.method !== 'POST' || request.url !== '/stop') return reply(response, request.url === '/stop' ? 405 : 404, { error: 'only POST /stop is here' })
  if (!isBearer(request.headers.authorization, token))
    return reply(response, 401, { error: 'give the token of DATA_DIR/run/link-token as Authorization: Bearer' })
  const { by, reason } = await body(request)
  const actor: Actor = { id: 'stop-port', name: by ?? 'POST /stop', role: 'OPERATOR', kind: 'PERSON' }
  log(`emergency stop by ${actor.name} on the station's own port`)
  reply(response, 200, await host.emergencyStop(actor, reason, performance.now() - arrived))
}

/** Whatever is wrong with the body, the stop is carried out. */
async function body(request: IncomingMessage): Promise<{ readonly by?: string; readonly reason?: string }> {
  let text = ''
  const reading = (async () => {
    for await (const chunk of request) {
      text += String(chunk)
      if (text.length > MAX_BODY_BYTES) return
    }
  })().catch(() => undefined)
  let timer: NodeJS.Timeout | undefined
  await Promise.race([reading, new Promise((resolve) => (timer = setTimeout(resolve, BODY_WITHIN_MS)))])
  clearTimeout(timer)
  try {
    const given = JSON.parse(text) as { readonly by?: unknown; readonly reason?: unknown } | null
    return { ...(typeof given?.by === 'string' && { by: given.by }), ...(typeof given?.reason === 'string' && { reason: given.reason }) }
  } catch {
    return {}
  }
}

function isBearer(header: string | undefined, token: string): boolean {
  const [given, expected] = [Buffer.from(header ?? ''), Buffer.from(`Bearer ${token}`)]
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function reply(response: ServerResponse, status: number, content: unknown): void {
  const text = JSON.stringify(content, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value))
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' }).end(`${text}\n`)
}
