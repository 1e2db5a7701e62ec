import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Actor } from '../../../../core/cause.ts'
import type { CommandCall, CommandRequest } from '../../../../core/command.ts'
import type { DeviceRecord, DeviceSettings } from '../../../../core/device.ts'
import { Problem } from '../../../../core/errors.ts'
import { uuidv7 } from '../../../../core/id.ts'
import type { JournalEntry } from '../../../../core/journal.ts'
import { resolveAddress } from '../../../../drivers/address.ts'
import { catalogOf, type DriverCatalog, listed } from '../../../../drivers/catalog/driver-catalog.ts'
import type { Driver } from '../../../../drivers/driver.ts'
import { hostPorts } from '../../../../drivers/transport/host-ports.ts'
import { systemClock } from '../../../../workers/station/clock.ts'
import { type DeviceHost, openDeviceHost } from '../../../../workers/station/host/host.ts'
import { type Journal, openJournal } from '../../../../workers/station/journal/journal.ts'
import { until } from '../../../until.ts'

export const never: AbortSignal = new AbortController().signal
export const ADA: Actor = { id: 'ada', name: 'Ada', role: 'OPERATOR', kind: 'PERSON' }

/** A device host on a real journal, as a station has it. `restart` is a new process on the same disk. */
export type HostBench = AsyncDisposable & {
  readonly host: DeviceHost
  readonly journal: Journal
  readonly folder: string
  registry: readonly DeviceRecord[]
  restart(): Promise<void>
  /** As restart, but the journal is that of a process that was killed: it does not know of the end. */
  comeBackLost(meanwhile: () => void): Promise<void>
  entries(): Promise<readonly JournalEntry[]>
  /** One call on one device. */
  ask(deviceId: string, call: CommandCall, more?: Partial<CommandRequest>): ReturnType<DeviceHost['command']>
  connected(...deviceIds: readonly string[]): Promise<void>
}

export function record(id: string, driverId: string, settings: DeviceSettings, version = 1): DeviceRecord {
  return { id, name: id, driverId, stationId: 'station', settings, version }
}

export async function openHostBench(drivers: readonly Driver[] | DriverCatalog, registry: readonly DeviceRecord[], labFolder?: string): Promise<HostBench> {
  const folder = await mkdtemp(join(tmpdir(), 'host-'))
  let epoch = 0
  const clock = systemClock()
  const catalog = 'find' in drivers && 'reports' in drivers ? drivers : catalogOf([listed('test', drivers)])
  const start = async (): Promise<{ readonly host: DeviceHost; readonly journal: Journal }> => {
    const journal = await openJournal(join(folder, 'journal'), { log: () => undefined })
    const host = await openDeviceHost({
      epoch: ++epoch,
      catalog,
      journal,
      registry: async () => bench.registry,
      commit: 'abc',
      hostPorts: hostPorts({ labFolder, devFolder: join(folder, 'dev'), listSerial: async () => [] }),
      log: () => undefined,
      driverContext: { clock, resolve: (address) => resolveAddress(address, labFolder), log: () => undefined, workFolder: folder },
    })
    return { host, journal }
  }
  const stop = async (): Promise<void> => {
    await parts.host[Symbol.asyncDispose]()
    await parts.journal[Symbol.asyncDispose]()
  }
  const bench: HostBench = {
    registry,
    folder,
    get host() {
      return parts.host
    },
    get journal() {
      return parts.journal
    },
    async restart() {
      await stop()
      parts = await start()
    },
    async comeBackLost(meanwhile) {
      await parts.journal.flush()
      await cp(join(folder, 'journal'), join(folder, 'journal-of-the-killed'), { recursive: true })
      await stop()
      await rm(join(folder, 'journal'), { recursive: true })
      await rename(join(folder, 'journal-of-the-killed'), join(folder, 'journal'))
      meanwhile()
      parts = await start()
    },
    async entries() {
      parts.host.readings.flush() // what is gathered is journalled with its batch
      await parts.journal.flush()
      const entries: JournalEntry[] = []
      for await (const { entry } of parts.journal.readFrom(0)) entries.push(entry)
      return entries
    },
    ask: (deviceId, call, more = {}) =>
      parts.host.command(
        { requestId: uuidv7(), calls: [{ deviceId, call }], order: 'sequence', cause: { kind: 'PERSON', actor: 'Ada' }, acceptWithinMs: 30_000, ...more },
        never,
      ),
    async connected(...deviceIds) {
      for (const id of deviceIds) await until(() => parts.host.device(id).state.connection === 'CONNECTED', { what: `${id} connected` })
    },
    async [Symbol.asyncDispose]() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
  let parts = await start()
  return bench
}

export async function problemOf(promise: Promise<unknown>): Promise<Problem> {
  try {
    await promise
  } catch (error) {
    if (error instanceof Problem) return error
    throw error
  }
  throw new Error('nothing was refused')
}
