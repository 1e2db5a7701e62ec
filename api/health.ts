import { statfs } from 'node:fs/promises'
import { COMPUTE_QUEUE } from '../core/job.ts'
import type { Context, Services } from './context.ts'
import { type GraphServices, graphStanding } from './graph.ts'
import type { StationMirror } from './stations/mirror.ts'

export type HealthState = 'OK' | 'DEGRADED' | 'DOWN'
export type ComponentHealth = {
  readonly name: string
  readonly state: HealthState
  readonly message?: string
  readonly lastSeen?: Date | bigint
  readonly latencyMs?: number
}
export type Health = {
  readonly state: HealthState
  readonly time: Date
  readonly components: readonly ComponentHealth[]
  readonly cpuPercent?: number
  readonly memoryBytes?: number
  readonly diskFreeBytes?: number
}

const PROBE_DEADLINE_MS = 2_000 // what takes longer to say that it lives does not live well
const BEHIND_MS = 10_000 // a change is in the graph within a second; after so long its projector is away
const LOW_DISK_BYTES = 2 * 1024 ** 3 // some minutes of a large camera: time to act

export async function databaseHealth({ database }: Pick<Context, 'database'>): Promise<ComponentHealth> {
  return probe('database', async () => {
    await database.pool.query('SELECT 1')
  })
}

export async function queueHealth({ queues }: Pick<Context, 'queues'>): Promise<ComponentHealth> {
  return probe('queue', async () => {
    await queues.ping(COMPUTE_QUEUE)
  })
}

export async function graphHealth(services: GraphServices): Promise<ComponentHealth> {
  let behind: Date | undefined
  const health = await probe('graph', async () => {
    behind = await graphStanding(services)
  })
  if (behind === undefined || Date.now() - behind.getTime() < BEHIND_MS) return health
  return { ...health, state: 'DEGRADED', message: `it has no change since ${behind.toISOString()}: its projector is away` }
}

async function diskHealth(dataDir: string): Promise<ComponentHealth & { readonly freeBytes: number }> {
  const { bavail, bsize } = await statfs(dataDir)
  const freeBytes = bavail * bsize
  return freeBytes < LOW_DISK_BYTES
    ? { name: 'disk', state: 'DEGRADED', message: `${Math.round(freeBytes / 1e6)} MB are free`, freeBytes }
    : { name: 'disk', state: 'OK', freeBytes }
}

/** A station's own parts, and the way to it. */
async function stationComponents(mirror: StationMirror): Promise<ComponentHealth[]> {
  const name = `station ${mirror.name}`
  if (!mirror.online) {
    const since = mirror.offlineSince
    return [{ name, state: 'DOWN', message: 'away', ...(since !== undefined && { lastSeen: since }) }]
  }
  const startedMs = performance.now()
  try {
    const { components } = await mirror.call('health', {}, PROBE_DEADLINE_MS)
    const own: ComponentHealth = { name, state: 'OK', lastSeen: new Date(), latencyMs: performance.now() - startedMs }
    return [own, ...components.map((component) => ({ ...component, name: `${name}: ${component.name}` }))]
  } catch (error) {
    return [{ name, state: 'DEGRADED', message: messageOf(error) }]
  }
}

/** Of the whole lab as this api sees it. */
export async function labHealth(services: Services): Promise<Health> {
  const [database, queue, graph, disk, ...stations] = await Promise.all([
    databaseHealth(services),
    queueHealth(services),
    graphHealth(services),
    diskHealth(services.config.dataDir),
    ...services.stations.all().map(stationComponents),
  ])
  const { freeBytes, ...diskComponent } = disk
  const components = [database, queue, graph, diskComponent, ...stations.flat()]
  return {
    state: overall(components),
    time: new Date(),
    components,
    cpuPercent: cpuPercent(),
    memoryBytes: process.memoryUsage.rss(),
    diskFreeBytes: freeBytes,
  }
}

export async function healthOfStation(mirror: StationMirror): Promise<Health | null> {
  if (!mirror.online) return null
  const { components, cpuPercent: percent, memoryBytes, diskFreeBytes } = await mirror.call('health', {}, PROBE_DEADLINE_MS)
  return { state: overall(components), time: new Date(), components, cpuPercent: percent, memoryBytes, diskFreeBytes }
}

/** One part that is down leaves the lab degraded; without its database it is down. */
function overall(components: readonly ComponentHealth[]): HealthState {
  if (components.some(({ name, state }) => name === 'database' && state === 'DOWN')) return 'DOWN'
  return components.every(({ state }) => state === 'OK') ? 'OK' : 'DEGRADED'
}

/** Of one core, since the process began. */
function cpuPercent(): number {
  const { user, system } = process.cpuUsage()
  return ((user + system) / 1e6 / process.uptime()) * 100
}

async function probe(name: string, ask: () => Promise<void>): Promise<ComponentHealth> {
  const startedMs = performance.now()
  const late = new AbortController()
  try {
    await Promise.race([ask(), deadline(PROBE_DEADLINE_MS, late.signal)])
    return { name, state: 'OK', latencyMs: performance.now() - startedMs, lastSeen: new Date() }
  } catch (error) {
    return { name, state: 'DOWN', message: messageOf(error) }
  } finally {
    late.abort()
  }
}

function deadline(milliseconds: number, signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds)
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? (error.message.split('\n').at(-1) ?? error.name) : String(error)
}
