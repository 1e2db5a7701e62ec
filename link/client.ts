import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, StationOffline } from '../core/errors.ts'
import type { WallNs } from '../core/time.ts'
import { formatRfc3339, wallNsFromMs } from '../core/time.ts'
import { socketPath } from './address.ts'
import { type Lane, openLane } from './lane.ts'
import type { LinkCalls, LinkStreams, StationLink } from './protocol.ts'

export type StationLinkOptions = {
  readonly stationId: string
  /** unix:<path>. */
  readonly address: string
  readonly token: string
  readonly log: (line: string) => void
}

const FIRST_RETRY_MS = 50 // a station that restarts is back within a second; nobody should wait longer than it does
const MAX_RETRY_MS = 500 // a try costs one refused connect of a local socket

/** Connects in the background and stays connected; never throws for a station that is away. */
export function connectStation(options: StationLinkOptions): StationLink {
  const path = socketPath(options.address)
  const stopping = new AbortController()
  const listeners = new Set<(online: boolean) => void>()
  let lanes: { readonly calls: Lane; readonly streams: Lane } | undefined
  let onlineSince: WallNs | undefined
  let offlineSince = nowNs()
  let offlineReason = 'it has not answered yet'
  const staying = stay()

  return {
    stationId: options.stationId,
    get online() {
      return lanes !== undefined
    },
    get onlineSince() {
      return onlineSince
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async call(name, params, { timeoutMs, signal }) {
      signal?.throwIfAborted()
      return (await present().calls.call(name, params, timeoutMs, signal)) as LinkCalls[typeof name]['result']
    },
    async *stream(name, params, signal) {
      yield* present().streams.stream(name, params, signal) as AsyncGenerator<LinkStreams[typeof name]['item'], void, void>
    },
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      await staying
    },
  }

  function present(): { readonly calls: Lane; readonly streams: Lane } {
    if (lanes !== undefined) return lanes
    throw new StationOffline(`the station is away since ${formatRfc3339(offlineSince)}: ${offlineReason}`, {
      stationId: options.stationId,
      since: formatRfc3339(offlineSince),
    })
  }

  async function stay(): Promise<void> {
    let retryMs = FIRST_RETRY_MS
    while (!stopping.signal.aborted) {
      try {
        const [calls, streams] = await bothLanes()
        retryMs = FIRST_RETRY_MS
        lanes = { calls, streams }
        onlineSince = nowNs()
        tell(true)
        offlineReason = await Promise.race([calls.lost, streams.lost])
        offlineSince = nowNs()
        lanes = undefined
        onlineSince = undefined
        calls.close(offlineReason)
        streams.close(offlineReason)
        tell(false)
      } catch (error) {
        offlineReason = messageOf(error)
      }
      // Jitter: many apis must not come back in the same instant.
      await pause(retryMs * (0.5 + Math.random() / 2), stopping.signal)
      retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
    }
  }

  function tell(online: boolean): void {
    options.log(online ? `connected to station ${options.stationId}` : `lost station ${options.stationId}: ${offlineReason}`)
    for (const listener of listeners) listener(online)
  }

  async function bothLanes(): Promise<[Lane, Lane]> {
    const opened = await Promise.allSettled([openLane(path, 'calls', options, stopping.signal), openLane(path, 'streams', options, stopping.signal)])
    const [calls, streams] = opened
    if (calls.status === 'fulfilled' && streams.status === 'fulfilled') return [calls.value, streams.value]
    for (const lane of opened) if (lane.status === 'fulfilled') lane.value.close('the other lane did not open')
    throw calls.status === 'rejected' ? calls.reason : streams.status === 'rejected' ? streams.reason : new Error('unreachable')
  }
}

function nowNs(): WallNs {
  return wallNsFromMs(Date.now())
}

/** Until the time is over or the signal fires; never throws. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
}
