import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import type { Actor } from '../../core/cause.ts'
import { stopStations } from '../emergency-stop.ts'
import type { Stations } from '../stations/stations.ts'

export const STOP_PATH = '/stop'
const MAX_REASON_LENGTH = 500

export function isStop({ url }: IncomingMessage): boolean {
  return url === STOP_PATH || url?.startsWith(`${STOP_PATH}?`) === true
}

/**
 * The emergency stop with nothing in its way: no parser, no database, no login. Whoever reaches this port may stop the lab. The body is not read; a reason
 * may stand in the query (?reason=…).
 */
export async function answerStop(
  request: IncomingMessage,
  response: ServerResponse,
  { stations, actor, log }: { readonly stations: Stations; readonly actor: Actor; readonly log: Logger },
): Promise<void> {
  const arrivedAtMs = performance.now()
  if (request.method !== 'POST') {
    // a page that answers 200 would look like a stop to whoever is in a hurry
    response
      .writeHead(405, { Allow: 'POST', 'Content-Type': 'application/json' })
      .end(JSON.stringify({ stopped: false, detail: 'nothing is stopped: send POST' }))
    return
  }
  const reason = new URLSearchParams(request.url?.split('?')[1]).get('reason')?.slice(0, MAX_REASON_LENGTH)
  const result = await stopStations({ stations }, { actor, reason, arrivedAtMs })
  log.warn(
    { actor: actor.name, reason, elapsedMs: result.elapsedMs, stations: result.stations.map(({ stationId, acknowledged }) => ({ stationId, acknowledged })) },
    'emergency stop',
  )
  const everyone = result.stations.every(({ acknowledged }) => acknowledged)
  response.writeHead(everyone ? 200 : 503, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(
    JSON.stringify({ stopped: everyone, elapsedMs: result.elapsedMs, stations: result.stations }, (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    ),
  )
}
