import { expect, test } from 'vitest'
import { EmergencyStopped } from '../../../core/errors.ts'
import { ExchangeQueue, type Lane } from '../../../drivers/transport/exchange-queue.ts'
import { never, problemOf } from '../bench.ts'

/** Occupies the queue until `release`. */
function occupy(queue: ExchangeQueue): { readonly release: () => void; readonly done: Promise<void> } {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const done = queue.run('read', () => released, never)
  return { release: () => release(), done }
}

test('one at a time; urgent before command before read, and a read is let through after four commands', async () => {
  const queue = new ExchangeQueue()
  const order: string[] = []
  let running = 0
  const first = occupy(queue)
  const add = (lane: Lane, name: string): Promise<void> =>
    queue.run(
      lane,
      async () => {
        running += 1
        expect(running).toBe(1)
        order.push(name)
        await Promise.resolve()
        running -= 1
      },
      never,
    )
  await Promise.resolve()
  const all = [add('read', 'r1'), add('read', 'r2'), ...['c1', 'c2', 'c3', 'c4', 'c5'].map((name) => add('command', name)), add('urgent', 'u')]
  first.release()
  await Promise.all(all)
  expect(order).toEqual(['u', 'c1', 'c2', 'c3', 'c4', 'r1', 'c5', 'r2'])
})

test('who gives up while waiting is not served, and the others are', async () => {
  const queue = new ExchangeQueue()
  const first = occupy(queue)
  const caller = new AbortController()
  let served = false
  const gone = problemOf(queue.run('command', async () => (served = true), caller.signal))
  const other = queue.run('command', async () => 'served', never)
  caller.abort()
  expect((await gone).effect).toBe('NONE')
  first.release()
  expect(await other).toBe('served')
  expect(served).toBe(false)
})

test('a preemption refuses what waits, interrupts what runs, and lets what comes after go on', async () => {
  const queue = new ExchangeQueue()
  const running = problemOf(queue.run('command', (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))), never))
  await Promise.resolve()
  const waiting = problemOf(queue.run('read', async () => undefined, never))
  queue.preempt(new EmergencyStopped('stop', { effect: 'POSSIBLE' }))
  expect((await running).effect).toBe('POSSIBLE')
  expect((await waiting).effect).toBe('NONE')
  expect(await queue.run('read', async () => 'on', never)).toBe('on')
})

test('an exchange that was chosen but has not begun is voided too', async () => {
  const queue = new ExchangeQueue()
  let begun = false
  const chosen = problemOf(queue.run('command', async () => (begun = true), never))
  queue.preempt(new EmergencyStopped('stop'))
  expect((await chosen).code).toBe('EMERGENCY_STOPPED')
  expect(begun).toBe(false)
})

test('the devices of a port take turns in each lane, whatever each of them asks', async () => {
  const queue = new ExchangeQueue()
  const order: string[] = []
  const first = occupy(queue)
  await Promise.resolve()
  const add = (lane: Lane, device: string, name: string): Promise<void> => queue.run(lane, async () => void order.push(name), never, device)
  const all = [
    ...['a1', 'a2', 'a3', 'a4'].map((name) => add('read', 'a', name)),
    add('read', 'b', 'b1'),
    add('read', 'c', 'c1'),
    add('read', 'b', 'b2'),
    ...['A1', 'A2', 'A3'].map((name) => add('command', 'a', name)),
    add('command', 'b', 'B1'),
  ]
  first.release()
  await Promise.all(all)
  expect(order).toEqual(['A1', 'B1', 'A2', 'A3', 'a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4'])
})

test('a device that never stops asking does not keep its neighbour from its place', async () => {
  const queue = new ExchangeQueue()
  const first = occupy(queue)
  await Promise.resolve()
  const flood = Array.from({ length: 300 }, () => queue.run('command', async () => 'ok', never, 'greedy').catch(() => 'refused'))
  let served = 0
  const neighbour = queue.run('command', async () => served, never, 'modest')
  for (const one of flood) void one.then((answer) => (served += answer === 'ok' ? 1 : 0))
  first.release()
  expect(await neighbour).toBeLessThanOrEqual(1)
  expect((await Promise.all(flood)).filter((answer) => answer === 'refused')).toHaveLength(300 - 256)
})

test('a runaway caller is refused', async () => {
  const queue = new ExchangeQueue()
  const first = occupy(queue)
  const many = Array.from({ length: 300 }, () => queue.run('read', async () => 'ok', never).catch(() => 'refused'))
  first.release()
  expect((await Promise.all(many)).filter((answer) => answer === 'refused')).toHaveLength(300 - 256)
})
