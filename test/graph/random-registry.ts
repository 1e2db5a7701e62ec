import type { Database } from '../../prisma/client.ts'
import { DRIVERS } from './registry.ts'

type Pool = Database['pool']
type Sql = { query: Pool['query'] }
type Change = (lab: RandomRegistry, sql: Sql) => Promise<void>

const ROLLED_BACK = 0.05
const STATES = ['QUEUED', 'PREPARING', 'RUNNING', 'COMPLETED', 'ABORTED', 'FAILED']

/** Changes the rows of a registry at random, the same way for the same seed: all that people and stations do, and more. */
export class RandomRegistry {
  readonly #pool: Pool
  #state: number

  constructor(pool: Pool, seed: number) {
    this.#pool = pool
    this.#state = seed
  }

  /** From 0 to 1; mulberry32. */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  below(count: number): number {
    return Math.floor(this.random() * count)
  }

  oneOf<T>(among: readonly T[]): T {
    const chosen = among[this.below(among.length)]
    if (chosen === undefined) throw new Error('nothing to choose from')
    return chosen
  }

  id(): string {
    const hex = Array.from({ length: 32 }, () => this.below(16).toString(16)).join('')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`
  }

  word(): string {
    return `${this.oneOf(['é', "it's", '"q"', 'a\\b', 'plain', '$x', '日本'])} ${this.below(1_000_000)}`
  }

  /** One to three changes in one transaction, which is now and then rolled back. */
  async change(): Promise<void> {
    const client = await this.#pool.connect()
    try {
      await client.query('BEGIN')
      for (let count = 1 + this.below(3); count > 0; count -= 1) await this.oneOf(CHANGES)(this, client)
      await client.query(this.random() < ROLLED_BACK ? 'ROLLBACK' : 'COMMIT')
      client.release()
    } catch (error) {
      client.release(true)
      throw error
    }
  }

  /** The id of some row; undefined when there is none. */
  async some(sql: Sql, table: string, where = 'true'): Promise<string | undefined> {
    const { rows } = await sql.query<{ id: string }>(`SELECT "id" FROM "${table}" WHERE ${where} ORDER BY "id"`)
    return rows.length === 0 ? undefined : this.oneOf(rows).id
  }
}

const addStation: Change = async (lab, sql) => {
  await sql.query('INSERT INTO "station" ("id", "name", "host") VALUES ($1, $2, $3)', [lab.id(), lab.id(), lab.word()])
}
const renameStation: Change = async (lab, sql) => {
  await sql.query('UPDATE "station" SET "host" = $2, "lastSeen" = now() WHERE "id" = $1', [await lab.some(sql, 'station'), lab.word()])
}
const addPort: Change = async (lab, sql) => {
  const station = await lab.some(sql, 'station')
  if (station !== undefined)
    await sql.query('INSERT INTO "port" ("id", "stationId", "address", "kind") VALUES ($1, $2, $3, $4)', [lab.id(), station, lab.id(), 'TCP'])
}
const changePort: Change = async (lab, sql) => {
  await sql.query('UPDATE "port" SET "kind" = $2, "stationId" = $3 WHERE "id" = $1', [
    await lab.some(sql, 'port'),
    lab.oneOf(['TCP', 'SERIAL']),
    await lab.some(sql, 'station'),
  ])
}
const addDevice: Change = async (lab, sql) => {
  const port = await lab.some(sql, 'port')
  if (port === undefined) return
  const device = lab.id()
  await sql.query(
    `INSERT INTO "device" ("id", "name", "label", "driverId", "stationId", "portId", "settings", "simulated")
     SELECT $1, $2, $3, $4, "stationId", "id", '{}', $5 FROM "port" WHERE "id" = $6`,
    [device, lab.id(), lab.random() < 0.5 ? null : lab.word(), lab.oneOf(DRIVERS).id, lab.random() < 0.5, port],
  )
  for (let count = lab.below(5); count > 0; count -= 1) await addParameterTo(lab, sql, device)
}
const changeDevice: Change = async (lab, sql) => {
  const device = await lab.some(sql, 'device')
  const change = lab.below(4)
  if (change === 0) await sql.query('UPDATE "device" SET "label" = $2 WHERE "id" = $1', [device, lab.word()])
  if (change === 1) await sql.query('UPDATE "device" SET "enabled" = NOT "enabled", "version" = "version" + 1 WHERE "id" = $1', [device])
  if (change === 2) await sql.query('UPDATE "device" SET "portId" = $2 WHERE "id" = $1', [device, await lab.some(sql, 'port')])
  if (change === 3) await sql.query('UPDATE "device" SET "driverId" = $2 WHERE "id" = $1', [device, lab.oneOf(['stage', 'meter', 'unknown'])])
}
const removeDevice: Change = async (lab, sql) => {
  await sql.query('UPDATE "device" SET "removedAt" = now(), "enabled" = false WHERE "id" = $1', [await lab.some(sql, 'device', '"removedAt" IS NULL')])
}
const deleteDevice: Change = async (lab, sql) => {
  const device = await lab.some(sql, 'device')
  await sql.query('DELETE FROM "run_device" WHERE "deviceId" = $1', [device])
  await sql.query('DELETE FROM "parameter" WHERE "deviceId" = $1', [device])
  await sql.query('DELETE FROM "device" WHERE "id" = $1', [device])
}
async function addParameterTo(lab: RandomRegistry, sql: Sql, device: string): Promise<void> {
  const spec = { kind: lab.oneOf(['FLOAT', 'TEXT']), access: lab.oneOf(['READ_ONLY', 'READ_WRITE']), ...(lab.random() < 0.5 && { unit: 'mm' }) }
  await sql.query(
    `INSERT INTO "parameter" ("deviceId", "name", "spec") VALUES ($1, $2, $3)
     ON CONFLICT ("deviceId", "name") DO UPDATE SET "spec" = excluded."spec"`,
    [device, `p${lab.below(8)}`, spec],
  )
}
const addParameter: Change = async (lab, sql) => {
  const device = await lab.some(sql, 'device')
  if (device !== undefined) await addParameterTo(lab, sql, device)
}
const deleteParameter: Change = async (lab, sql) => {
  await sql.query('DELETE FROM "parameter" WHERE "deviceId" = $1 AND "name" = $2', [await lab.some(sql, 'device'), `p${lab.below(8)}`])
}
const openSession: Change = async (lab, sql) => {
  await sql.query('INSERT INTO "session" ("id", "title", "operator") VALUES ($1, $2, $3)', [lab.id(), lab.word(), 'ada'])
}
const endSession: Change = async (lab, sql) => {
  await sql.query(`UPDATE "session" SET "state" = 'CLOSED', "endedAt" = now() WHERE "id" = $1`, [await lab.some(sql, 'session')])
}
const queueRun: Change = async (lab, sql) => {
  const [session, device] = [await lab.some(sql, 'session'), await lab.some(sql, 'device')]
  if (session === undefined || device === undefined) return
  const run = lab.id()
  await sql.query(
    `INSERT INTO "run" ("id", "sessionId", "stationId", "plan", "planType", "summary", "actor", "tags")
     SELECT $1, $2, "stationId", '{}', 'count', $3, 'ada', '{}' FROM "device" WHERE "id" = $4`,
    [run, session, lab.word(), device],
  )
  await useDevice(sql, run, device, 'detector')
  for (let count = lab.below(3); count > 0; count -= 1) await useDevice(sql, run, await lab.some(sql, 'device'), `role ${count}`)
}
async function useDevice(sql: Sql, run: string | undefined, device: string | undefined, role: string): Promise<void> {
  if (run === undefined || device === undefined) return
  await sql.query('INSERT INTO "run_device" ("runId", "deviceId", "role") VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [run, device, role])
}
const moveRun: Change = async (lab, sql) => {
  await sql.query('UPDATE "run" SET "state" = $2, "points" = "points" + 1, "startedAt" = now() WHERE "id" = $1', [
    await lab.some(sql, 'run'),
    lab.oneOf(STATES),
  ])
}
const rebindRun: Change = async (lab, sql) => {
  const run = await lab.some(sql, 'run')
  await sql.query('DELETE FROM "run_device" WHERE "runId" = $1', [run])
  await useDevice(sql, run, await lab.some(sql, 'device'), 'detector')
}
const deleteRun: Change = async (lab, sql) => {
  const run = await lab.some(sql, 'run')
  await sql.query('DELETE FROM "run_device" WHERE "runId" = $1', [run])
  await sql.query('DELETE FROM "run" WHERE "id" = $1', [run])
}
/** Whatever nobody needs any more. */
const cleanUp: Change = async (lab, sql) => {
  const port = await lab.some(sql, 'port', '"id" NOT IN (SELECT "portId" FROM "device")')
  await sql.query('DELETE FROM "port" WHERE "id" = $1', [port])
  const session = await lab.some(sql, 'session', '"id" NOT IN (SELECT "sessionId" FROM "run")')
  await sql.query('DELETE FROM "session" WHERE "id" = $1', [session])
  const station = await lab.some(
    sql,
    'station',
    '"id" NOT IN (SELECT "stationId" FROM "port" UNION SELECT "stationId" FROM "device" UNION SELECT "stationId" FROM "run")',
  )
  if (lab.random() < 0.2) await sql.query('DELETE FROM "station" WHERE "id" = $1', [station])
}

/** More often what happens more often. */
const CHANGES: readonly Change[] = [
  addStation,
  renameStation,
  ...[addPort, addPort],
  changePort,
  ...[addDevice, addDevice, addDevice],
  ...[changeDevice, changeDevice, changeDevice],
  removeDevice,
  deleteDevice,
  ...[addParameter, addParameter],
  deleteParameter,
  ...[openSession, endSession],
  ...[queueRun, queueRun, queueRun],
  ...[moveRun, moveRun, moveRun],
  rebindRun,
  deleteRun,
  cleanUp,
]
