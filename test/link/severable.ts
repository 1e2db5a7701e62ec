import { mkdtemp, rm } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

/** A way to a PostgreSQL server that can be cut and mended, as when the server stops and starts again. */
export type Severable = AsyncDisposable & { readonly url: string; cut(): Promise<void>; mend(): Promise<void> }

export async function severable(databaseUrl: string): Promise<Severable> {
  const target = path.join(new URL(databaseUrl).searchParams.get('host') ?? '', '.s.PGSQL.5432')
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-cut-'))
  const open = new Set<net.Socket>()
  let server: net.Server | undefined

  function carry(client: net.Socket): void {
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
      from.pipe(to)
    }
  }

  async function mend(): Promise<void> {
    const next = net.createServer(carry)
    await new Promise<void>((resolve) => next.listen(path.join(folder, '.s.PGSQL.5432'), resolve))
    server = next
  }

  async function cut(): Promise<void> {
    const closed = server
    server = undefined
    const ended = closed && new Promise((resolve) => closed.close(resolve))
    for (const socket of open) socket.destroy()
    await ended
  }

  await mend()
  return {
    url: `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`,
    cut,
    mend,
    async [Symbol.asyncDispose]() {
      await cut()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
