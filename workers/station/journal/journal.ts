import { EventEmitter, once } from 'node:events'
import type { FileHandle } from 'node:fs/promises'
import { mkdir, open, rm } from 'node:fs/promises'
import { Problem, StorageFull } from '../../../core/errors.ts'
import type { JournalEntry } from '../../../core/journal.ts'
import { syncFolder } from '../../../storage/durable.ts'
import type { CommandEntry, OutcomeEntry } from './answers.ts'
import { CommandAnswers } from './answers.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint.ts'
import { StationMemory } from './memory.ts'
import type { EncodedEntry, StoredEntry } from './record.ts'
import { encodeRecord } from './record.ts'
import type { ScanPosition, Segment } from './segment.ts'
import { hasSegmentHead, listSegments, SEGMENT_HEAD_BYTES, scanSegment, segmentAt, segmentHead } from './segment.ts'

/**
 * What a station accepts, does and sees, on its own disk. One sequence without holes, kept over restarts; whoever must be sure appends, then flushes.
 */
export interface Journal extends AsyncDisposable {
  /** In order at once, on disk by the next flush, or by itself shortly after. Throws StorageFull when the disk has not taken anything for long. */
  append(entry: JournalEntry): number
  /** Resolves when everything appended before is on disk. Many callers share one sync. */
  flush(): Promise<void>
  /** Entries on disk from `sequence` on (or from the oldest kept), to the present end. */
  readFrom(sequence: number): AsyncIterable<StoredEntry>
  /** The same, and then each new one once it is on disk, until the signal fires. */
  follow(sequence: number, signal: AbortSignal): AsyncIterable<StoredEntry>
  /** Of the newest entry; first - 1 when there is none yet. */
  readonly last: number
  /** Of the oldest entry that is kept. */
  readonly first: number
  /** What became of the command with this idempotency key. */
  answerFor(idempotencyKey: string): OutcomeEntry | 'pending' | undefined
  /** What the command with this idempotency key asked for. */
  callsFor(idempotencyKey: string): CommandEntry['calls'] | undefined
  readonly memory: StationMemory
  /** Everything up to here is in the database: files that hold nothing else may go once they are old. */
  shipped(sequence: number): void
}

export type JournalOptions = {
  readonly log: (message: string) => void
  /** Of a new journal. By default it counts from the present microsecond: a journal on a new disk then goes on behind whatever its lost one has shipped. */
  readonly firstSequence?: number
  readonly segmentBytes?: number
  readonly keepShippedMs?: number
}

const SEGMENT_BYTES = 16 * 1024 * 1024 // the unit of deletion; small enough to scan in some ten milliseconds
const KEEP_SHIPPED_MS = 24 * 3600 * 1000 // as long as idempotency answers are kept
const KEEP_SHIPPED_BYTES = 1024 ** 3 // a station at its highest rate writes this in two hours; all of it is read at start, in about two seconds
const MAX_PENDING_BYTES = 64 * 1024 * 1024 // of memory while the disk does not take anything
const WRITE_AFTER_MS = 50 // how long an entry that nobody flushes waits for company
const RETRY_AFTER_MS = 1000 // after a failed write (a full disk)

/** `newestMs`: when its last entry was written. */
type KeptSegment = Segment & { readonly last: number; readonly bytes: number; readonly newestMs: number }

/** Reads what is there, cuts a torn tail, and answers for the commands that the last process left without an answer. */
export async function openJournal(folder: string, options: JournalOptions): Promise<Journal> {
  await mkdir(folder, { recursive: true })
  const memory = new StationMemory()
  const answers = new CommandAnswers()
  const checkpoint = await readCheckpoint(folder)
  if (checkpoint !== undefined) memory.restore(checkpoint.memory)

  const segments = await listSegments(folder)
  const newest = segments.at(-1)
  if (newest !== undefined && !(await hasSegmentHead(newest))) {
    await rm(newest.path) // the process died while it made the file; nothing is in it yet
    segments.pop()
  }

  const kept: KeptSegment[] = []
  for (const [index, segment] of segments.entries()) {
    await hasSegmentHead(segment)
    await using file = await open(segment.path, 'r+')
    const at: ScanPosition = { offset: SEGMENT_HEAD_BYTES, sequence: segment.first }
    for await (const found of scanSegment(file, at)) {
      if (found.type === 'command' || found.type === 'outcome') answers.apply(found.entry())
      else if (found.type !== 'samples' && found.sequence > (checkpoint?.sequence ?? 0)) memory.apply(found.entry())
    }
    const { size, mtimeMs } = await file.stat()
    const next = segments[index + 1]
    if (next !== undefined && at.sequence !== next.first)
      options.log(`${segment.path} is damaged at byte ${at.offset}: entries ${at.sequence} to ${next.first - 1} are lost`)
    if (next === undefined && size > at.offset) {
      options.log(`${segment.path}: cut ${size - at.offset} bytes of an entry that was never whole`)
      await file.truncate(at.offset)
      await file.sync()
    }
    kept.push({ ...segment, last: next === undefined ? at.sequence - 1 : next.first - 1, bytes: at.offset, newestMs: mtimeMs })
  }

  const active = kept.pop() ?? (await createSegment(folder, options.firstSequence ?? Math.max(Date.now() * 1000, (checkpoint?.sequence ?? 0) + 1)))
  const journal = new JournalFile(folder, options, kept, active, await open(active.path, 'r+'), memory, answers)
  for (const command of answers.pending())
    journal.append({ type: 'outcome', time: command.time, requestId: command.requestId, problem: LOST_ANSWER.toRecord() })
  await journal.flush()
  return journal
}

const LOST_ANSWER = new Problem('HARDWARE_FAULT', 'the station ended before this command was answered; look at the device before you try again', {
  effect: 'POSSIBLE',
})

async function createSegment(folder: string, first: number): Promise<KeptSegment> {
  const segment = segmentAt(folder, first)
  await using file = await open(segment.path, 'w')
  await file.write(segmentHead(first))
  await file.sync()
  await syncFolder(folder)
  return { ...segment, last: first - 1, bytes: SEGMENT_HEAD_BYTES, newestMs: Date.now() }
}

class JournalFile implements Journal {
  readonly memory: StationMemory
  readonly #answers: CommandAnswers
  readonly #folder: string
  readonly #options: JournalOptions
  /** Full ones, oldest first; `#active` is the one that grows. */
  #sealed: KeptSegment[]
  #active: Segment
  #file: FileHandle
  /** End of what is on disk in the active file. */
  #bytes: number
  #last: number
  #durable: number
  #pending: EncodedEntry[] = []
  #pendingBytes = 0
  #commit: Promise<void> | undefined
  #trim: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #shipped = 0
  #closed = false
  readonly #growth = new EventEmitter().setMaxListeners(0)

  constructor(
    folder: string,
    options: JournalOptions,
    sealed: KeptSegment[],
    active: KeptSegment,
    file: FileHandle,
    memory: StationMemory,
    answers: CommandAnswers,
  ) {
    this.#folder = folder
    this.#options = options
    this.#sealed = sealed
    this.#active = active
    this.#file = file
    this.#bytes = active.bytes
    this.#last = active.last
    this.#durable = active.last
    this.memory = memory
    this.#answers = answers
  }

  get last(): number {
    return this.#last
  }

  get first(): number {
    return this.#sealed[0]?.first ?? this.#active.first
  }

  answerFor(idempotencyKey: string): OutcomeEntry | 'pending' | undefined {
    return this.#answers.answerFor(idempotencyKey)
  }

  callsFor(idempotencyKey: string): CommandEntry['calls'] | undefined {
    return this.#answers.callsFor(idempotencyKey)
  }

  append(entry: JournalEntry): number {
    if (this.#closed) throw new Error('the journal is closed')
    if (this.#pendingBytes > MAX_PENDING_BYTES) throw new StorageFull(this.#pendingBytes, 0)
    const encoded = encodeRecord(this.#last + 1, entry)
    this.#last += 1
    this.#pending.push(encoded)
    this.#pendingBytes += encoded.head.length + encoded.payload.length
    this.memory.apply(entry)
    this.#answers.apply(entry)
    this.#writeAfter(WRITE_AFTER_MS)
    return this.#last
  }

  async flush(): Promise<void> {
    const target = this.#last
    while (this.#durable < target) await this.#commitPending()
  }

  readFrom(sequence: number): AsyncIterable<StoredEntry> {
    return this.#read(sequence, undefined)
  }

  follow(sequence: number, signal: AbortSignal): AsyncIterable<StoredEntry> {
    return this.#read(sequence, signal)
  }

  shipped(sequence: number): void {
    this.#shipped = Math.max(this.#shipped, sequence)
    if (this.#trim !== undefined || this.#trimmable().length === 0) return
    this.#trim = this.#deleteOld()
      .catch((error: unknown) => this.#options.log(`old journal files could not be deleted: ${String(error)}`))
      .finally(() => {
        this.#trim = undefined
      })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    try {
      await this.flush()
      await this.#trim
    } finally {
      this.#growth.emit('grown')
      await this.#file.close()
    }
  }

  #writeAfter(delayMs: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.#commitPending().catch((error: unknown) => {
        this.#options.log(`the journal cannot be written: ${String(error)}`)
        if (!this.#closed) this.#writeAfter(RETRY_AFTER_MS)
      })
    }, delayMs)
  }

  /** Joins the commit under way; a caller whose entries came too late for it asks again. */
  #commitPending(): Promise<void> {
    this.#commit ??= this.#writePending().finally(() => {
      this.#commit = undefined
    })
    return this.#commit
  }

  async #writePending(): Promise<void> {
    const batch = this.#pending
    const bytes = Buffer.concat(batch.flatMap(({ head, payload }) => [head, payload]))
    if (bytes.length === 0) return
    this.#pending = []
    try {
      // Always from the same offset: what a failed attempt has left behind is written over.
      for (let done = 0; done < bytes.length; ) done += (await this.#file.write(bytes, done, bytes.length - done, this.#bytes + done)).bytesWritten
      await this.#file.datasync()
    } catch (error) {
      this.#pending = [...batch, ...this.#pending]
      throw error
    }
    this.#pendingBytes -= bytes.length
    this.#bytes += bytes.length
    this.#durable += batch.length
    if (this.#bytes >= (this.#options.segmentBytes ?? SEGMENT_BYTES)) await this.#startSegment()
    this.#growth.emit('grown')
  }

  /** A failure leaves the full segment growing; the next commit tries again. */
  async #startSegment(): Promise<void> {
    try {
      const next = await createSegment(this.#folder, this.#durable + 1)
      const file = await open(next.path, 'r+')
      await this.#file.close()
      this.#sealed.push({ ...this.#active, last: this.#durable, bytes: this.#bytes, newestMs: Date.now() })
      this.#active = next
      this.#file = file
      this.#bytes = next.bytes
    } catch (error) {
      this.#options.log(`the journal goes on in ${this.#active.path}: ${String(error)}`)
    }
  }

  async *#read(from: number, signal: AbortSignal | undefined): AsyncGenerator<StoredEntry> {
    const stopped = (): boolean => this.#closed || signal?.aborted === true
    for (let next = from; !stopped(); ) {
      next = Math.max(next, this.first)
      if (next > this.#durable) {
        if (signal === undefined) return
        await this.#grown(signal)
        continue
      }
      const segment = this.#sealed.find(({ last }) => next <= last) ?? this.#active
      await using file = await open(segment.path, 'r')
      const at: ScanPosition = { offset: SEGMENT_HEAD_BYTES, sequence: segment.first }
      for (let whole = false; !whole; ) {
        whole = segment.first !== this.#active.first
        for await (const found of scanSegment(file, at, whole ? undefined : this.#bytes)) {
          if (found.sequence < next) continue
          next = found.sequence + 1
          yield { sequence: found.sequence, entry: found.entry() }
          if (stopped()) return
        }
        if (whole)
          next = Math.max(next, (this.#sealed.find(({ first }) => first === segment.first)?.last ?? 0) + 1) // past what is damaged, as said at open
        else if (next > this.#durable) {
          if (signal === undefined) return
          await this.#grown(signal)
          if (stopped()) return
        }
      }
    }
  }

  async #grown(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closed) return
    try {
      await once(this.#growth, 'grown', { signal })
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** Sealed files whose entries are all shipped and which are old, or too many. */
  #trimmable(): readonly KeptSegment[] {
    const oldestMs = Date.now() - (this.#options.keepShippedMs ?? KEEP_SHIPPED_MS)
    const shipped = this.#sealed.filter(({ last }) => last <= this.#shipped)
    let excess = shipped.reduce((sum, { bytes }) => sum + bytes, 0) - KEEP_SHIPPED_BYTES
    return shipped.filter(({ bytes, newestMs }) => {
      const goes = newestMs < oldestMs || excess > 0
      excess -= bytes
      return goes
    })
  }

  async #deleteOld(): Promise<void> {
    const checkpoint = { sequence: this.#last, memory: this.memory.state() }
    await this.flush() // the checkpoint must not know more than the journal
    await writeCheckpoint(this.#folder, checkpoint)
    for (const segment of this.#trimmable()) {
      this.#sealed = this.#sealed.filter(({ first }) => first !== segment.first) // first, so that no reader opens it any more
      await rm(segment.path, { force: true })
    }
  }
}
