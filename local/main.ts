import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { messageOf } from '../core/errors.ts'
import { CannotStart } from '../link/child.ts'
import { announcement } from './announcement.ts'
import { checkDatabase, checkNeo4j, checkRedis } from './backends.ts'
import { embeddedDatabaseUrl, type LocalConfig, readConfig } from './config.ts'
import { lockFolder } from './folder-lock.ts'
import { prepareDatabase } from './prepare-database.ts'
import { endPreviousLife } from './previous-life.ts'
import type { ChildSpec } from './supervised-child.ts'
import { Supervisor } from './supervisor.ts'

const PARENT_LOOK_EVERY_MS = 500
/** One Ctrl-C can come twice: from the terminal to the whole group, and passed on by npm. */
const SAME_KEY_MS = 1_000
const BUILT = path.dirname(import.meta.dirname)

const say = (line: string): void => void process.stderr.write(`kymograph: ${line}\n`)

/** Of Node's pool: a camera that opens, a disk that syncs and a file being read each hold one, and the bytes of a stop must never wait for the fifth. */
const THREADS = '16'

/** Runs the lab of one machine until a signal, or the death of whoever started it, ends it. Exit status 1 and one sentence when it cannot start. */
export async function main(projectFolder: string, env: NodeJS.ProcessEnv): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined) // the terminal is gone; the lab still stops in order
  const stopping = stopSignal()
  try {
    const config = readConfig(env, projectFolder)
    await makeDataFolder(config.dataDir)
    await using _lock = await lockFolder(config.dataDir)
    await using supervisor = new Supervisor(config.dataDir, say)
    stopping.onImpatience(() => supervisor.killAll())
    // a start that takes long must not keep a person who wants to leave
    stopping.signal.addEventListener('abort', () => void supervisor[Symbol.asyncDispose](), { once: true })
    await startLab(supervisor, config, env)
    if (!stopping.signal.aborted) {
      process.stdout.write(announcement(config, projectFolder))
      await new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve(), { once: true }))
    }
  } catch (error) {
    if (!stopping.signal.aborted) {
      say(error instanceof CannotStart ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error))
      process.exit(1)
    }
  }
  process.exit(0)
}

async function startLab(supervisor: Supervisor, config: LocalConfig, env: NodeJS.ProcessEnv): Promise<void> {
  await endPreviousLife(config.dataDir, say)
  await checkPort(config.host, config.port)
  if (config.databaseUrl !== undefined) await checkDatabase(config.databaseUrl)
  if (config.redisUrl !== undefined) await checkRedis(config.redisUrl)
  if ('neo4j' in config.graph) await checkNeo4j(config.graph.neo4j)
  const databaseUrl = config.databaseUrl ?? embeddedDatabaseUrl(config.databaseSocketFolder)
  const childEnv: NodeJS.ProcessEnv = {
    ...env,
    DATA_DIR: config.dataDir,
    LAB_DIR: config.labDir,
    DATABASE_URL: databaseUrl,
    ...(config.databaseUrl === undefined && { DATABASE_EMBEDDED: '1' }),
    PORT: String(config.port),
    HOST: config.host,
    STATION_NAME: config.stationName,
    SIMULATED_LAB: config.simulatedLab ? 'on' : 'off',
    LOG_LEVEL: config.logLevel,
    UV_THREADPOOL_SIZE: env.UV_THREADPOOL_SIZE ?? THREADS,
  }
  const child = (name: string, ...entry: readonly string[]): ChildSpec => ({ name, entry: path.join(BUILT, ...entry), env: childEnv })

  if (config.databaseUrl === undefined) await supervisor.start(child('database', 'local', 'database', 'main.js'))
  await prepareDatabase(databaseUrl, config, say)
  if (config.simulatedLab) await supervisor.start(child('lab', 'local', 'lab', 'main.js'))
  const graph = 'neo4j' in config.graph ? [] : [child('graph', 'local', 'graph', 'main.js')]
  await supervisor.start(
    ...graph,
    child('station', 'workers', 'station', 'main.js'),
    child('compute', 'workers', 'compute', 'main.js'),
    child('api', 'api', 'main.js'),
  )
}

async function makeDataFolder(dataDir: string): Promise<void> {
  try {
    await mkdir(path.join(dataDir, 'run'), { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new CannotStart(`DATA_DIR ${dataDir} cannot be made: ${messageOf(error)}`)
  }
}

/** The api asks for the port last; a person hears at once that it is taken. */
async function checkPort(host: string, port: number): Promise<void> {
  const server = createServer()
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen({ host, port, exclusive: true }, resolve))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE') throw new CannotStart(`port ${port} of ${host} is taken by another program; set PORT to a free one`)
    throw new CannotStart(`HOST ${host} with PORT ${port} cannot be listened on: ${messageOf(error)}`)
  }
  await new Promise<void>((resolve) => server.close(() => resolve()))
}

/** Fires on Ctrl-C, SIGTERM, a closed terminal, and when the parent is gone: npm does not pass signals on. */
function stopSignal(): { readonly signal: AbortSignal; onImpatience(act: () => void): void } {
  const stopping = new AbortController()
  let impatient = (): void => process.exit(1)
  let askedAt = 0
  const ask = (): void => {
    if (!stopping.signal.aborted) askedAt = performance.now()
    else if (performance.now() - askedAt > SAME_KEY_MS) impatient()
    stopping.abort()
  }
  process.on('SIGINT', ask)
  process.on('SIGTERM', ask)
  process.on('SIGHUP', ask)
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) stopping.abort()
  }, PARENT_LOOK_EVERY_MS).unref()
  return {
    signal: stopping.signal,
    onImpatience(act) {
      impatient = act
    },
  }
}
