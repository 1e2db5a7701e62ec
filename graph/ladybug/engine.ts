import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Connection, Database, type LbugValue } from '@ladybugdb/core'
import { type GraphStore, isIdle, type Parameters, READ_DEADLINE_MS, type Row, type Statement, WRITE_DEADLINE_MS } from '../store.ts'
import { tableTexts } from './tables.ts'

/** Of the pages in memory; by default Ladybug takes four fifths of the machine's. A graph of a thousand devices is a tenth of it. */
const BUFFER_BYTES = 128 * 1024 * 1024
/** Address space that is reserved, not memory; must be a power of two. Its default of 8 TB is refused where address space is limited. */
const MAX_FILE_BYTES = 16 * 1024 ** 3
const READERS = 2 // questions at a time; the machine's cores are for the station
const THREADS = 2 // of each connection
/** Deaths while opening after which the file is taken for broken. */
const MAX_FAILED_OPENINGS = 2

/**
 * LadybugDB in this process: addon code that can end the process, so it is given one of its own. It has one writer; a second write transaction would be
 * refused, so writes wait for each other here. Throws what Ladybug throws.
 */
export async function openLadybug(folder: string, say: (line: string) => void): Promise<GraphStore> {
  await mkdir(folder, { recursive: true })
  await removeBroken(folder, say)
  try {
    return await open(folder)
  } catch (error) {
    say(`the graph's file cannot be opened and is made anew: ${error instanceof Error ? error.message : String(error)}`)
    await removeFiles(folder)
    return open(folder)
  }
}

async function open(folder: string): Promise<GraphStore> {
  const opening = path.join(folder, OPENING)
  await writeFile(opening, String((await failedOpenings(folder)) + 1))
  const database = new Database(path.join(folder, FILE), BUFFER_BYTES, true, false, MAX_FILE_BYTES)
  await database.init() // the lazy initialisation of queries that come together ends the process
  const writer = await connect(database, WRITE_DEADLINE_MS)
  for (const text of tableTexts()) await run(writer, text, {})
  const readers = await Promise.all(Array.from({ length: READERS }, () => connect(database, READ_DEADLINE_MS)))
  await rm(opening)
  return new LadybugEngine(database, writer, readers)
}

class LadybugEngine implements GraphStore {
  readonly kind = 'LadybugDB'
  readonly embedded = true
  readonly #database: Database
  readonly #writer: Connection
  readonly #readers: readonly { readonly connection: Connection; busy: Promise<unknown>; waiting: number }[]
  #writing: Promise<unknown> = Promise.resolve()

  constructor(database: Database, writer: Connection, readers: readonly Connection[]) {
    this.#database = database
    this.#writer = writer
    this.#readers = readers.map((connection) => ({ connection, busy: Promise.resolve(), waiting: 0 }))
  }

  async read<T extends Row>(text: string, parameters: Parameters = {}): Promise<T[]> {
    if (isIdle({ text, parameters })) return []
    const reader = this.#readers.reduce((a, b) => (b.waiting < a.waiting ? b : a))
    reader.waiting += 1
    const rows = reader.busy.then(() => run<T>(reader.connection, text, parameters)).finally(() => (reader.waiting -= 1))
    reader.busy = rows.catch(() => undefined) // told to whoever asked
    return rows
  }

  write(statements: readonly Statement[]): Promise<boolean> {
    const done = this.#writing.then(() => this.#transaction(statements.filter((statement) => !isIdle(statement))))
    this.#writing = done.catch(() => undefined) // told to whoever wrote
    return done
  }

  async #transaction(statements: readonly Statement[]): Promise<boolean> {
    await run(this.#writer, 'BEGIN TRANSACTION', {})
    try {
      for (const { text, parameters, mustMatch } of statements) {
        const rows = await run(this.#writer, text, parameters)
        if (mustMatch === true && rows.length === 0) {
          await run(this.#writer, 'ROLLBACK', {})
          return false
        }
      }
      await run(this.#writer, 'COMMIT', {})
      return true
    } catch (error) {
      await run(this.#writer, 'ROLLBACK', {}).catch(() => undefined) // most errors have taken everything back already, and then there is nothing to take back
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#writing, ...this.#readers.map(({ busy }) => busy)])
    for (const connection of [this.#writer, ...this.#readers.map(({ connection }) => connection)]) await connection.close()
    await this.#database.close()
  }
}

async function connect(database: Database, timeoutMs: number): Promise<Connection> {
  const connection = new Connection(database, THREADS)
  await connection.init()
  connection.setQueryTimeout(timeoutMs)
  return connection
}

async function run<T extends Row>(connection: Connection, text: string, parameters: Parameters): Promise<T[]> {
  const prepared = await connection.prepare(text)
  if (!prepared.isSuccess()) throw new Error(prepared.getErrorMessage())
  const result = await connection.execute(prepared, parameters as Record<string, LbugValue>)
  if (Array.isArray(result)) throw new Error(`one statement at a time: ${text}`)
  try {
    return (await result.getAll()) as unknown as T[]
  } finally {
    result.close()
  }
}

const FILE = 'graph.lbug'
const OPENING = 'opening'

/** A file that ends the process whenever it is opened would take the graph away for ever; it is derived, so it may go. */
async function removeBroken(folder: string, say: (line: string) => void): Promise<void> {
  if ((await failedOpenings(folder)) < MAX_FAILED_OPENINGS) return
  say(`the graph's file ended its process ${MAX_FAILED_OPENINGS} times while it was opened and is made anew`)
  await removeFiles(folder)
}

async function failedOpenings(folder: string): Promise<number> {
  const opening = path.join(folder, OPENING)
  return existsSync(opening) ? Number(await readFile(opening, 'utf8')) || 0 : 0
}

async function removeFiles(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
}
