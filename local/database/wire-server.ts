import { createServer, type ListenOptions, type Server } from 'node:net'
import { setImmediate as breathe } from 'node:timers/promises'
import { type Deferred, deferred } from '../deferred.ts'
import type { Batch } from './batch.ts'
import { ClientSession } from './client-session.ts'
import { DATABASE_NAME, type Engine } from './engine.ts'
import { backendMessages, errorText, message, rowValues, SYNC, simpleQuery, type TransactionStatus, zeroTerminated } from './framing.ts'

/**
 * PostgreSQL's wire protocol for many clients over the one session that the embedded engine has. Batches of two clients never mix; a client in a transaction
 * keeps the session until it ends; settings, statement names, the unnamed statement and LISTEN are each client's own.
 *
 * What one session cannot give: two open transactions at once (the others wait), advisory locks between clients, temporary tables of one's own, cancelling.
 */

/** A client that leaves its transaction open makes all the others wait, so it is ended. */
export const IDLE_TRANSACTION_MS = 15_000
/** Bytes keep flowing to and from the clients while many statements wait. */
const BREATHE_EVERY_MS = 5
const MAX_CLIENTS = 200

export type WireServerOptions = {
  readonly listen: Pick<ListenOptions, 'path' | 'host' | 'port'>
  readonly idleTransactionMs?: number
  /** When it is told to stop: how long clients may take to leave by themselves. 0 if absent. */
  readonly farewellMs?: number
  /** The engine failed: nothing more can be served. */
  readonly onFailure: (error: Error) => void
}

type Job = { readonly session: ClientSession; readonly batch: Batch | 'farewell' }

export async function serveWire(engine: Engine, options: WireServerOptions): Promise<WireServer> {
  const server = new WireServer(engine, options)
  await server.start()
  return server
}

export class WireServer implements AsyncDisposable {
  readonly #engine: Engine
  readonly #options: WireServerOptions
  readonly #server: Server
  readonly #sessions = new Set<ClientSession>()
  #parameterStatus = Buffer.alloc(0)
  #queue: Job[] = []
  #pumping: Promise<void> | undefined
  /** Failed or closed: nothing runs any more. */
  #ended = false
  #nextId = 1
  /** The client that is in a transaction, or between a Flush and its Sync. */
  #owner: ClientSession | undefined
  #status: TransactionStatus = 'I'
  /** Whose unnamed statement the session holds; none after a simple query. */
  #unnamedOf: ClientSession | undefined
  /** The settings that the session has now; undefined when they are not known. */
  #applied: ReadonlyMap<string, string> | undefined
  readonly #settingsChanged = new WeakSet<ClientSession>()
  #idleTimer: NodeJS.Timeout | undefined
  #deserted: Deferred<void> | undefined

  constructor(engine: Engine, options: WireServerOptions) {
    this.#engine = engine
    this.#options = options
    this.#server = createServer((socket) => {
      const session = new ClientSession(this.#nextId++, socket, {
        database: DATABASE_NAME,
        parameterStatus: this.#parameterStatus,
        enqueue: (from, batch) => this.#enqueue({ session: from, batch }),
        left: (from) => {
          this.#sessions.delete(from)
          if (this.#sessions.size === 0) this.#deserted?.resolve()
          this.#queue = this.#queue.filter((job) => job.session !== from)
          this.#enqueue({ session: from, batch: 'farewell' })
        },
      })
      this.#sessions.add(session)
    })
    this.#server.maxConnections = MAX_CLIENTS
  }

  async start(): Promise<void> {
    this.#parameterStatus = await this.#readParameterStatus()
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(this.#options.listen, resolve)
    })
  }

  get port(): number | undefined {
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : undefined
  }

  endClients(code: string, reason: string): void {
    for (const session of this.#sessions) session.end(code, reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#idleTimer)
    await this.#farewells()
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.endClients('57P01', 'the embedded database is stopping')
    await closed
    this.#ended = true
    await this.#pumping
  }

  /** Until the last client has left, or the time for it is over. */
  async #farewells(): Promise<void> {
    const { farewellMs = 0 } = this.#options
    if (farewellMs === 0 || this.#sessions.size === 0) return
    const deserted = deferred<void>()
    this.#deserted = deserted
    const late = setTimeout(() => deserted.resolve(), farewellMs)
    await deserted.promise
    clearTimeout(late)
  }

  #enqueue(job: Job): void {
    this.#queue.push(job)
    this.#wake()
  }

  #wake(): void {
    if (this.#pumping !== undefined || this.#ended || this.#nextAt() < 0) return
    this.#pumping = this.#pump().finally(() => {
      this.#pumping = undefined
      this.#wake() // what came after the last look
    })
  }

  async #pump(): Promise<void> {
    try {
      let lastBreath = performance.now()
      for (let job = this.#take(); job !== undefined && !this.#ended; job = this.#take()) {
        if (job.batch === 'farewell') await this.#farewell(job.session)
        else await this.#serve(job.session, job.batch)
        if (performance.now() - lastBreath < BREATHE_EVERY_MS) continue
        await breathe()
        lastBreath = performance.now()
      }
    } catch (error) {
      this.#ended = true
      this.endClients('57P02', 'the embedded database failed and starts again')
      this.#options.onFailure(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #take(): Job | undefined {
    const at = this.#nextAt()
    return at < 0 ? undefined : this.#queue.splice(at, 1)[0]
  }

  /** First come, first served; but while a client holds the session, only that client. */
  #nextAt(): number {
    return this.#owner === undefined ? (this.#queue.length === 0 ? -1 : 0) : this.#queue.findIndex((job) => job.session === this.#owner)
  }

  async #serve(session: ClientSession, batch: Batch): Promise<void> {
    if (session.gone) return
    clearTimeout(this.#idleTimer)
    if (this.#owner === undefined && !(await this.#applySettings(session))) return
    const before = batch.needsUnnamed && this.#unnamedOf !== session ? unnamedAgain(session) : undefined
    const output = await this.#engine.run(before === undefined ? batch.data : Buffer.concat([before, batch.data]))
    const answer = this.#readAnswer(output, before !== undefined)

    if (isSimpleQuery(batch)) this.#unnamedOf = undefined
    else if (before !== undefined) this.#unnamedOf = session
    if (batch.parsesUnnamed !== undefined) {
      session.unnamed = batch.parsesUnnamed
      this.#unnamedOf = session
    }
    for (const channel of batch.unlisten) channel === '*' ? session.channels.clear() : session.channels.delete(channel)
    for (const channel of batch.listen) session.channels.add(channel)
    if (batch.changesSettings) this.#settingsChanged.add(session)

    this.#status = answer.status ?? this.#status
    this.#owner = this.#status === 'I' && !batch.open ? undefined : session
    if (this.#owner === undefined && this.#settingsChanged.delete(session)) await this.#keepSettings(session)
    session.send(answer.bytes)
    session.batchDone()
    if (this.#owner !== undefined) this.#watchIdle(this.#owner)
  }

  /** Splits off the notifications, which belong to whoever listens, and the answer to a Parse that was ours. */
  #readAnswer(output: Buffer, parseWasOurs: boolean): { readonly bytes: Buffer; readonly status: TransactionStatus | undefined } {
    const own: Buffer[] = []
    let status: TransactionStatus | undefined
    let skipParse = parseWasOurs
    for (const { type, bytes } of backendMessages(output)) {
      if (type === 'A') {
        this.#notify(bytes)
        continue
      }
      if (type === '1' && skipParse) {
        skipParse = false
        continue
      }
      if (type === 'Z') status = bytes.toString('latin1', 5, 6) as TransactionStatus
      own.push(bytes)
    }
    return { bytes: own.length === 1 && own[0] !== undefined ? own[0] : Buffer.concat(own), status }
  }

  #notify(frame: Buffer): void {
    const channel = zeroTerminated(frame, 9)
    for (const session of this.#sessions) session.notify(channel, frame)
  }

  /** Gives the session the client's settings. false: one of them is refused, and the client was told so. */
  async #applySettings(session: ClientSession): Promise<boolean> {
    if (this.#applied !== undefined && sameSettings(this.#applied, session.settings)) return true
    const sets = [...session.settings].map(([name, value]) => `SELECT set_config(${quoted(name)}, ${quoted(value)}, false)`)
    const { refused } = await this.#query(['RESET ALL', ...sets].join(';'))
    this.#applied = refused === undefined ? session.settings : undefined
    if (refused !== undefined) session.end('22023', refused)
    return refused === undefined
  }

  async #keepSettings(session: ClientSession): Promise<void> {
    const { rows } = await this.#query("SELECT name, setting FROM pg_settings WHERE source = 'session'")
    session.settings = new Map(rows.map(([name = '', value = '']) => [name, value]))
    this.#applied = session.settings
  }

  #watchIdle(owner: ClientSession): void {
    const idleTransactionMs = this.#options.idleTransactionMs ?? IDLE_TRANSACTION_MS
    this.#idleTimer = setTimeout(() => {
      if (this.#owner === owner && this.#pumping === undefined)
        owner.end('25P03', `terminating connection: its transaction was idle for ${idleTransactionMs} ms`)
    }, idleTransactionMs)
  }

  /** After a client has gone: its transaction is rolled back, its statements are forgotten. */
  async #farewell(session: ClientSession): Promise<void> {
    if (this.#owner === session) {
      clearTimeout(this.#idleTimer)
      const { status } = this.#readAnswer(await this.#engine.run(SYNC), false) // ends a batch that stood at a Flush, or that failed there
      this.#owner = undefined
      this.#status = 'I'
      if (status !== 'I') await this.#query('ROLLBACK')
    }
    for (const name of session.statements) await this.#query(`DEALLOCATE ${quotedName(session.prefix + name)}`) // an error: it was never parsed well
    if (this.#unnamedOf === session) this.#unnamedOf = undefined
  }

  /** A query of the server's own. */
  async #query(sql: string): Promise<{ readonly rows: (string | undefined)[][]; readonly refused: string | undefined }> {
    this.#unnamedOf = undefined
    const { bytes } = this.#readAnswer(await this.#engine.run(simpleQuery(sql)), false)
    const rows: (string | undefined)[][] = []
    let refused: string | undefined
    for (const { type, bytes: frame } of backendMessages(bytes)) {
      if (type === 'D') rows.push(rowValues(frame))
      if (type === 'E') refused = errorText(frame)
    }
    return { rows, refused }
  }

  /** The settings that PostgreSQL tells every client at its start. */
  async #readParameterStatus(): Promise<Buffer<ArrayBuffer>> {
    await this.#query('RESET ALL')
    const frames: Buffer[] = []
    for (const name of REPORTED) {
      const { rows } = await this.#query(`SHOW ${name}`)
      frames.push(message('S', name, rows[0]?.[0] ?? ''))
    }
    return Buffer.concat(frames)
  }
}

const REPORTED = [
  'server_version',
  'server_encoding',
  'client_encoding',
  'DateStyle',
  'IntervalStyle',
  'TimeZone',
  'integer_datetimes',
  'standard_conforming_strings',
] as const

/** What makes the session hold this client's unnamed statement, or fails as PostgreSQL would when there is none. */
function unnamedAgain(session: ClientSession): Buffer {
  if (session.unnamed) return session.unnamed
  return message('D', Buffer.from('S'), `${session.prefix} unnamed`)
}

function isSimpleQuery(batch: Batch): boolean {
  return batch.data[0] === 0x51 // 'Q'
}

function sameSettings(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  return a === b || (a.size === b.size && [...a].every(([name, value]) => b.get(name) === value))
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
