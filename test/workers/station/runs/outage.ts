import { mkdtemp, rm } from 'node:fs/promises'
import type { Server, Socket } from 'node:net'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SOCKET = '.s.PGSQL.5432'

/** A way to a database server that can be cut and mended; its clients see a server that went away. */
export type Passage = AsyncDisposable & { readonly url: string; cut(): Promise<void>; mend(): Promise<void> }

export async function openPassage(url: string): Promise<Passage> {
  const target = join(new URL(url).searchParams.get('host') ?? '', SOCKET)
  const folder = await mkdtemp(join(tmpdir(), 'kymograph-passage-'))
  const sockets = new Set<Socket>()
  let server: Server | undefined

  const mend = async (): Promise<void> => {
    server = createServer((client) => {
      const upstream = connect(target)
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        sockets.add(from)
        from.on('error', () => to.destroy())
        from.on('close', () => {
          sockets.delete(from)
          to.destroy()
        })
        from.pipe(to)
      }
    })
    await new Promise<void>((resolve) => server?.listen(join(folder, SOCKET), resolve))
  }
  const cut = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server?.close(() => resolve()) ?? resolve())
    for (const socket of sockets) socket.destroy()
    await closed
    server = undefined
  }
  await mend()
  return {
    url: `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(folder)}`,
    cut,
    mend,
    [Symbol.asyncDispose]: async () => {
      if (server !== undefined) await cut()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
