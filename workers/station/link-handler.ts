import type { DriverCatalog } from '../../drivers/catalog/driver-catalog.ts'
import type { LinkHandler, StateItem, StationHealth } from '../../link/protocol.ts'
import { describeDriver, locateDevice } from './catalog.ts'
import { Bell } from './host/bell.ts'
import { streamFrames } from './host/frame-stream.ts'
import type { DeviceHost } from './host/host.ts'
import { SharedPictures } from './host/shared-pictures.ts'
import { merge } from './merge.ts'
import type { Runs } from './runs/runs.ts'

export type LinkHandlerParts = {
  readonly catalog: DriverCatalog
  readonly stationId: string
  readonly epoch: number
  readonly host: DeviceHost
  readonly runs: Runs
  readonly health: () => Promise<StationHealth>
}

/** What this station offers to those who are connected by the link. */
export function linkHandler({ stationId, epoch, catalog, host, runs, health }: LinkHandlerParts): LinkHandler {
  const pictures = new SharedPictures()
  return {
    calls: {
      command: (request, signal) => host.command(request, signal),
      emergencyStop: ({ actor, reason, elapsedMs }) => host.emergencyStop(actor, reason, elapsedMs),
      releaseEmergencyStop: async ({ actor, reason }) => ({ state: await host.releaseEmergencyStop(actor, reason) }),
      holdQueue: ({ actor, reason }) => runs.hold(actor, reason),
      releaseQueue: ({ actor }) => runs.release(actor),
      abortRun: async ({ runId, actor, reason }) => ({ known: runs.abort(runId, actor, reason) }),
      syncDevices: () => host.syncDevices(),
      discover: async (_, signal) => ({ found: await host.discover(signal) }),
      checkDevice: async ({ driverId, settings }) => locateDevice(catalog, driverId, settings),
      health: () => health(),
    },
    streams: {
      state: (_, signal) => state(signal),
      readings: (params, signal) => host.readings.stream(params, signal),
      runRows: ({ runId, fromRow }, signal) => runs.rows(runId, fromRow, signal),
      frames: ({ deviceId, maxRateHz, view }, signal) => streamFrames(() => host.device(deviceId), view, maxRateHz, pictures, signal),
      command: ({ requestId }, signal) => host.progress(requestId, signal),
    },
  }

  /** Listens before it takes the snapshot, so that nothing falls in between. */
  async function* state(signal: AbortSignal): AsyncGenerator<StateItem, void, void> {
    const changes = host.changes(signal)
    const queue = newest(
      (listener) => runs.onChange(listener),
      signal,
      () => ({ kind: 'queue' as const, queue: runs.queueState }),
    )
    const drivers = newest(
      (listener) => catalog.onChange(listener),
      signal,
      () => ({ kind: 'drivers' as const, drivers: catalog.drivers.map(describeDriver) }),
    )
    yield {
      kind: 'snapshot',
      stationId,
      epoch,
      drivers: catalog.drivers.map(describeDriver),
      devices: host.states(),
      emergencyStop: host.stopState,
      queue: runs.queueState,
    }
    yield* merge<StateItem>(drivers, changes, queue)
  }
}

/** What is now, after each change since the call; a slow reader is told less often. */
function newest<T>(onChange: (listener: () => void) => () => void, signal: AbortSignal, now: () => T): AsyncGenerator<T, void, void> {
  const bell = new Bell()
  let changed = false
  const forget = onChange(() => {
    changed = true
    bell.ring()
  })
  signal.addEventListener('abort', forget, { once: true })
  return (async function* () {
    try {
      while (!signal.aborted) {
        if (!changed) {
          await bell.rung(signal)
          continue
        }
        changed = false
        yield now()
      }
    } finally {
      forget()
      signal.removeEventListener('abort', forget)
    }
  })()
}
