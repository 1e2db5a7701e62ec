import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { InvalidValue, NotFound } from '../../core/errors.ts'
import type { JobContract } from '../../core/job.ts'
import type { QueueConnection, QueueWorker, WorkContext, WorkQueue } from '../../link/queues.ts'
import { bullPriority, openQueue, openWorker, queueJob } from '../../link/queues.ts'
import type { TestDatabase } from '../harness/database.ts'
import { queuesOf, startTestDatabase } from '../harness/database.ts'
import { services } from '../harness/services.ts'
import { severable } from '../harness/severable.ts'
import { until } from '../until.ts'

type Payload = { readonly jobId: string; readonly value: number }
const contract: JobContract<Payload> = {
  name: 'sum',
  attempts: 2,
  maxStalledCount: 1,
  parse(given) {
    const payload = given as Payload
    if (typeof payload.value !== 'number') throw new InvalidValue('value is missing', ['value'])
    return payload
  },
}

const connections: [string, () => QueueConnection][] = [['PostgreSQL', () => ({ databaseUrl: database.url })]]
if (services() !== undefined) connections.push(['Redis', () => queuesOf(database)])

let database: TestDatabase
const opened: AsyncDisposable[] = []
let names = 0

beforeAll(async () => {
  database = await startTestDatabase()
}, 60_000)
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]()
})
afterAll(() => database.stop())

function keep<Opened extends AsyncDisposable>(one: Opened): Opened {
  opened.push(one)
  return one
}

function start(
  connection: QueueConnection,
  run: (payload: Payload, context: WorkContext) => Promise<void>,
  options: { concurrency?: number; paused?: boolean } = {},
): { queue: WorkQueue; worker: QueueWorker; log: string[]; name: string } {
  names += 1
  const name = `test-${process.pid}-${names}`
  const log: string[] = []
  const say = (line: string): void => void log.push(line)
  const queue = keep(openQueue(name, connection, say))
  const { concurrency = 1, paused = false } = options
  const worker = keep(openWorker(name, [queueJob(contract, run)], { concurrency, paused, connection, log: say }))
  return { queue, worker, log, name }
}

function openGate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

describe.each(connections)('queues on %s', (_server, connection) => {
  test('carries a job to its worker, once for each job id, and forgets it', async () => {
    const seen: Payload[] = []
    const { queue, worker } = start(connection(), async (payload) => void seen.push(payload), { paused: true })
    await Promise.all([1, 2].map(() => queue.add(contract, { jobId: 'a', value: 7 }, { jobId: 'a', priority: 0 })))
    worker.resume()
    await until(async () => (await queue.state('a')) === 'absent' && seen.length === 1, { what: 'the job to be done' })
    expect(seen).toEqual([{ jobId: 'a', value: 7 }])
  })

  test('takes the larger priority first, and in the order of their coming what is equal', async () => {
    const order: string[] = []
    const { queue, worker } = start(connection(), async (_payload, { jobId }) => void order.push(jobId), { paused: true })
    for (const [jobId, priority] of [
      ['low', -5],
      ['first', 0],
      ['second', 0],
      ['high', 5],
    ] as const)
      await queue.add(contract, { jobId, value: 0 }, { jobId, priority })
    worker.resume()
    await until(() => order.length === 4)
    expect(order).toEqual(['high', 'first', 'second', 'low'])
  })

  test('takes nothing while it is paused, though it was already waiting for a job', async () => {
    const seen: string[] = []
    const { queue, worker } = start(connection(), async (_payload, { jobId }) => void seen.push(jobId))
    await queue.add(contract, { jobId: 'before', value: 0 }, { jobId: 'before', priority: 0 })
    await until(() => seen.length === 1)
    worker.pause()
    for (const jobId of ['one', 'two', 'three']) await queue.add(contract, { jobId, value: 0 }, { jobId, priority: 0 })
    await until(async () => (await Promise.all(['one', 'two', 'three'].map((id) => queue.state(id)))).every((state) => state === 'waiting'))
    expect(seen).toEqual(['before'])
    worker.resume()
    await until(() => seen.length === 4)
  })

  test('removes what waits, not what runs', async () => {
    const gate = openGate()
    const { queue } = start(connection(), () => gate.opened)
    await queue.add(contract, { jobId: 'running', value: 0 }, { jobId: 'running', priority: 0 })
    await until(async () => (await queue.state('running')) === 'active')
    await queue.add(contract, { jobId: 'waiting', value: 0 }, { jobId: 'waiting', priority: 0 })
    expect(await queue.remove('waiting')).toBe(true)
    expect(await queue.has('waiting')).toBe(false)
    expect(await queue.remove('running')).toBe(false)
    expect(await queue.remove('never')).toBe(false)
    gate.open()
  })

  test('tries again after a fault, never after a Problem', async () => {
    const tries: string[] = []
    const { queue } = start(connection(), async ({ jobId }) => {
      tries.push(jobId)
      throw jobId === 'fault' ? new Error('broken pipe') : new NotFound('dataset')
    })
    for (const jobId of ['fault', 'problem']) await queue.add(contract, { jobId, value: 0 }, { jobId, priority: 0 })
    await until(async () => (await queue.state('fault')) === 'absent' && (await queue.state('problem')) === 'absent')
    expect(tries.sort()).toEqual(['fault', 'fault', 'problem'])
  })

  test('puts a job back that its closing interrupts', async () => {
    const interrupted: unknown[] = []
    let begun = false
    const { queue, worker, name } = start(connection(), async (_payload, { signal }) => {
      begun = true
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    await queue.add(contract, { jobId: 'a', value: 1 }, { jobId: 'a', priority: 0 })
    await until(() => begun) // the queue calls it active a moment before its worker has it
    await worker.close()
    expect(await queue.state('a')).toBe('waiting')
    keep(
      openWorker(name, [queueJob(contract, async (payload) => void interrupted.push(payload))], {
        concurrency: 1,
        connection: connection(),
        log: () => undefined,
      }),
    )
    await until(() => interrupted.length === 1)
  })
})

describe.each(connections)('a worker of %s that closes', (_server, connection) => {
  test('gives back at once a job whose giving is still on its way to it', async () => {
    const to = connection()
    const way = keep(await severable('redisUrl' in to ? to.redisUrl : to.databaseUrl))
    const begun: string[] = []
    const { worker, name } = start('redisUrl' in to ? { redisUrl: way.url } : { databaseUrl: way.url }, async (_payload, { jobId }) => void begun.push(jobId))
    const queue = keep(openQueue(name, to, () => undefined))
    await until(() => worker.online)
    way.answerAfter(1500) // so long the server has given it and the worker knows nothing
    await queue.add(contract, { jobId: 'a', value: 1 }, { jobId: 'a', priority: 0 })
    await until(async () => (await queue.state('a')) === 'active')
    const closing = worker.close()
    way.answerAfter(0) // but for the answer that is on its way
    await closing
    expect(await queue.state('a')).toBe('waiting')
    expect(begun).toEqual([])
  })
})

describe.each(connections)('while %s is away', (_server, connection) => {
  test('the worker starts when it comes, survives its going, finishes what runs, and takes the next', { timeout: 60_000 }, async () => {
    const to = connection()
    const way = keep(await severable('redisUrl' in to ? to.redisUrl : to.databaseUrl))
    await way.cut()
    const done: string[] = []
    const gate = openGate()
    const { queue, worker, log } = start('redisUrl' in to ? { redisUrl: way.url } : { databaseUrl: way.url }, async (_payload, { jobId }) => {
      if (jobId === 'long') await gate.opened
      done.push(jobId)
    })
    await expect(queue.add(contract, { jobId: 'x', value: 0 }, { jobId: 'x', priority: 0 })).rejects.toThrow(/queue .* is away/)
    expect(worker.online).toBe(false)

    await way.mend()
    await until(() => worker.online, { deadlineMs: 20_000 })
    await queue.add(contract, { jobId: 'long', value: 0 }, { jobId: 'long', priority: 0 })
    await until(async () => (await queue.state('long')) === 'active')

    await way.cut()
    await until(() => !worker.online, { deadlineMs: 20_000 })
    gate.open()
    await until(() => done.includes('long'))

    await way.mend()
    await until(() => queue.add(contract, { jobId: 'next', value: 0 }, { jobId: 'next', priority: 0 }).then(() => true), { deadlineMs: 20_000 })
    await until(() => done.includes('next'), { deadlineMs: 20_000 })
    expect(done.filter((jobId) => jobId === 'next')).toHaveLength(1)
    expect(log.length).toBeLessThan(20) // an outage is told in few lines

    await way.cut()
    await expect(Promise.all([worker.close(), queue[Symbol.asyncDispose]()])).resolves.toBeDefined() // an end in order needs no server
  })
})

test('priorities stay in the range of BullMQ and never become its "before all"', () => {
  expect(bullPriority(0)).toBeGreaterThan(1)
  expect(bullPriority(1)).toBeLessThan(bullPriority(0))
  expect(bullPriority(Number.MAX_SAFE_INTEGER)).toBe(1)
  expect(bullPriority(Number.MIN_SAFE_INTEGER)).toBe(2_097_152)
})
