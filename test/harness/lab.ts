import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { databaseSocketFolder, embeddedDatabaseUrl } from '../../local/config.ts'
import { readProcessTable } from '../../local/previous-life.ts'
import { until } from '../until.ts'
import { freePort } from './free-port.ts'
import { query } from './graphql.ts'
import { createServerDatabase } from './server-database.ts'
import { services } from './services.ts'

export type WholeLabOptions = {
  /** Given: it is used as it is and stays there. Absent: a temporary one that goes with the lab. */
  readonly dataDir?: string
  readonly env?: NodeJS.ProcessEnv
}

export type WholeLab = AsyncDisposable & {
  /** http://127.0.0.1:<port> */
  readonly url: string
  readonly port: number
  readonly dataDir: string
  readonly databaseUrl: string
  readonly supervisor: ChildProcess
  /** Names and process ids as they are now. */
  processes(): Promise<Readonly<Record<string, number>>>
  /** Everything printed so far. */
  output(): string
  /** Ctrl-C; throws when a process is left. */
  stop(): Promise<void>
}

const START_DEADLINE_MS = 180_000 // 7 s on a quiet machine; several labs may start at once beside other work
const STOP_DEADLINE_MS = 90_000

/** The real lab from dist (run `node start.mjs --prepare` before): every process, simulated instruments, an own data folder and port. */
export async function startWholeLab(options: WholeLabOptions = {}): Promise<WholeLab> {
  const lab = await launchWholeLab(options)
  try {
    await until(
      async () => {
        if (lab.supervisor.exitCode !== null) return true
        if (!lab.output().includes('is running')) return false
        return (await query<{ __typename: string }>(lab.url, '{ __typename }')).__typename === 'Query'
      },
      { deadlineMs: START_DEADLINE_MS, everyMs: 50, what: 'a GraphQL answer' },
    )
    if (lab.supervisor.exitCode !== null) throw new Error('it ended')
    return lab
  } catch (error) {
    await lab.stop()
    throw new Error(`the lab did not start: ${error instanceof Error ? error.message : String(error)}\n${lab.output()}`, { cause: error })
  }
}

/** Starts it without waiting for an answer: for starts that are meant to fail. */
export async function launchWholeLab(options: WholeLabOptions = {}): Promise<WholeLab> {
  const dataDir = options.dataDir ?? (await mkdtemp(path.join(tmpdir(), 'kymograph-lab-')))
  const port = Number(options.env?.['PORT'] ?? (await freePort()))
  const { DATABASE_URL: _database, REDIS_URL: _redis, ...inherited } = process.env
  const servers = await serversOf(dataDir)
  const supervisor = spawn(process.execPath, [path.join(import.meta.dirname, 'start-built.mjs')], {
    env: { ...inherited, DATA_DIR: dataDir, PORT: String(port), RING_DIR: path.join(dataDir, 'ring'), LOG_LEVEL: 'warn', ...servers?.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, as under a terminal: Ctrl-C reaches all of it and not the tests
  })
  const exited = once(supervisor, 'exit')
  let output = ''
  const keep = (chunk: Buffer): void => {
    output += chunk.toString('utf8')
  }
  supervisor.stdout.on('data', keep)
  supervisor.stderr.on('data', keep)

  async function stop(): Promise<void> {
    if (supervisor.exitCode === null && supervisor.signalCode === null && supervisor.pid !== undefined) process.kill(-supervisor.pid, 'SIGINT')
    try {
      await until(async () => (await processesOf(dataDir)).length === 0, { deadlineMs: STOP_DEADLINE_MS, what: 'the end of every process' })
      await exited
    } catch (error) {
      const left = await processesOf(dataDir)
      for (const { pid } of left) process.kill(pid, 'SIGKILL')
      throw new Error(`left running: ${left.map(({ pid, command }) => `${pid} ${command}`).join(', ')}\n${output}`, { cause: error })
    } finally {
      if (options.dataDir === undefined) {
        await servers?.drop()
        await rm(dataDir, { recursive: true, force: true })
      }
    }
  }

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    dataDir,
    databaseUrl: options.env?.['DATABASE_URL'] ?? servers?.env['DATABASE_URL'] ?? embeddedDatabaseUrl(databaseSocketFolder(dataDir)),
    supervisor,
    processes: () => readProcessTable(dataDir),
    output: () => output,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

const serversByFolder = new Map<string, Promise<LabServers>>()
type LabServers = { readonly env: NodeJS.ProcessEnv; drop(): Promise<void> }

/** In the services profile: databases that belong to this data folder, over every start with it; and no others. */
async function serversOf(dataDir: string): Promise<LabServers | undefined> {
  const given = services()
  if (given === undefined) return undefined
  const known =
    serversByFolder.get(dataDir) ??
    createServerDatabase(given, { migrated: false }).then(({ url, redisUrl, drop }) => ({ env: { DATABASE_URL: url, REDIS_URL: redisUrl }, drop }))
  serversByFolder.set(dataDir, known)
  return known
}

/** Every process that was started for this data folder, found by its environment: also one that nobody remembers. */
export async function processesOf(dataDir: string): Promise<{ readonly pid: number; readonly command: string }[]> {
  const found: { pid: number; command: string }[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry) || !existsSync(`/proc/${entry}/environ`)) continue
    const environment = await readFile(`/proc/${entry}/environ`, 'utf8').catch(() => '') // gone meanwhile
    if (!environment.split('\0').includes(`DATA_DIR=${dataDir}`)) continue
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')
    if (command !== '') found.push({ pid: Number(entry), command: command.replaceAll('\0', ' ').trim() }) // empty: it has ended, its parent has not looked yet
  }
  return found
}
