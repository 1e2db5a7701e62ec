import type { Logger } from 'pino'
import type { DeviceState } from '../../core/device.ts'
import { StationOffline } from '../../core/errors.ts'
import type { DriverDescription, StationLink } from '../../link/protocol.ts'
import type { Database } from '../../prisma/client.ts'
import type { RowChanges } from '../row-changes.ts'
import { StationMirror } from './mirror.ts'

/** Every registered station that says where it listens, each with its link and its mirror. */
export interface Stations extends AsyncDisposable {
  all(): readonly StationMirror[]
  find(stationId: string): StationMirror | undefined
  /** Throws StationOffline for a station that has never said where it listens. */
  get(stationId: string): StationMirror
  device(device: { readonly id: string; readonly stationId: string }): DeviceState | undefined
  driver(driverId: string): DriverDescription | undefined
  drivers(): readonly DriverDescription[]
  /** Called when a station appears, disappears or changes its state. */
  onChange(listener: () => void): () => void
}

export type StationRow = { readonly id: string; readonly name: string; readonly linkAddress: string }
export type ConnectStation = (row: StationRow) => StationLink

const RETRY_MS = 1_000 // while the database is away

export async function openStations(database: Database, changes: RowChanges, connect: ConnectStation, log: Logger): Promise<Stations> {
  const known = new Map<string, { readonly address: string; readonly mirror: StationMirror }>()
  const listeners = new Set<() => void>()
  const tell = (): void => {
    for (const listener of listeners) listener()
  }
  let disposed = false

  const read = async (): Promise<void> => {
    const rows = await database.prisma.station.findMany({ where: { linkAddress: { not: null } }, select: { id: true, name: true, linkAddress: true } })
    if (disposed) return
    const wanted = new Map(rows.flatMap(({ id, name, linkAddress }) => (linkAddress === null ? [] : [[id, { id, name, linkAddress }] as const])))
    for (const [id, { address, mirror }] of known)
      if (wanted.get(id)?.linkAddress !== address) {
        known.delete(id)
        await mirror[Symbol.asyncDispose]()
      }
    for (const [id, row] of wanted)
      if (!known.has(id)) {
        const mirror = new StationMirror(row.name, connect(row), log)
        mirror.onChange(tell)
        known.set(id, { address: row.linkAddress, mirror })
      }
    tell()
  }
  let reading = Promise.resolve()
  let again: NodeJS.Timeout | undefined
  const readAgain = (): void => {
    clearTimeout(again)
    reading = reading.then(read).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'the register of stations cannot be read for the moment')
      if (!disposed) again = setTimeout(readAgain, RETRY_MS)
    })
  }
  const unwatch = changes.watch('station', undefined, readAgain)
  readAgain()
  await reading

  const find = (stationId: string): StationMirror | undefined => known.get(stationId)?.mirror
  const all = (): StationMirror[] => [...known.values()].map(({ mirror }) => mirror)
  const drivers = (): DriverDescription[] => [...new Map(all().flatMap((mirror) => mirror.drivers.map((driver) => [driver.id, driver] as const))).values()]
  return {
    all,
    find,
    drivers,
    get: (stationId) => {
      const mirror = find(stationId)
      if (mirror === undefined) throw new StationOffline('the station has not said where it listens', { stationId })
      return mirror
    },
    device: ({ id, stationId }) => find(stationId)?.devices.get(id),
    driver: (driverId) => drivers().find(({ id }) => id === driverId),
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async [Symbol.asyncDispose]() {
      disposed = true
      unwatch()
      clearTimeout(again)
      await reading
      await Promise.all(all().map((mirror) => mirror[Symbol.asyncDispose]()))
    },
  }
}
