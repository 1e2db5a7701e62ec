const STOP_WITHIN_MS = 5000 // the stations have three seconds to confirm

/**
 * Not through GraphQL and not over the WebSocket: the one lane that works when those are lost. undefined: every station acknowledged; else what is wrong.
 */
export async function postStop(reason: string, origin = ''): Promise<string | undefined> {
  try {
    const answer = await fetch(`${origin}/stop?reason=${encodeURIComponent(reason)}`, { method: 'POST', signal: AbortSignal.timeout(STOP_WITHIN_MS) })
    return answer.ok ? undefined : describe(answer.status, await answer.text())
  } catch (error) {
    return `The emergency stop did not reach the server (${error instanceof Error ? error.message : 'no answer'}).`
  }
}

function describe(status: number, body: string): string {
  const silent = silentStations(body)
  if (silent === undefined || silent.of === 0) return `The server answered ${status} to the emergency stop.`
  return `${silent.count} of ${silent.of} stations did not acknowledge the emergency stop.`
}

function silentStations(body: string): { count: number; of: number } | undefined {
  try {
    const { stations }: { stations?: unknown } = JSON.parse(body)
    if (!Array.isArray(stations)) return undefined
    return { count: stations.filter((station: { acknowledged?: unknown }) => station.acknowledged !== true).length, of: stations.length }
  } catch {
    return undefined // not the lab's own answer; the status says enough
  }
}
