import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Actor } from '../../../../core/cause.ts'
import type { DeviceRecord } from '../../../../core/device.ts'
import { uuidv7 } from '../../../../core/id.ts'
import { acquisition, stationQueue } from '../../../../core/job.ts'
import type { PlanSpec } from '../../../../core/plan.ts'
import type { RowCell } from '../../../../core/row.ts'
import { hasEnded } from '../../../../core/run.ts'
import { resolveAddress } from '../../../../drivers/address.ts'
import { catalogOf, listed } from '../../../../drivers/catalog/driver-catalog.ts'
import { DRIVERS } from '../../../../drivers/catalog.ts'
import { hostPorts } from '../../../../drivers/transport/host-ports.ts'
import { openQueue } from '../../../../link/queues.ts'
import { SIMULATED_DEVICES } from '../../../../local/lab/devices.ts'
import type { Lab } from '../../../../local/lab/lab.ts'
import { startLab } from '../../../../local/lab/lab.ts'
import type { Database } from '../../../../prisma/client.ts'
import { openDatabase } from '../../../../prisma/client.ts'
import { readTable } from '../../../../storage/dataset.ts'
import { systemClock } from '../../../../workers/station/clock.ts'
import type { DeviceHost } from '../../../../workers/station/host/host.ts'
import { openDeviceHost } from '../../../../workers/station/host/host.ts'
import type { Journal } from '../../../../workers/station/journal/journal.ts'
import { openJournal } from '../../../../workers/station/journal/journal.ts'
import type { Shipper } from '../../../../workers/station/journal/shipper.ts'
import { startShipper } from '../../../../workers/station/journal/shipper.ts'
import type { Runs } from '../../../../workers/station/runs/runs.ts'
import { startRuns } from '../../../../workers/station/runs/runs.ts'
import { queuesOf, type TestDatabase } from '../../../harness/database.ts'
import { until } from '../../../until.ts'
import type { StationRows } from '../journal/station-rows.ts'
import { insertStation } from '../journal/station-rows.ts'

export const ANA: Actor = { id: 'ana', name: 'ana', role: 'OPERATOR', kind: 'PERSON' }

export type StationPaths = {
  readonly dataDir: string
  readonly labDir: string
  readonly stationId: string
  readonly server: Servers
  readonly devices: readonly DeviceRecord[]
}

type Servers = Pick<TestDatabase, 'url' | 'redisUrl'>

/** The parts of a station that runs need, as station.ts puts them together. */
export type RunStation = AsyncDisposable & {
  readonly host: DeviceHost
  readonly runs: Runs
  readonly journal: Journal
  readonly shipper: Shipper
  readonly said: readonly string[]
}

/** What comes between the runs of a station and their database. */
export type Between = {
  /** Called with each statement before the database gets it. */
  readonly asked?: (statement: string) => Promise<void>
  /** Called with each statement, and how many rows it gave, after the database has answered it and before the station hears of it. */
  readonly answered?: (statement: string, rows: number) => Promise<void>
}

export async function startRunStation(
  { dataDir, labDir, stationId, server, devices }: StationPaths,
  { sweepMs = 200, between }: { sweepMs?: number; between?: Between } = {},
): Promise<RunStation> {
  const said: string[] = []
  const log = (line: string): void => void said.push(line)
  const clock = systemClock()
  const stack = new AsyncDisposableStackLike()
  try {
    const database = stack.use(openDatabase(server.url, { onError: () => undefined }))
    const journal = stack.use(await openJournal(join(dataDir, 'journal'), { log }))
    const shipper = stack.use(startShipper({ journal, database, stationId, log }))
    const driverContext = { clock, log, workFolder: dataDir, resolve: (address: string) => resolveAddress(address, labDir) }
    const host = stack.use(
      await openDeviceHost({
        epoch: 1,
        catalog: catalogOf([listed('test', DRIVERS)]),
        journal,
        registry: async () => devices,
        commit: 'test',
        hostPorts: hostPorts({ labFolder: labDir, devFolder: join(dataDir, 'dev'), listSerial: async () => [] }),
        log,
        driverContext,
      }),
    )
    const runs = stack.use(
      await startRuns({
        host,
        journal,
        database: between === undefined ? database : { pool: told(database.pool, between) },
        queueConnection: queuesOf(server),
        stationId,
        dataDir,
        frameFileBytes: 64 * 1024 ** 3,
        clock,
        log,
        sweepMs,
      }),
    )
    await until(() => host.states().every(({ connection }) => connection === 'CONNECTED'), { deadlineMs: 30_000, what: 'every device to be connected' })
    return { host, runs, journal, shipper, said, [Symbol.asyncDispose]: () => stack.dispose() }
  } catch (error) {
    await stack.dispose()
    throw new Error(`the station did not start: ${said.join('; ')}`, { cause: error })
  }
}

function told(pool: Database['pool'], { asked, answered }: Between): Database['pool'] {
  return new Proxy(pool, {
    get(target, name) {
      if (name !== 'query') return Reflect.get(target, name, target)
      return async (statement: string, values: unknown[]) => {
        await asked?.(statement)
        const result = await target.query(statement, values)
        await answered?.(statement, result.rowCount ?? 0)
        return result
      }
    },
  })
}

/** AsyncDisposableStack, which Node 20 has not. */
class AsyncDisposableStackLike {
  readonly #parts: AsyncDisposable[] = []

  use<Part extends AsyncDisposable>(part: Part): Part {
    this.#parts.push(part)
    return part
  }

  async dispose(): Promise<void> {
    for (const part of this.#parts.splice(0).reverse()) await part[Symbol.asyncDispose]()
  }
}

export type QueuedRun = { readonly runId: string; readonly jobId: string; readonly sessionId: string }
export type FinishedRun = Awaited<ReturnType<typeof findRun>>

/** The simulated lab on real pseudo-terminals, its devices registered, and a station with a run queue. */
export class RunLab implements AsyncDisposable {
  readonly lab: Lab
  readonly database: Database
  readonly rows: StationRows
  readonly paths: StationPaths
  station: RunStation
  readonly #folder: string

  private constructor(lab: Lab, database: Database, rows: StationRows, paths: StationPaths, station: RunStation, folder: string) {
    this.lab = lab
    this.database = database
    this.rows = rows
    this.paths = paths
    this.station = station
    this.#folder = folder
  }

  /** `way`: another one to the same servers, for the station alone. */
  static async open(server: Servers, { way = server, names = ['stage-x', 'power-meter'] }: { way?: Servers; names?: readonly string[] } = {}): Promise<RunLab> {
    const folder = await mkdtemp(join(tmpdir(), 'kymograph-runs-'))
    const labDir = join(folder, 'lab')
    const lab = await startLab({ folder: labDir, sawPort: undefined, seed: 1, operator: false })
    const database = openDatabase(server.url, { onError: () => undefined })
    const rows = await insertStation(database)
    const { portId } = await database.prisma.device.findUniqueOrThrow({ where: { id: rows.deviceId } })
    const devices: DeviceRecord[] = []
    for (const { name, driverId, settings } of SIMULATED_DEVICES.filter((device) => names.includes(device.name))) {
      const record = { id: uuidv7(), name, driverId, stationId: rows.stationId, settings, version: 1 }
      await database.prisma.device.create({ data: { ...record, name: `${name}-${record.id}`, settings: { ...settings }, portId, simulated: true } })
      devices.push(record)
    }
    const paths = { dataDir: folder, labDir, stationId: rows.stationId, server: { url: way.url, redisUrl: way.redisUrl }, devices }
    return new RunLab(lab, database, rows, paths, await startRunStation(paths), folder)
  }

  deviceId(name: string): string {
    return this.paths.devices.find((device) => device.name === name)?.id ?? name
  }

  /** As the api does it; `job: false` leaves the queue out, as if it had lost the job. */
  async queue(plan: PlanSpec, { job = true, ...more }: { job?: boolean; startBefore?: Date; queuedAt?: Date } = {}): Promise<QueuedRun> {
    const runId = uuidv7()
    const jobId = uuidv7()
    const { stationId, sessionId } = this.rows
    const name = stationQueue(stationId)
    const bindings = this.paths.devices.map(({ id, name: role }) => ({ role, deviceId: id }))
    const bound = JSON.parse(JSON.stringify({ ...plan, bindings }))
    await this.database.prisma.job.create({ data: { id: jobId, queue: name, name: acquisition.name, requestedBy: 'ana', payload: { jobId, runId } } })
    await this.database.prisma.run.create({
      data: { id: runId, sessionId, stationId, plan: bound, planType: plan.type, summary: 'a run', actor: 'ana', jobId, ...more },
    })
    if (job) {
      await using queue = openQueue(name, queuesOf(this.paths.server), () => undefined)
      await queue.add(acquisition, { jobId, runId }, { jobId, priority: 0 })
    }
    return { runId, jobId, sessionId }
  }

  /** Its row and datasets once it has ended and all of it is in the database. */
  async finished(runId: string, deadlineMs = 45_000): Promise<FinishedRun> {
    return until(
      async () => {
        const run = await findRun(this.database, runId)
        const open = run.datasets.some(({ state }) => state === 'RECORDING')
        return hasEnded(run.state as 'QUEUED') && !open ? run : undefined
      },
      { deadlineMs, everyMs: 50, what: `the end of run ${runId}` },
    )
  }

  async running(runId: string, points = 1): Promise<void> {
    await until(async () => (await findRun(this.database, runId)).points >= points, { what: `point ${points} of the run`, everyMs: 20 })
  }

  folderOf(dataset: { readonly folder: string }): string {
    return join(this.#folder, dataset.folder)
  }

  async rowsOf(dataset: { readonly folder: string }): Promise<readonly (readonly RowCell[])[]> {
    return (await readTable(this.folderOf(dataset), { first: 10_000 })).rows
  }

  /** Moves that the simulated controller accepted, in order. */
  async moves(): Promise<readonly string[]> {
    const log = await readFile(join(this.paths.labDir, 'esp300.log'), 'utf8').catch(() => '')
    return log.split('\n').flatMap((line) => /\S*P[AR]\S*$/.exec(line)?.[0] ?? [])
  }

  async restart(): Promise<void> {
    await this.station[Symbol.asyncDispose]()
    this.station = await startRunStation(this.paths)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.station[Symbol.asyncDispose]()
    await this.lab[Symbol.asyncDispose]()
    await this.database[Symbol.asyncDispose]()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

function findRun({ prisma }: Database, runId: string) {
  return prisma.run.findUniqueOrThrow({ where: { id: runId }, include: { datasets: { orderBy: { kind: 'asc' } }, job: true } })
}
