import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { messageOf } from '../core/errors.ts'
import { type GraphPlace, graphPlace } from '../graph/open.ts'
import { CannotStart } from '../link/child.ts'

/** What every worker process is told by its environment. */
export type WorkerConfig = {
  readonly dataDir: string
  readonly databaseUrl: string
  /** undefined: the queues are in PostgreSQL. */
  readonly redisUrl: string | undefined
  readonly logLevel: string
  /** Descriptions of this lab's instruments. */
  readonly instrumentsDir: string
  /** Absolute paths, or npm packages that are installed below pluginsDir. */
  readonly plugins: readonly string[]
  readonly pluginsDir: string
  readonly watchPlugins: boolean
}

export type ComputeConfig = WorkerConfig & {
  readonly graph: GraphPlace
  /** Where it answers GET /healthz; undefined: nowhere. */
  readonly probePort: number | undefined
}

export type StationConfig = WorkerConfig & {
  readonly stationName: string
  /** The address book of the simulated lab; undefined when there is none. */
  readonly labDir: string | undefined
  /** Memory-mapped frame rings, in memory where the machine has a place for that. */
  readonly ringDir: string
  readonly journalDir: string
  readonly registryFile: string
  readonly socketPath: string
  readonly tokenFile: string
  /** 0: any free port, written to stopPortFile. */
  readonly stopPort: number
  readonly stopPortFile: string
  /** Of one file of a recording of frames; the next ones go into another one. */
  readonly frameFileBytes: number
  readonly commit: string
}

type Environment = Readonly<Record<string, string | undefined>>

const STATION_NAME = /^[a-z0-9][a-z0-9-]{0,31}$/ // it becomes part of file names
const MAX_SOCKET_PATH_BYTES = 100 // the kernels take 104 (macOS) and 108 (Linux)
const MIB = 1024 * 1024
const FRAME_FILE_MIB = 64 * 1024 // three minutes of a camera at 366 MB/s: what can still be copied, hashed and fetched in one go
const MAX_FRAME_FILE_MIB = 16 * MIB // the largest file of ext4
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']

/** The only place of the workers that looks at the environment. Throws CannotStart with what is wrong and what is allowed. */
export function readWorkerConfig(environment: Environment): WorkerConfig {
  const dataDir = needed(environment, 'DATA_DIR')
  if (!isAbsolute(dataDir)) throw new CannotStart(`DATA_DIR=${dataDir} must be an absolute path`)
  const logLevel = given(environment, 'LOG_LEVEL') ?? 'info'
  if (!LOG_LEVELS.includes(logLevel)) throw new CannotStart(`LOG_LEVEL=${logLevel} is not one of ${LOG_LEVELS.join(', ')}`)
  const instrumentsDir = given(environment, 'INSTRUMENTS_DIR') ?? join(dataDir, 'instruments')
  if (!isAbsolute(instrumentsDir)) throw new CannotStart(`INSTRUMENTS_DIR=${instrumentsDir} must be an absolute path`)
  const watchPlugins = given(environment, 'PLUGINS_WATCH') ?? 'off'
  if (watchPlugins !== 'on' && watchPlugins !== 'off') throw new CannotStart(`PLUGINS_WATCH=${watchPlugins} must be on or off`)
  return {
    dataDir,
    databaseUrl: needed(environment, 'DATABASE_URL'),
    redisUrl: given(environment, 'REDIS_URL'),
    logLevel,
    instrumentsDir,
    plugins: namesIn(given(environment, 'PLUGINS') ?? ''),
    pluginsDir: join(dataDir, 'plugins'),
    watchPlugins: watchPlugins === 'on',
  }
}

export function readComputeConfig(environment: Environment): ComputeConfig {
  const worker = readWorkerConfig(environment)
  const probePort = given(environment, 'COMPUTE_PROBE_PORT')
  if (probePort !== undefined && !isPort(Number(probePort)))
    throw new CannotStart(`COMPUTE_PROBE_PORT=${probePort} must be a port from 0 (any free one) to 65535`)
  const [url, user, password] = ['NEO4J_URL', 'NEO4J_USER', 'NEO4J_PASSWORD'].map((name) => given(environment, name))
  try {
    return { ...worker, probePort: probePort === undefined ? undefined : Number(probePort), graph: graphPlace(worker.dataDir, { url, user, password }) }
  } catch (error) {
    throw new CannotStart(messageOf(error))
  }
}

export function readStationConfig(environment: Environment): StationConfig {
  const worker = readWorkerConfig(environment)
  const { dataDir } = worker
  const stationName = given(environment, 'STATION_NAME') ?? 'local'
  if (!STATION_NAME.test(stationName)) throw new CannotStart(`STATION_NAME=${stationName} must be 1 to 32 small letters, digits and hyphens`)
  const stopPort = Number(given(environment, 'STATION_STOP_PORT') ?? 0)
  if (!isPort(stopPort)) throw new CannotStart(`STATION_STOP_PORT=${environment.STATION_STOP_PORT} must be a port from 0 (any free one) to 65535`)
  const frameFileMib = Number(given(environment, 'FRAME_FILE_MIB') ?? FRAME_FILE_MIB)
  if (!Number.isInteger(frameFileMib) || frameFileMib < 1 || frameFileMib > MAX_FRAME_FILE_MIB)
    throw new CannotStart(`FRAME_FILE_MIB=${environment.FRAME_FILE_MIB} must be a whole number of MiB from 1 to ${MAX_FRAME_FILE_MIB}`)
  const journalDir = join(dataDir, 'journal', stationName)
  return {
    ...worker,
    stationName,
    labDir: (given(environment, 'SIMULATED_LAB') ?? 'on') === 'off' ? undefined : (given(environment, 'LAB_DIR') ?? join(dataDir, 'lab')),
    ringDir: given(environment, 'RING_DIR') ?? (existsSync('/dev/shm') ? `/dev/shm/kymograph-${shortHash(dataDir)}` : join(dataDir, 'run')),
    journalDir,
    registryFile: join(journalDir, 'registry.json'),
    socketPath: linkSocketPath(dataDir, stationName),
    tokenFile: join(dataDir, 'run', 'link-token'),
    stopPort,
    stopPortFile: join(dataDir, 'run', `station-${stationName}.stop-port`),
    frameFileBytes: frameFileMib * MIB,
    commit: given(environment, 'KYMOGRAPH_COMMIT') ?? '',
  }
}

function namesIn(list: string): readonly string[] {
  return list
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

function isPort(number: number): boolean {
  return Number.isInteger(number) && number >= 0 && number <= 65_535
}

/** Below the data folder, or where it is too deep for a socket's path, below the system's folder for temporary files. */
function linkSocketPath(dataDir: string, stationName: string): string {
  const near = join(dataDir, 'run', `station-${stationName}.sock`)
  return Buffer.byteLength(near) < MAX_SOCKET_PATH_BYTES ? near : join(tmpdir(), `kymograph-${shortHash(dataDir)}`, `${stationName}.sock`)
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

/** An empty variable is one that is not set: compose files cannot leave one out. */
function given(environment: Environment, name: string): string | undefined {
  return environment[name] === '' ? undefined : environment[name]
}

function needed(environment: Environment, name: string): string {
  const value = given(environment, name)
  if (value === undefined) throw new CannotStart(`${name} is not set; npm start sets it`)
  return value
}
