import { expect, test } from 'vitest'
import { ReadTurns } from '../../api/read-turns.ts'

async function* counting(to: number, ended: () => void): AsyncGenerator<number> {
  try {
    for (let count = 0; count < to; count += 1) yield count
  } finally {
    ended()
  }
}

/** Work that goes on until it is let go. */
function held() {
  let release: () => void = () => undefined
  const done = new Promise<void>((resolve) => {
    release = resolve
  })
  return { work: () => done, release }
}

test('a long reader takes turns with short ones: two at a moment, the rest in their order', async () => {
  const turns = new ReadTurns()
  const [first, second] = [held(), held()]
  const order: string[] = []
  const running = [turns.once(undefined, first.work), turns.once(undefined, second.work)]
  const waiting = ['a', 'b'].map((name) => turns.once(undefined, async () => order.push(name)))
  await Promise.resolve()
  expect(order).toEqual([])
  first.release()
  await Promise.all(waiting)
  expect(order).toEqual(['a', 'b'])
  second.release()
  await Promise.all(running)
})

test('nobody who comes just then gets in between', async () => {
  const turns = new ReadTurns()
  let running = 0
  let most = 0
  const work = async () => {
    running += 1
    most = Math.max(most, running)
    await Promise.resolve()
    running -= 1
  }
  const again = async (): Promise<void> => {
    for (let count = 0; count < 20; count += 1) await turns.once(undefined, work)
  }
  await Promise.all(Array.from({ length: 10 }, again))
  expect(most).toBe(2)
})

test('who gives up leaves its place to the next', async () => {
  const turns = new ReadTurns()
  const wait = held()
  const running = [turns.once(undefined, wait.work), turns.once(undefined, wait.work)]
  const gone = new AbortController()
  const given = turns.once(gone.signal, async () => expect.fail('it had given up'))
  const next = turns.once(undefined, async () => 'next')
  gone.abort(new Error('gone'))
  await expect(given).rejects.toThrow('gone')
  wait.release()
  expect(await next).toBe('next')
  await Promise.all(running)
})

test('items come in order, and what gives them is ended when nobody takes more, or the signal fires', async () => {
  const turns = new ReadTurns()
  let ended = 0
  const taken: number[] = []
  for await (const item of turns.each(counting(5, () => (ended += 1)))) taken.push(item)
  expect([taken, ended]).toEqual([[0, 1, 2, 3, 4], 1])
  for await (const item of turns.each(counting(5, () => (ended += 1)))) if (item === 2) break
  expect(ended).toBe(2)
  const gone = new AbortController()
  const items = turns.each(
    counting(5, () => (ended += 1)),
    gone.signal,
  )
  await items.next()
  gone.abort(new Error('gone'))
  await expect(items.next()).rejects.toThrow('gone')
  expect(ended).toBe(3)
})

test('too many are refused in words, and room comes back', async () => {
  const turns = new ReadTurns()
  const wait = held()
  const open = Array.from({ length: 64 }, () => turns.once(undefined, wait.work))
  await expect(turns.once(undefined, async () => 1)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  await expect(turns.each(counting(1, () => undefined)).next()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  wait.release()
  await Promise.all(open)
  expect(await turns.once(undefined, async () => 1)).toBe(1)
})
