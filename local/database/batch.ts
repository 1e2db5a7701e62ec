import { int32, type Message, message, zeroAt, zeroTerminated } from './framing.ts'
import { rewriteSql } from './sql-rewrite.ts'

/**
 * What a client sends up to a Sync, a Flush or a simple query runs as one unit: messages of two clients never mix in the one session. Pure, but for the
 * client's own book of statement names.
 */
export type Batch = {
  readonly data: Buffer
  /** Ends in Flush: the server must keep the session for this client until its Sync. */
  readonly open: boolean
  /** Uses the unnamed statement before it is parsed here: it must still be the one that this client parsed. */
  readonly needsUnnamed: boolean
  /** The last Parse of the unnamed statement in here; false when it is too large to keep. */
  readonly parsesUnnamed: Buffer | false | undefined
  readonly listen: readonly string[]
  readonly unlisten: readonly string[]
  readonly changesSettings: boolean
}

/** Messages that end a batch: Sync, simple Query, FunctionCall, Flush, and the ends of a COPY. */
const ENDS: ReadonlySet<string> = new Set(['S', 'Q', 'F', 'H', 'c', 'f'])
/** A statement text above this is not kept for a later Bind; clients that split Parse and Bind send short ones. */
export const MAX_KEPT_PARSE_BYTES = 64 * 1024
/** A client that never ends its batch gets no more memory. */
export const MAX_BATCH_BYTES = 256 * 1024 * 1024

export class BatchBuilder {
  /** Names of this client's prepared statements, as it knows them. */
  readonly statements = new Set<string>()
  readonly #prefix: string
  #parts: Buffer[] = []
  #bytes = 0
  #state = emptyState()

  /** Statement names are per session in PostgreSQL; here one session serves all, so each client's names get its prefix. */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Returns the batch that this message ends, if it ends one. */
  add(given: Message): Batch | undefined {
    const rewritten = this.#rewrite(given)
    this.#parts.push(rewritten)
    this.#bytes += rewritten.length
    if (!ENDS.has(given.type)) return undefined
    const batch = { ...this.#state, data: this.#parts.length === 1 ? rewritten : Buffer.concat(this.#parts), open: given.type === 'H' }
    this.#parts = []
    this.#bytes = 0
    this.#state = emptyState()
    return batch
  }

  #rewrite({ type, bytes }: Message): Buffer {
    switch (type) {
      case 'Q':
        return message('Q', this.#sql(zeroTerminated(bytes, 5)))
      case 'P':
        return this.#parse(bytes)
      case 'B': {
        const nameAt = zeroAt(bytes, 5) + 1
        this.#use(bytes, nameAt)
        return this.#renamed(bytes, nameAt)
      }
      case 'D':
      case 'C': {
        if (bytes[5] !== STATEMENT) return bytes
        if (type === 'D') this.#use(bytes, 6)
        else this.statements.delete(zeroTerminated(bytes, 6))
        return this.#renamed(bytes, 6)
      }
      default:
        return bytes
    }
  }

  #parse(bytes: Buffer): Buffer {
    const name = zeroTerminated(bytes, 5)
    const sqlAt = zeroAt(bytes, 5) + 1
    const typesAt = zeroAt(bytes, sqlAt) + 1
    const rewritten = message('P', name === '' ? '' : this.#prefix + name, this.#sql(bytes.toString('utf8', sqlAt, typesAt - 1)), bytes.subarray(typesAt))
    if (name !== '') this.statements.add(name)
    else this.#state.parsesUnnamed = rewritten.length <= MAX_KEPT_PARSE_BYTES && rewritten
    return rewritten
  }

  #sql(given: string): string {
    const { sql, listen, unlisten, changesSettings } = rewriteSql(given)
    this.#state.listen.push(...listen)
    this.#state.unlisten.push(...unlisten)
    this.#state.changesSettings ||= changesSettings
    return sql
  }

  #use(bytes: Buffer, nameAt: number): void {
    if (bytes[nameAt] === 0 && this.#state.parsesUnnamed === undefined) this.#state.needsUnnamed = true
  }

  #renamed(bytes: Buffer, nameAt: number): Buffer {
    if (bytes[nameAt] === 0) return bytes
    return Buffer.concat([
      bytes.subarray(0, 1),
      int32(bytes.length - 1 + this.#prefix.length),
      bytes.subarray(5, nameAt),
      Buffer.from(this.#prefix),
      bytes.subarray(nameAt),
    ])
  }
}

const STATEMENT = 0x53 // 'S' of Describe and Close; 'P' is a portal, which lives in one transaction and so in one pinned client

type State = { needsUnnamed: boolean; parsesUnnamed: Buffer | false | undefined; listen: string[]; unlisten: string[]; changesSettings: boolean }

function emptyState(): State {
  return { needsUnnamed: false, parsesUnnamed: undefined, listen: [], unlisten: [], changesSettings: false }
}
