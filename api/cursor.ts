import type { ReadingsPosition } from '../link/protocol.ts'
import { badCursor } from './connection.ts'
import type { Context } from './context.ts'

/**
 * A place in the streams of the lab: the last event, and how far the readings of each station are. One form for all streams, so that Lab.cursor goes over
 * from a query to any of them.
 */
export type StreamCursor = { readonly event?: bigint; readonly stations?: ReadonlyMap<string, ReadingsPosition>; readonly row?: number }

export function encodeStreamCursor({ event, stations, row }: StreamCursor): string {
  const positions = stations && Object.fromEntries([...stations].map(([id, { epoch, position }]) => [id, [epoch, position]]))
  return Buffer.from(JSON.stringify({ e: event?.toString(), s: positions, r: row })).toString('base64url')
}

/** Throws for what is no cursor of ours. */
export function decodeStreamCursor(cursor: string): StreamCursor {
  const { e, s, r } = parse(cursor)
  if ((e !== undefined && !(typeof e === 'string' && /^\d+$/.test(e))) || (r !== undefined && !(typeof r === 'number' && Number.isSafeInteger(r))))
    throw badCursor(cursor)
  const stations = new Map<string, ReadingsPosition>()
  for (const [id, at] of Object.entries(typeof s === 'object' && s !== null ? s : {})) {
    const [epoch, position]: unknown[] = Array.isArray(at) ? at : []
    if (typeof epoch !== 'number' || typeof position !== 'number') throw badCursor(cursor)
    stations.set(id, { epoch, position })
  }
  return { ...(typeof e === 'string' && { event: BigInt(e) }), ...(s !== undefined && { stations }), ...(typeof r === 'number' && { row: r }) }
}

function parse(cursor: string): { readonly e?: unknown; readonly s?: unknown; readonly r?: unknown } {
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
  return encodeStreamCursor({ event: await feed.lastId(), stations: new Map(stations.all().map((mirror) => [mirror.stationId, mirror.at])) })
}
