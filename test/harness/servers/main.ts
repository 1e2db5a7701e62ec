import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { startNeo4j } from './neo4j/neo4j.ts'
import { startPostgresql } from './postgresql.ts'
import { startRedis } from './redis.ts'
import type { Server } from './server.ts'

/**
 * Real servers for tests: on free ports of this machine, in a temporary folder, gone afterwards.
 *   .ci/servers npx vitest run      runs the command with TEST_DATABASE_URL, TEST_REDIS_URL and TEST_NEO4J_URL set; its exit status is ours
 *   .ci/servers                     prints the variables and serves until Ctrl-C
 */

const PROJECT = path.join(import.meta.dirname, '../../..')
const PASSWORD_BYTES = 12

const command = process.argv.slice(2)
const stopping = new AbortController()
let child: ChildProcess | undefined
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    stopping.abort()
    child?.kill(signal)
  })

await using servers = await startAll()
if (command.length === 0) await serve(servers.variables)
else process.exitCode = await run(command, servers.variables)

async function serve(variables: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(variables)) process.stdout.write(`export ${name}='${value}'\n`)
  const ending = setInterval(() => undefined, 1_000) // a pending promise keeps no process alive
  if (!stopping.signal.aborted) await once(stopping.signal, 'abort')
  clearInterval(ending)
}

async function run([program = '', ...args]: readonly string[], variables: Readonly<Record<string, string>>): Promise<number> {
  if (stopping.signal.aborted) return 1
  child = spawn(program, args, { env: { ...process.env, ...variables }, stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}

async function startAll(): Promise<Server> {
  const { stdout } = await promisify(execFile)(path.join(PROJECT, '.ci/install-servers'))
  const installed = stdout.trim()
  const folder = await mkdtemp(path.join(tmpdir(), 'kymograph-servers-'))
  await chmod(folder, 0o711) // PostgreSQL may be another user
  const password = randomBytes(PASSWORD_BYTES).toString('hex')
  const own = async (name: string): Promise<string> => {
    const place = path.join(folder, name)
    await mkdir(place)
    return place
  }
  const started = await Promise.allSettled([
    startPostgresql(path.join(installed, 'postgresql/bin'), await own('postgresql'), password),
    startRedis(await own('redis'), password),
    startNeo4j(path.join(installed, 'neo4j'), await own('neo4j'), password),
  ])
  const all = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []))
  const stop = async (): Promise<void> => {
    await Promise.all(all.map((server) => server[Symbol.asyncDispose]()))
    await rm(folder, { recursive: true, force: true })
  }
  const failed = started.find((each) => each.status === 'rejected')
  if (failed !== undefined) {
    await stop()
    throw failed.reason
  }
  return { variables: Object.assign({}, ...all.map(({ variables }) => variables)), [Symbol.asyncDispose]: stop }
}
