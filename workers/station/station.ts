import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { DeviceRecord } from '../../core/device.ts'
import { resolveAddress } from '../../drivers/address.ts'
import type { DriverCatalog } from '../../drivers/catalog/driver-catalog.ts'
import { hostPorts } from '../../drivers/transport/host-ports.ts'
import { unixAddress } from '../../link/address.ts'
import type { StationHealth } from '../../link/protocol.ts'
import { listenForLinks, removeAbandonedSocket } from '../../link/server.ts'
import { linkToken } from '../../link/token.ts'
import { openDatabase } from '../../prisma/client.ts'
import type { StationConfig } from '../config.ts'
import type { Logger } from '../logger.ts'
import { systemClock } from './clock.ts'
import { healthOf } from './health.ts'
import { type DeviceHost, openDeviceHost } from './host/host.ts'
import { readDevices, saveRegistry } from './host/registry.ts'
import { identify } from './identity.ts'
import { openJournal } from './journal/journal.ts'
import { type Shipper, startShipper } from './journal/shipper.ts'
import { linkHandler } from './link-handler.ts'
import { announcePresence } from './presence.ts'
import { startRuns } from './runs/runs.ts'
import { listenForStops } from './stop-server.ts'

const SHIP_LAST_WITHIN_MS = 2_000 // at the end; what is not shipped by then is in the journal and goes at the next start

/**
 * One host's instruments, served: the device host, the journal and its shipper, the run queue, the link. Disposed in the order that a lab wants:
 * motion stops first, runs end, nobody is served any more, devices are let go, the journal is whole on disk.
 */
export async function startStation(config: StationConfig, parts: { readonly catalog: DriverCatalog; readonly logger: Logger }): Promise<AsyncDisposable> {
  const { catalog, logger } = parts
  const log = (line: string): void => logger.info(line)
  const opened: AsyncDisposable[] = []
  const keep = <T extends AsyncDisposable>(part: T): T => {
    opened.push(part)
    return part
  }
  const close = async (): Promise<void> => {
    for (const part of opened.splice(0).reverse()) await part[Symbol.asyncDispose]()
  }

  try {
    for (const folder of [dirname(config.socketPath), dirname(config.tokenFile), config.ringDir, config.journalDir])
      await mkdir(folder, { recursive: true, mode: 0o700 })
    const address = unixAddress(config.socketPath)
    await removeAbandonedSocket(address) // before anything else: two stations must not write one journal
    const token = await linkToken(config.tokenFile)
    const clock = systemClock()
    const database = keep(openDatabase(config.databaseUrl, { name: `station ${config.stationName}`, onError: ({ message }) => logger.warn(message) }))
    const { stationId, epoch, devices } = await identify(database, config.stationName, config.registryFile, log)

    const journal = keep(await openJournal(config.journalDir, { log }))
    const shipper = keep(startShipper({ journal, database, stationId, log }))
    keep({ [Symbol.asyncDispose]: () => shipLast(shipper) })

    // The first list is what identify() has read or remembered; each later one is read again and remembered.
    let first: readonly DeviceRecord[] | undefined = devices
    const registry = async (): Promise<readonly DeviceRecord[]> => {
      const known = first ?? (await readDevices(database, stationId))
      if (first === undefined) await saveRegistry(config.registryFile, { stationId, epoch, devices: known })
      first = undefined
      return known
    }
    const host = keep(
      await openDeviceHost({
        epoch,
        catalog,
        journal,
        registry,
        log,
        commit: config.commit,
        hostPorts: hostPorts({ labFolder: config.labDir }),
        driverContext: { clock, resolve: (address) => resolveAddress(address, config.labDir), log, workFolder: config.ringDir },
      }),
    )
    const queueConnection = config.redisUrl === undefined ? { databaseUrl: config.databaseUrl } : { redisUrl: config.redisUrl }
    const { dataDir, frameFileBytes } = config
    const runs = await startRuns({ host, journal, database, queueConnection, stationId, dataDir, frameFileBytes, clock, log })
    const motionEnds = keep(
      once(async () => {
        const runsEnd = runs[Symbol.asyncDispose]() // it sets nothing in motion from here on
        await host.stopMotion()
        await runsEnd
      }),
    )

    let presenceProblem = (): string | undefined => undefined
    const health = healthOf({
      dataDir: config.dataDir,
      journalBacklog: () => shipper.backlog,
      components: () => [...deviceHealth(host), ...driverHealth(catalog), part('database', presenceProblem() ?? shipper.problem)],
    })
    const handler = linkHandler({ stationId, epoch, catalog, host, runs, health })
    keep(await listenForLinks({ address, token, station: { stationId, name: config.stationName, epoch }, handler, log }))
    keep(await listenForStops({ port: config.stopPort, portFile: config.stopPortFile, token, host, log }))
    const presence = keep(
      await announcePresence({ database, stationId, linkAddress: address, epoch, log, onReturn: async () => void (await host.syncDevices()) }),
    )
    presenceProblem = () => presence.problem
    log(`station ${config.stationName} serves ${host.devices.size} devices on ${address}`)
    keep(motionEnds) // a second time, to be the first thing that closing does
    return { [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

function once(work: () => Promise<void>): AsyncDisposable {
  let done: Promise<void> | undefined
  return { [Symbol.asyncDispose]: () => (done ??= work()) }
}

async function shipLast(shipper: Shipper): Promise<void> {
  await shipper.caughtUp(AbortSignal.timeout(SHIP_LAST_WITHIN_MS)).catch(() => undefined) // late is not lost
}

function part(name: string, problem: string | undefined): StationHealth['components'][number] {
  return problem === undefined ? { name, state: 'OK' } : { name, state: 'DEGRADED', message: problem }
}

/** A plugin or a folder of descriptions that is partly broken leaves the rest running; here it is said. */
function driverHealth({ reports }: DriverCatalog): StationHealth['components'] {
  return reports.map(({ source, problems }) => part(source, problems.length === 0 ? undefined : problems.join('; ')))
}

function deviceHealth(host: DeviceHost): StationHealth['components'] {
  return host
    .states()
    .map(({ name, connection, connectionReason }) =>
      part(
        `device ${name}`,
        connection === 'CONNECTED' ? undefined : `${connection.toLowerCase()}${connectionReason === undefined ? '' : `: ${connectionReason}`}`,
      ),
    )
}
