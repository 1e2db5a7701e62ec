import type { Actor } from '../core/cause.ts'
import type { DeviceStopResult } from '../core/command.ts'
import type { EmergencyStopState } from '../core/device.ts'
import type { StationMirror } from './stations/mirror.ts'
import type { Stations } from './stations/stations.ts'

/** A station answers once the stop bytes are out and the instruments had time to confirm; one that has not by then counts as not reached. */
const STOP_DEADLINE_MS = 3_000
const RELEASE_DEADLINE_MS = 5_000

export type StationStopResult = {
  readonly stationId: string
  readonly acknowledged: boolean
  readonly devices: readonly DeviceStopResult[]
  readonly elapsedMs: number
}
export type StopResult = { readonly emergencyStop: EmergencyStopState; readonly stations: readonly StationStopResult[]; readonly elapsedMs: number }
export type StopRequest = {
  readonly actor: Actor
  readonly reason?: string | undefined
  readonly stationIds?: readonly string[] | undefined
  readonly arrivedAtMs: number
}

/** All stations at once, each over a lane of its own. Needs neither database nor queue; one that is away does not hold up the others. */
export async function stopStations(
  { stations }: { readonly stations: Stations },
  { actor, reason, stationIds, arrivedAtMs }: StopRequest,
): Promise<StopResult> {
  const ids = stationIds ?? stations.all().map(({ stationId }) => stationId)
  const results = await Promise.all(ids.map((id) => stopOne(stations, id, actor, reason, arrivedAtMs)))
  const state = results.find(({ state }) => state?.active === true)?.state
  return {
    emergencyStop: state ?? { active: false },
    stations: results.map(({ result }) => result),
    elapsedMs: performance.now() - arrivedAtMs,
  }
}

async function stopOne(stations: Stations, stationId: string, actor: Actor, reason: string | undefined, arrivedAtMs: number) {
  try {
    const station = stations.get(stationId)
    const elapsedMs = performance.now() - arrivedAtMs
    const { state, devices } = await station.call('emergencyStop', { actor, elapsedMs, ...(reason !== undefined && { reason }) }, STOP_DEADLINE_MS)
    return { state, result: { stationId, acknowledged: true, devices, elapsedMs: performance.now() - arrivedAtMs } }
  } catch {
    // Said in the answer: this station did not acknowledge. A stop is never an error of the others.
    return { state: undefined, result: { stationId, acknowledged: false, devices: [], elapsedMs: performance.now() - arrivedAtMs } }
  }
}

/** Throws StationOffline when one of the stations is away: a latch that stays must be seen. */
export async function releaseStations(
  { stations }: { readonly stations: Stations },
  { actor, reason, stationIds }: Omit<StopRequest, 'arrivedAtMs'>,
): Promise<StopResult> {
  const startedMs = performance.now()
  const latched = stationIds === undefined ? stations.all().filter(({ emergencyStop }) => emergencyStop.active) : chosen(stations, stationIds)
  const released = await Promise.all(
    latched.map(async (station) => {
      const { state } = await station.call('releaseEmergencyStop', { actor, ...(reason !== undefined && { reason }) }, RELEASE_DEADLINE_MS)
      return { state, result: { stationId: station.stationId, acknowledged: true, devices: [], elapsedMs: performance.now() - startedMs } }
    }),
  )
  const state = released.find(({ state }) => state.active)?.state ?? released[0]?.state
  return { emergencyStop: state ?? { active: false }, stations: released.map(({ result }) => result), elapsedMs: performance.now() - startedMs }
}

function chosen(stations: Stations, ids: readonly string[] | undefined): readonly StationMirror[] {
  return ids === undefined ? stations.all() : ids.map((id) => stations.get(id))
}
