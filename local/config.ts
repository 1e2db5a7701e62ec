import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { messageOf } from '../core/errors.ts'
import { type GraphPlace, graphPlace } from '../graph/open.ts'
import { CannotStart } from '../link/child.ts'

/** What the supervisor and the database process take from the environment. The other processes read theirs. */
export type LocalConfig = {
  readonly dataDir: string
  readonly labDir: string
  readonly simulatedLab: boolean
  readonly host: string
  readonly port: number
  readonly stationName: string
  readonly logLevel: LogLevel
  /** undefined: the embedded database. */
  readonly databaseUrl: string | undefined
  /** undefined: the queues stand on PostgreSQL. */
  readonly redisUrl: string | undefined
  readonly graph: GraphPlace
  /** Where the embedded database listens; short enough for a socket's path. */
  readonly databaseSocketFolder: string
  readonly commit: string
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** A Unix socket's path holds 107 bytes on Linux and 103 on macOS, its file name included. */
const MAX_SOCKET_FOLDER_BYTES = 80

/** Throws CannotStart that names the variable and what is allowed. */
export function readConfig(env: NodeJS.ProcessEnv, projectFolder: string): LocalConfig {
  const dataDir = path.resolve(given(env, 'DATA_DIR') ?? path.join(projectFolder, 'data'))
  return {
    dataDir,
    labDir: path.resolve(given(env, 'LAB_DIR') ?? path.join(dataDir, 'lab')),
    simulatedLab: oneOf(env, 'SIMULATED_LAB', ['on', 'off'], 'on') === 'on',
    host: given(env, 'HOST') ?? '127.0.0.1',
    port: port(env),
    stationName: stationName(env),
    logLevel: oneOf(env, 'LOG_LEVEL', LOG_LEVELS, 'info'),
    databaseUrl: url(env, 'DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: url(env, 'REDIS_URL', ['redis:', 'rediss:']),
    graph: graph(env, dataDir),
    databaseSocketFolder: databaseSocketFolder(dataDir),
    commit: given(env, 'KYMOGRAPH_COMMIT') ?? '',
  }
}

export function databaseSocketFolder(dataDir: string): string {
  const near = path.join(dataDir, 'run', 'db')
  if (Buffer.byteLength(near) <= MAX_SOCKET_FOLDER_BYTES) return near
  const hash = createHash('sha256').update(dataDir).digest('hex').slice(0, 12)
  return path.join(tmpdir(), `kymograph-${hash}`, 'db')
}

export function embeddedDatabaseUrl(socketFolder: string): string {
  return `postgresql://postgres@localhost/postgres?host=${encodeURIComponent(socketFolder)}`
}

/** A URL as it may be shown: without its password. */
export function withoutPassword(text: string): string {
  const parsed = new URL(text)
  if (parsed.password !== '') parsed.password = '***'
  return parsed.href
}

/** An empty variable counts as not set: `PORT= npm start` is how a shell takes one back. */
function given(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name]
  return value === undefined || value === '' ? undefined : value
}

function oneOf<const T extends string>(env: NodeJS.ProcessEnv, name: string, allowed: readonly T[], otherwise: T): T {
  const value = given(env, name)
  if (value === undefined) return otherwise
  const found = allowed.find((each) => each === value)
  if (found === undefined) throw new CannotStart(`${name} is "${value}"; allowed are ${allowed.join(', ')}`)
  return found
}

function port(env: NodeJS.ProcessEnv): number {
  const text = given(env, 'PORT') ?? '4000'
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > 65_535) throw new CannotStart(`PORT is "${text}"; allowed is a number from 1 to 65535`)
  return value
}

/** It becomes part of file names. */
function stationName(env: NodeJS.ProcessEnv): string {
  const name = given(env, 'STATION_NAME') ?? 'local'
  if (!/^[a-z0-9][a-z0-9-]{0,31}$/.test(name)) throw new CannotStart(`STATION_NAME is "${name}"; allowed are 1 to 32 small letters, digits and hyphens`)
  return name
}

function graph(env: NodeJS.ProcessEnv, dataDir: string): GraphPlace {
  try {
    return graphPlace(dataDir, { url: given(env, 'NEO4J_URL'), user: given(env, 'NEO4J_USER'), password: given(env, 'NEO4J_PASSWORD') })
  } catch (error) {
    throw new CannotStart(messageOf(error))
  }
}

function url(env: NodeJS.ProcessEnv, name: string, protocols: readonly string[]): string | undefined {
  const text = given(env, name)
  if (text === undefined) return undefined
  const allowed = protocols.map((protocol) => `${protocol}//`).join(' or ')
  // the text itself may hold a password, so it is not shown
  if (!URL.canParse(text)) throw new CannotStart(`${name} is not a URL; it begins with ${allowed}`)
  const parsed = new URL(text)
  if (!protocols.includes(parsed.protocol)) throw new CannotStart(`${name} begins with ${parsed.protocol}//; allowed is ${allowed}`)
  return text
}
