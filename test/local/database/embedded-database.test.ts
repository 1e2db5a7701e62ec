import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createPostgresBackend, Queue, Worker } from 'bullmq'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
// the built one: a worker thread does not read TypeScript on Node 20
import { startEmbeddedDatabase } from '../../../dist/local/database/embedded-database.js'
import { embeddedDatabaseUrl } from '../../../local/config.ts'
import { until } from '../../until.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'kymograph-db-'))
})
const processes: ChildProcess[] = []
afterEach(async () => {
  for (const child of processes.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await rm(folder, { recursive: true, force: true })
})

function openPool(socketFolder: string, max = 4): pg.Pool {
  const pool = new pg.Pool({ connectionString: embeddedDatabaseUrl(socketFolder), max })
  pool.on('error', () => undefined) // the engine goes away in these tests
  return pool
}

describe('the embedded database', { timeout: 180_000 }, () => {
  it('ends a statement that outlives its deadline, starts again and has every committed row', async () => {
    const lines: string[] = []
    const socketFolder = path.join(folder, 'run')
    await using _database = await startEmbeddedDatabase({
      dataDir: path.join(folder, 'database'),
      socketFolder,
      statementDeadlineMs: 3_000, // the other statements of this test end sooner, also on a busy machine
      say: (line) => lines.push(line),
    })
    const pool = openPool(socketFolder)
    try {
      await pool.query('CREATE TABLE kept (n int)')
      await pool.query('INSERT INTO kept VALUES (1)')
      await expect(pool.query('WITH RECURSIVE ever(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM ever) SELECT count(*) FROM ever')).rejects.toThrow(
        /terminated|ECONNRESET/,
      )
      await until(async () => (await pool.query('SELECT n FROM kept')).rows.length === 1, { what: 'the committed row' })
      expect(lines).toEqual(['the database engine ended (a statement ran longer than 3000 ms) and starts again'])
    } finally {
      await pool.end()
    }
  })

  it('is whole or not there, when the process dies while it makes its folder', async () => {
    const draft = path.join(folder, 'database.new')
    const first = forkDatabase(folder)
    await until(() => existsSync(path.join(draft, 'PG_VERSION')), { deadlineMs: 60_000, everyMs: 2, what: 'the half made folder' })
    first.kill('SIGKILL')
    await once(first, 'exit')
    expect(existsSync(path.join(folder, 'database/PG_VERSION'))).toBe(false)
    const second = await startProcess(folder)
    expect(existsSync(draft)).toBe(false)
    second.send({ type: 'stop' })
    await once(second, 'exit')
  })

  it('keeps every acknowledged commit over kill -9 while it is written to', async () => {
    const socketFolder = path.join(folder, 'run', 'db')
    let acknowledged = 0
    for (let life = 0; life < 3; life++) {
      const process_ = await startProcess(folder)
      const pool = openPool(socketFolder, 1)
      await pool.query('CREATE TABLE IF NOT EXISTS commit_log (n int PRIMARY KEY)')
      const { rows } = await pool.query<{ count: string; max: number | null }>('SELECT count(*), max(n) FROM commit_log')
      expect(rows[0]?.max ?? -1).toBeGreaterThanOrEqual(acknowledged - 1)
      expect(Number(rows[0]?.count)).toBe((rows[0]?.max ?? -1) + 1)
      let next = (rows[0]?.max ?? -1) + 1
      const enough = next + 300
      const writing = (async () => {
        for (; ; next++) {
          await pool.query('INSERT INTO commit_log VALUES ($1)', [next])
          acknowledged = next + 1
          if (next === enough) process_.kill('SIGKILL')
        }
      })()
      await expect(writing).rejects.toThrow()
      await pool.end()
    }
    expect(acknowledged).toBeGreaterThan(900)
  })

  it('carries BullMQ: every job is done once, with its progress', async () => {
    const socketFolder = path.join(folder, 'run')
    await using _database = await startEmbeddedDatabase({ dataDir: path.join(folder, 'database'), socketFolder, say: () => undefined })
    const connection = { connectionString: embeddedDatabaseUrl(socketFolder), schema: 'bullmq', migrate: true }
    const queue = new Queue('work', { connection }, createPostgresBackend)
    await queue.waitUntilReady()
    const done: number[] = []
    const worker = new Worker(
      'work',
      async (job) => {
        await job.updateProgress(50)
        done.push(job.data.n)
      },
      { connection: { ...connection, migrate: false }, concurrency: 4 },
      createPostgresBackend,
    )
    worker.on('error', (error) => process.emitWarning(error))
    try {
      await queue.addBulk(Array.from({ length: 100 }, (_, n) => ({ name: 'step', data: { n } })))
      await until(() => done.length >= 100)
      await until(async () => (await queue.getCompletedCount()) === 100)
      expect(done.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n))
    } finally {
      await worker.close()
      await queue.close()
    }
  })
})

async function startProcess(dataDir: string): Promise<ChildProcess> {
  const child = forkDatabase(dataDir)
  const [message] = await once(child, 'message')
  expect(message).toEqual({ type: 'ready' })
  return child
}

function forkDatabase(dataDir: string): ChildProcess {
  const child = fork('dist/local/database/main.js', { env: { ...process.env, DATA_DIR: dataDir }, execArgv: [] })
  processes.push(child)
  return child
}
