import type { Socket } from 'node:net'
import { type Batch, BatchBuilder, MAX_BATCH_BYTES } from './batch.ts'
import { errorResponse, int32, MessageReader, message, ProtocolViolation, readyForQuery } from './framing.ts'
import { parseStartup } from './startup.ts'

/** Batches one client may have waiting; it is not read further until they have run. */
const MAX_WAITING_BATCHES = 64
/** Bytes that a client may leave unread before it is cut off: only notifications can pile up, answers come one request at a time. */
const MAX_UNREAD_BYTES = 64 * 1024 * 1024

export type SessionHost = {
  readonly database: string
  /** ParameterStatus messages as the engine gave them. */
  readonly parameterStatus: Buffer
  enqueue(session: ClientSession, batch: Batch): void
  left(session: ClientSession): void
}

/** One connection: its stream, its statement names, its settings and the channels it listens to. */
export class ClientSession {
  readonly prefix: string
  readonly statements: ReadonlySet<string>
  readonly channels = new Set<string>()
  /** What this client has set, in the start-up packet or by SET. */
  settings: ReadonlyMap<string, string> = new Map()
  /** The unnamed statement it parsed last; false when it was too large to keep. */
  unnamed: Buffer | false | undefined
  waiting = 0
  readonly #id: number
  readonly #socket: Socket
  readonly #host: SessionHost
  readonly #reader = new MessageReader()
  readonly #batches: BatchBuilder
  #started = false

  constructor(id: number, socket: Socket, host: SessionHost) {
    this.#id = id
    this.#socket = socket
    this.#host = host
    this.prefix = `c${id}_`
    this.#batches = new BatchBuilder(this.prefix)
    this.statements = this.#batches.statements
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#received(chunk))
    socket.on('error', () => socket.destroy()) // a reset connection; 'close' follows and tells the host
    socket.on('close', () => host.left(this))
  }

  get gone(): boolean {
    return this.#socket.destroyed
  }

  send(bytes: Buffer): void {
    if (this.gone || bytes.length === 0) return
    this.#socket.write(bytes)
  }

  /** Its notification, if it listens to the channel. */
  notify(channel: string, frame: Buffer): void {
    if (!this.channels.has(channel)) return
    if (this.#socket.writableLength > MAX_UNREAD_BYTES) this.end('53400', 'the client does not read its notifications')
    else this.send(frame)
  }

  /** A last word, then the connection is closed. */
  end(code: string, reason: string): void {
    if (this.gone) return
    this.#socket.write(errorResponse(code, reason, 'FATAL'))
    this.#socket.destroySoon()
  }

  batchDone(): void {
    this.waiting--
    if (this.waiting < MAX_WAITING_BATCHES && this.#socket.isPaused()) {
      this.#socket.resume()
      this.#received(Buffer.alloc(0)) // what came before the pause
    }
  }

  #received(chunk: Buffer): void {
    try {
      this.#reader.push(chunk)
      while (!this.#socket.writableEnded && this.waiting < MAX_WAITING_BATCHES) {
        const next = this.#reader.next()
        if (next === undefined) return
        if (!this.#started) this.#start(next.bytes)
        else if (next.type === 'X') return void this.#socket.end()
        else this.#add(this.#batches.add(next))
      }
      this.#socket.pause()
    } catch (error) {
      if (!(error instanceof ProtocolViolation || error instanceof RangeError)) throw error
      this.end('08P01', error.message)
    }
  }

  #add(batch: Batch | undefined): void {
    if (this.#batches.bytes > MAX_BATCH_BYTES) throw new ProtocolViolation(`more than ${MAX_BATCH_BYTES} bytes without a Sync`)
    if (batch === undefined) return
    this.waiting++
    this.#host.enqueue(this, batch)
  }

  #start(packet: Buffer): void {
    const startup = parseStartup(packet)
    switch (startup.kind) {
      case 'encryption':
        this.#socket.write('N')
        return
      case 'cancel': // one engine in one thread cannot be interrupted; the statement deadline ends what runs away
        this.#socket.end()
        return
      case 'refused':
        this.end(startup.code, startup.reason)
        return
      case 'session':
        if (startup.database !== this.#host.database) {
          this.end('3D000', `database "${startup.database}" does not exist; the embedded database is "${this.#host.database}"`)
          return
        }
        this.settings = startup.settings
        this.#started = true
        this.#reader.startupDone()
        this.send(Buffer.concat([message('R', int32(0)), this.#host.parameterStatus, message('K', int32(this.#id), int32(0)), readyForQuery('I')]))
    }
  }
}
