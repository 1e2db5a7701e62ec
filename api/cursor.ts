import { GraphQLError } from 'graphql'
import type { ReadingsPosition } from '../link/protocol.ts'
import { badCursor } from './connection.ts'
import type { Context } from './context.ts'

/**
 * A place in the streams of the lab: the last event of one feed, and how far the readings of each station are. One form for all streams, so that Lab.cursor
 * goes over from a query to any of them.
 */
export type StreamCursor = {
  /** Absent in a cursor from before feeds had an identity: it is taken for one of this feed. */
  readonly feed?: string
  readonly event?: bigint
  readonly stations?: ReadonlyMap<string, ReadingsPosition>
  readonly runId?: string
  /** Of that run. */
  readonly row?: number
}

type Part = 'event' | 'stations' | 'row'
const STREAMS: Readonly<Record<Part, string>> = { event: 'events', stations: 'readings', row: 'runRows' }

export function encodeStreamCursor({ feed, event, stations, runId, row }: StreamCursor): string {
  const positions = stations && Object.fromEntries([...stations].map(([id, { epoch, position }]) => [id, [epoch, position]]))
  return Buffer.from(JSON.stringify({ f: feed, e: event?.toString(), s: positions, u: runId, r: row })).toString('base64url')
}

/** Throws for what is no cursor of ours. */
export function decodeStreamCursor(cursor: string): StreamCursor {
  const { f, e, s, u, r } = parse(cursor)
  const known =
    (f === undefined || typeof f === 'string') &&
    (e === undefined || (typeof e === 'string' && /^\d+$/.test(e))) &&
    (u === undefined || typeof u === 'string') &&
    (r === undefined || (typeof r === 'number' && Number.isSafeInteger(r)))
  if (!known || (e === undefined && s === undefined && r === undefined)) throw badCursor(cursor)
  const stations = new Map<string, ReadingsPosition>()
  for (const [id, at] of Object.entries(typeof s === 'object' && s !== null ? s : {})) {
    const [epoch, position]: unknown[] = Array.isArray(at) ? at : []
    if (typeof epoch !== 'number' || typeof position !== 'number') throw badCursor(cursor)
    stations.set(id, { epoch, position })
  }
  return {
    ...(f !== undefined && { feed: f }),
    ...(e !== undefined && { event: BigInt(e) }),
    ...(s !== undefined && { stations }),
    ...(u !== undefined && { runId: u }),
    ...(r !== undefined && { row: r }),
  }
}

/** A cursor that was given to one of the streams. Throws for one of another stream, which says nothing of this one. */
export function decodeCursorOf<Needed extends Part>(part: Needed, cursor: string): StreamCursor & Required<Pick<StreamCursor, Needed>> {
  const decoded = decodeStreamCursor(cursor)
  if (speaksOf(part, decoded)) return decoded
  const others = (Object.keys(STREAMS) as Part[]).filter((other) => decoded[other] !== undefined).map((other) => STREAMS[other])
  throw new GraphQLError(`after: this is a cursor of ${others.join(' and ')}, not of ${STREAMS[part]}`, { extensions: { code: 'BAD_USER_INPUT' } })
}

function speaksOf<Needed extends Part>(part: Needed, cursor: StreamCursor): cursor is StreamCursor & Required<Pick<StreamCursor, Needed>> {
  return cursor[part] !== undefined
}

function parse(cursor: string): { readonly f?: unknown; readonly e?: unknown; readonly s?: unknown; readonly u?: unknown; readonly r?: unknown } {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (typeof value === 'object' && value !== null) return value
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw badCursor(cursor)
}

/** Where everything stands now. Taken before the answer's other fields are read from it, nothing that comes later is missed. */
export async function presentCursor({ feed, stations }: Pick<Context, 'feed' | 'stations'>): Promise<string> {
  const { feed: identity, last } = await feed.present()
  return encodeStreamCursor({ feed: identity, event: last, stations: new Map(stations.all().map((mirror) => [mirror.stationId, mirror.at])) })
}
