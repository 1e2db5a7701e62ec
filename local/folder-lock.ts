import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, realpath, rm } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { platform, tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { messageOf } from '../core/errors.ts'
import { CannotStart } from '../link/child.ts'

/**
 * One holder per folder. The lock is a listening socket, so the kernel gives it back when its holder dies, however that happens; whoever is refused asks
 * the holder who he is. Processes on other hosts, or in other network namespaces, are not seen: a data folder belongs to one machine.
 */

const ASK_TIMEOUT_MS = 1_000
const TRY_EVERY_MS = 100

/** Throws CannotStart that says who holds the folder, after waiting `waitMs` for it. */
export async function lockFolder(folder: string, options: { readonly waitMs?: number } = {}): Promise<AsyncDisposable> {
  await makeFolder(folder)
  const real = await realpath(folder)
  const address = lockAddress(real)
  const end = performance.now() + (options.waitMs ?? 0)
  for (;;) {
    const server = await listen(address)
    if (server !== undefined) return { [Symbol.asyncDispose]: () => close(server) }
    const holder = await askHolder(address)
    if (holder === undefined && address.startsWith(tmpdir()))
      await rm(address, { force: true }) // a socket file whose holder was killed
    else if (performance.now() > end) throw new CannotStart(`the folder ${real} is in use by ${holder ?? 'a process that does not answer'}; stop it first`)
    await pause(TRY_EVERY_MS)
  }
}

/** Step by step: Node's own recursive mkdir never returns on a file system that refuses new folders with ENOENT, such as /proc. */
async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = []
  for (let at = path.resolve(folder); !existsSync(at); at = path.dirname(at)) missing.unshift(at)
  try {
    for (const each of missing) await mkdir(each)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return await makeFolder(folder) // somebody else makes it too
    throw new CannotStart(`the folder ${folder} cannot be made (${messageOf(error)}); choose another`)
  }
}

function lockAddress(folder: string): string {
  const hash = createHash('sha256').update(folder).digest('hex').slice(0, 24)
  switch (platform()) {
    case 'linux':
      return `\0kymograph-${hash}` // the abstract namespace: no file is left behind
    case 'win32':
      return `\\\\?\\pipe\\kymograph-${hash}`
    default:
      return path.join(tmpdir(), `kymograph-${hash}.lock`)
  }
}

/** undefined when another one listens there. */
async function listen(address: string): Promise<Server | undefined> {
  const who = `process ${process.pid}, running since ${new Date().toISOString()}`
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy()) // whoever asked has gone
    socket.end(who)
  })
  server.unref()
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error)))
    server.listen(address, () => resolve(server))
  })
}

function askHolder(address: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect(address)
    let answer = ''
    socket.setTimeout(ASK_TIMEOUT_MS, () => socket.destroy())
    socket.on('data', (chunk) => {
      answer += chunk.toString('utf8')
    })
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => resolve(answer === '' ? undefined : answer))
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()))
}
