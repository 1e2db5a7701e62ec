import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, mkdtemp, readdir, rm, stat, truncate, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JournalEntry } from '../../../../core/journal.ts'
import type { Journal, JournalOptions } from '../../../../workers/station/journal/journal.ts'
import { openJournal } from '../../../../workers/station/journal/journal.ts'
import type { StoredEntry } from '../../../../workers/station/journal/record.ts'
import { until } from '../../../until.ts'

const cause = { kind: 'PERSON', actor: 'ana' } as const
const TIME = 1_763_632_800_123_456_789n // more digits than a double holds

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kymograph-journal-'))
})
afterEach(() => rm(folder, { recursive: true }))

const reopen = (options: Partial<JournalOptions> = {}): Promise<Journal> => openJournal(folder, { log: () => undefined, ...options })

function event(summary: string): JournalEntry {
  return { type: 'event', event: { time: TIME, kind: 'DEVICE', summary } }
}

async function collect(entries: AsyncIterable<StoredEntry>): Promise<StoredEntry[]> {
  const found: StoredEntry[] = []
  for await (const entry of entries) found.push(entry)
  return found
}

describe('a journal', () => {
  test('gives back what was appended, with one sequence that goes on over restarts', async () => {
    {
      await using journal = await reopen()
      const first = journal.append(event('a'))
      expect(journal.append(event('b'))).toBe(first + 1)
      await journal.flush()
      expect((await collect(journal.readFrom(0))).map(({ sequence }) => sequence)).toEqual([first, first + 1])
    }
    await using journal = await reopen()
    const last = journal.last
    expect(journal.append(event('c'))).toBe(last + 1)
    await journal.flush()
    const entries = await collect(journal.readFrom(0))
    expect(entries.map(({ entry }) => entry)).toEqual([event('a'), event('b'), event('c')])
    expect(await collect(journal.readFrom(last + 1))).toHaveLength(1)
  })

  test('starts behind any sequence that an earlier, lost journal can have shipped', async () => {
    await using lost = await reopen()
    const before = lost.append(event('a'))
    const other = await mkdtemp(join(tmpdir(), 'kymograph-journal-'))
    await using fresh = await openJournal(other, { log: () => undefined })
    expect(fresh.append(event('b'))).toBeGreaterThan(before)
    await rm(other, { recursive: true })
  })

  test('keeps 64-bit times, numbers and texts as they were', async () => {
    await using journal = await reopen()
    const samples: JournalEntry = {
      type: 'samples',
      samples: [1.5, 2 ** 40, -1, Number.NaN, true, 'Ω', [1, 2.5]].map((value) => ({
        deviceId: 'd',
        parameter: 'p',
        reading: { time: TIME, quality: 'GOOD', value },
      })),
    }
    journal.append(samples)
    await journal.flush()
    expect((await collect(journal.readFrom(0)))[0]?.entry).toEqual(samples)
  })

  test('spreads over segments and reads across them', async () => {
    await using journal = await reopen({ segmentBytes: 2000, firstSequence: 1 })
    for (let number = 1; number <= 100; number += 1) {
      journal.append(event(`${number}`.padStart(100)))
      if (number % 3 === 0) await journal.flush()
    }
    await journal.flush()
    expect((await readdir(folder)).length).toBeGreaterThan(3)
    const sequences = (await collect(journal.readFrom(0))).map(({ sequence }) => sequence)
    expect(sequences).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
    expect((await collect(journal.readFrom(57)))[0]?.sequence).toBe(57)
  })

  test('follows what is appended, across segments, and only once it is on disk', async () => {
    await using journal = await reopen({ segmentBytes: 1000, firstSequence: 1 })
    const stop = new AbortController()
    const seen: number[] = []
    const following = (async () => {
      for await (const { sequence } of journal.follow(1, stop.signal)) seen.push(sequence)
    })()
    for (let number = 1; number <= 50; number += 1) {
      journal.append(event(`${number}`.padStart(90)))
      if (number % 7 === 0) await journal.flush()
    }
    await until(() => seen.length === 50) // the last one by itself, without a flush
    expect(seen).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
    stop.abort()
    await following
  })

  test('reads an entry that is larger than the chunks of a scan', async () => {
    await using journal = await reopen()
    journal.append(event('before'))
    journal.append(event('x'.repeat(3_000_000)))
    journal.append(event('after'))
    await journal.flush()
    expect((await collect(journal.readFrom(0))).map(({ entry }) => (entry.type === 'event' ? entry.event.summary.length : 0))).toEqual([6, 3_000_000, 5])
  })

  test('shares one sync among many callers', async () => {
    await using journal = await reopen()
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const sequence = journal.append(event(String(index)))
        await journal.flush()
        expect((await collect(journal.readFrom(sequence))).length).toBeGreaterThan(0)
      }),
    )
    expect(await collect(journal.readFrom(0))).toHaveLength(200)
  })
})

describe('a torn tail', () => {
  const newest = async (): Promise<string> =>
    join(
      folder,
      (await readdir(folder))
        .filter((name) => name.endsWith('.journal'))
        .sort()
        .at(-1) ?? '',
    )

  async function write(count: number): Promise<void> {
    await using journal = await reopen({ firstSequence: 1 })
    for (let number = 0; number < count; number += 1) journal.append(event(`entry ${number}`))
  }

  test.each([1, 5, 20])('of %i bytes is cut, and the sequence goes on without a hole', async (bytes) => {
    await write(10)
    const path = await newest()
    await truncate(path, (await stat(path)).size - bytes)
    const said: string[] = []
    await using journal = await reopen({ log: (message) => said.push(message) })
    expect(said.join()).toContain('never whole')
    expect(journal.append(event('next'))).toBe(10)
    await journal.flush()
    expect((await collect(journal.readFrom(0))).map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })

  test('of garbage behind whole entries is cut', async () => {
    await write(3)
    await appendFile(await newest(), Buffer.from('0a00000012345678deadbeef', 'hex'))
    await using journal = await reopen()
    expect(journal.last).toBe(3)
  })

  test('that is a segment without its head is thrown away', async () => {
    await write(3)
    await appendFile(join(folder, '0000000000000004.journal'), 'KYM')
    await using journal = await reopen()
    expect(journal.append(event('next'))).toBe(4)
  })
})

test('what flush() acknowledged is there after kill -9', { timeout: 60_000 }, async () => {
  const writer = new URL('./journal-writer.ts', import.meta.url).pathname
  let acknowledged = 0
  for (let round = 0; round < 4; round += 1) {
    const child = spawn(process.execPath, ['--import', 'tsx', writer, folder, '100000'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const enough = acknowledged + 300 + round * 37
    for await (const line of createInterface(child.stdout)) {
      acknowledged = Number(line)
      if (acknowledged >= enough) child.kill('SIGKILL') // what is already in the pipe is still read: it was acknowledged as well
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    await using journal = await reopen()
    expect(journal.last).toBeGreaterThanOrEqual(acknowledged)
    const entries = await collect(journal.readFrom(0))
    expect(entries).toHaveLength(journal.last)
    for (const [index, { sequence, entry }] of entries.entries())
      if (sequence !== index + 1 || entry.type !== 'event' || entry.event.time !== BigInt(sequence)) throw new Error(`entry ${index} is not what was written`)
  }
})

describe('idempotency answers', () => {
  const command = (requestId: string, idempotencyKey: string, time = TIME): JournalEntry => ({
    type: 'command',
    time,
    requestId,
    idempotencyKey,
    cause,
    calls: [{ deviceId: 'd', call: { kind: 'stop' } }],
  })
  const outcome = (requestId: string): JournalEntry => ({
    type: 'outcome',
    time: TIME,
    requestId,
    answer: { requestId, state: 'DONE', results: [], elapsedMs: 1 },
  })

  test('are pending, then known, and known again after a restart', async () => {
    {
      await using journal = await reopen()
      expect(journal.answerFor('k')).toBeUndefined()
      journal.append(command('r', 'k'))
      expect(journal.answerFor('k')).toBe('pending')
      journal.append(outcome('r'))
      expect(journal.answerFor('k')).toEqual(outcome('r'))
    }
    await using journal = await reopen()
    expect(journal.answerFor('k')).toEqual(outcome('r'))
  })

  test('of a command that the process did not survive say that the hardware may have acted', async () => {
    {
      await using journal = await reopen()
      journal.append(command('r', 'k'))
    }
    await using journal = await reopen()
    expect(journal.answerFor('k')).toMatchObject({ requestId: 'r', problem: { code: 'HARDWARE_FAULT', facts: { effect: 'POSSIBLE' } } })
  })

  test('are forgotten after a day', async () => {
    await using journal = await reopen()
    journal.append(command('r', 'k'))
    journal.append(outcome('r'))
    journal.append(command('s', 'l', TIME + 25n * 3600n * 1_000_000_000n))
    expect(journal.answerFor('k')).toBeUndefined()
    expect(journal.answerFor('l')).toBe('pending')
  })
})

describe('shipped segments', () => {
  const queue: JournalEntry = { type: 'queue', time: TIME, held: true, reason: 'stopped by ana' }

  async function fill(journal: Journal): Promise<void> {
    for (let number = 0; number < 60; number += 1) {
      journal.append(event(`${number}`.padStart(100)))
      await journal.flush()
    }
  }

  test('stay until they are old, and unshipped ones for ever', async () => {
    await using journal = await reopen({ segmentBytes: 1000, firstSequence: 1 })
    await fill(journal)
    const before = await readdir(folder)
    journal.shipped(journal.last)
    expect(await readdir(folder)).toEqual(before)
  })

  test('are deleted once old; what they said of the queue, the runs and the stop is still known', async () => {
    {
      await using journal = await reopen({ segmentBytes: 1000, firstSequence: 1 })
      journal.append(queue)
      journal.append({ type: 'run', time: TIME, runId: 'run-1', fence: 2, state: 'RUNNING', points: 3 })
      journal.append({ type: 'emergencyStop', state: { active: true, by: 'ana', at: TIME } })
      await fill(journal)
    }
    for (const name of await readdir(folder)) await utimes(join(folder, name), new Date(0), new Date(0))
    {
      await using journal = await reopen({ segmentBytes: 1000, keepShippedMs: 3_600_000 })
      const { last } = journal
      journal.shipped(last - 20)
      await until(() => journal.first > 1)
      expect(journal.first).toBeLessThanOrEqual(last - 19)
      expect((await collect(journal.readFrom(0))).at(-1)?.sequence).toBe(last)
    }
    await using journal = await reopen()
    expect(journal.first).toBeGreaterThan(1)
    expect(journal.memory.queue).toEqual(queue)
    expect(journal.memory.activeRuns).toMatchObject([{ runId: 'run-1', state: 'RUNNING', fence: 2 }])
    expect(journal.memory.emergencyStop?.state.active).toBe(true)
  })
})
