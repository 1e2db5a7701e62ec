import type { Logger } from 'pino'
import type { Actor, Cause } from '../core/cause.ts'
import { uuidv7 } from '../core/id.ts'
import type { GraphStore } from '../graph/store.ts'
import type { Database } from '../prisma/client.ts'
import type { ApiConfig } from './config.ts'
import type { EventFeed } from './feed.ts'
import type { FrameTickets } from './frames/ticket.ts'
import type { JobQueues } from './job-queues.ts'
import type { KnownDevices } from './known-devices.ts'
import { createLoaders, type Loaders } from './loaders.ts'
import type { ReadTurns } from './read-turns.ts'
import type { RowChanges } from './row-changes.ts'
import type { Projections } from './states/projections.ts'
import type { Stations } from './stations/stations.ts'
import type { RawJson } from './subscriptions/raw-json.ts'

/** What lives as long as the process; opened and closed by server.ts. */
export type Services = {
  readonly config: ApiConfig
  readonly log: Logger
  readonly database: Database
  readonly stations: Stations
  readonly knownDevices: KnownDevices
  readonly changes: RowChanges
  readonly feed: EventFeed
  readonly queues: JobQueues
  readonly graph: GraphStore
  readonly tickets: FrameTickets
  readonly projections: Projections
  readonly readTurns: ReadTurns
}

/** What lives as long as one operation. */
export type Context = Services & {
  readonly actor: Actor
  readonly requestId: string
  /** performance.now() at the arrival of the request. */
  readonly arrivedAtMs: number
  readonly load: Loaders
  /** Fires when the client has gone; only of a request over HTTP. */
  readonly signal?: AbortSignal
  /** Of an event of a subscription: parts of the answer that a resolver writes by itself. */
  readonly raw?: RawJson
}

export function createContext(services: Services, actor: Actor, arrivedAtMs: number, signal?: AbortSignal): Context {
  return { ...services, actor, requestId: uuidv7(), arrivedAtMs, load: createLoaders(services), ...(signal !== undefined && { signal }) }
}

/** Who asks, as it travels to the hardware write and into the history. */
export function causeOf({ actor, requestId }: Context, reason?: string | null): Cause {
  return { kind: actor.kind, actor: actor.name, requestId, ...(reason != null && { reason }) }
}
