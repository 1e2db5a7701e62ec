import { once } from 'node:events'
import net from 'node:net'
import { Transform } from 'node:stream'
import type { TestDatabase } from './database.ts'

type Servers = Pick<TestDatabase, 'url' | 'redisUrl'>

/** A way to a server that can be cut and mended; its clients see a server that goes away and comes back. */
export type Severable = AsyncDisposable & { readonly url: string; cut(): Promise<void>; mend(): Promise<void> }

/** One whose answers can be made late, each by so long; what is asked arrives at once. */
export type SeverableServer = Severable & { answerAfter(ms: number): void }

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'postgresql:': 5432, 'redis:': 6379 }

/** `url`: of a PostgreSQL (also behind a socket, as ?host=folder) or of a Redis. */
export async function severable(url: string): Promise<SeverableServer> {
  const target = targetOf(new URL(url))
  const open = new Set<net.Socket>()
  let isCut = false
  let answerAfterMs = 0
  const late = (): Transform =>
    new Transform({
      transform(chunk, _encoding, pass) {
        if (answerAfterMs === 0) pass(null, chunk)
        else setTimeout(() => pass(null, chunk), answerAfterMs)
      },
    })

  // While it is cut the port stays ours, or another program could get it.
  const server = net.createServer((client) => {
    if (isCut) return void client.destroy()
    const upstream = net.connect(target)
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
    client.pipe(upstream)
    upstream.pipe(late()).pipe(client)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  async function cut(): Promise<void> {
    isCut = true
    await Promise.all([...open].map((socket) => (socket.destroy().closed ? undefined : once(socket, 'close'))))
  }

  return {
    url: throughPort(url, (server.address() as net.AddressInfo).port),
    cut,
    async mend() {
      isCut = false
    },
    answerAfter(ms) {
      answerAfterMs = ms
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      await cut()
      await closed
    },
  }
}

/** The database and the queues of a test, to be cut both at once. */
export async function severableServers({ url, redisUrl }: Servers): Promise<Severable & Servers> {
  const database = await severable(url)
  const redis = redisUrl === undefined ? undefined : await severable(redisUrl)
  const both = async (act: (way: Severable) => PromiseLike<void>): Promise<void> => {
    for (const way of [database, redis]) if (way !== undefined) await act(way)
  }
  return {
    url: database.url,
    redisUrl: redis?.url,
    cut: () => both((way) => way.cut()),
    mend: () => both((way) => way.mend()),
    [Symbol.asyncDispose]: () => both((way) => way[Symbol.asyncDispose]()),
  }
}

function targetOf({ protocol, hostname, port, searchParams }: URL): net.NetConnectOpts {
  const folder = searchParams.get('host')
  const number = Number(port) || (DEFAULT_PORTS[protocol] ?? 0)
  return folder === null ? { host: hostname, port: number } : { path: `${folder}/.s.PGSQL.${number}` }
}

function throughPort(text: string, port: number): string {
  const url = new URL(text)
  url.searchParams.delete('host')
  url.host = `127.0.0.1:${port}`
  return url.href
}
