import { describe, expect, it } from 'vitest'
import { ClientQueue } from '../../api/subscriptions/client-queue.ts'
import { SharedExecution } from '../../api/subscriptions/execution.ts'
import { SharedText } from '../../api/subscriptions/shared-text.ts'
import { type LiveSource, liveSource } from '../../api/subscriptions/source.ts'
import { until } from '../until.ts'

const source = (delivery: 'LATEST' | 'EVERY'): LiveSource<unknown> =>
  liveSource<unknown>({
    delivery,
    joinable: true,
    present: (dropped) => `present, ${dropped} dropped`,
    behind: (last, newest) => `gap from ${String(last)} to ${String(newest)}`,
    async *run() {
      yield* []
    },
  })

const textOf = async (item: unknown): Promise<SharedText> => new SharedText(String(item))
async function drain(queue: ClientQueue): Promise<string[]> {
  queue.end()
  const texts: string[] = []
  for await (const { text } of queue.texts()) texts.push(text)
  return texts
}

describe('a client that does not keep up', () => {
  it('of LATEST gets the present, with the count of what it missed, and then what comes', async () => {
    let counted = 0
    const queue = new ClientQueue(source('LATEST'), textOf, (count) => {
      counted += count
    })
    for (let item = 0; item < 30; item += 1) queue.push({ item, text: new SharedText(String(item)) })
    const texts = queue.texts()
    expect((await texts.next()).value?.text).toBe('present, 30 dropped')
    queue.push({ item: 30, text: new SharedText('30') })
    expect((await texts.next()).value?.text).toBe('30')
    expect(counted).toBe(30)
  })

  it('of EVERY gets all that came before, then a gap from the last to the newest, and the end', async () => {
    const queue = new ClientQueue(source('EVERY'), textOf, () => undefined)
    for (let item = 0; item < 5_000; item += 1) queue.push({ item, text: new SharedText(String(item)) })
    const texts = await drain(queue)
    const last = texts.length - 2
    expect(texts.slice(0, -1)).toEqual(Array.from({ length: last + 1 }, (_, item) => String(item)))
    expect(texts.at(-1)).toBe(`gap from ${last} to ${last + 1}`)
  })

  it('of EVERY is bounded by size as well as by number', async () => {
    const queue = new ClientQueue(source('EVERY'), textOf, () => undefined)
    const text = new SharedText('x'.repeat(1_000_000))
    for (let item = 0; item < 100; item += 1) queue.push({ item, text })
    expect((await drain(queue)).length).toBeLessThan(20)
  })
})

describe('a shared execution', () => {
  function counter() {
    let started = 0
    let stopped = 0
    let push: ((item: number) => void) | undefined
    const live = liveSource<number>({
      delivery: 'EVERY',
      joinable: true,
      async *run(signal) {
        started += 1
        const waiting: number[] = []
        let wake = (): void => undefined
        push = (item) => {
          waiting.push(item)
          wake()
        }
        signal.addEventListener('abort', () => wake())
        while (!signal.aborted) {
          const next = waiting.shift()
          if (next !== undefined) yield next
          else
            await new Promise<void>((resolve) => {
              wake = resolve
            })
        }
        stopped += 1
      },
    })
    return { live, push: (item: number) => push?.(item), figures: () => ({ started, stopped }) }
  }

  it('executes once for all, goes on while one listens, and stops with the last', async () => {
    const { live, push, figures } = counter()
    let executed = 0
    let ended = 0
    const execution = new SharedExecution({
      source: live,
      textOf: async (item) => {
        executed += 1
        return new SharedText(`text ${String(item)}`)
      },
      textOfError: (error) => new SharedText(String(error)),
      onDrop: () => undefined,
      onEnd: () => {
        ended += 1
      },
    })
    const [one, other] = [execution.join(), execution.join()]
    const first = [one.next(), other.next()]
    await until(() => figures().started === 1)
    push(1)
    expect((await Promise.all(first)).map(({ value }) => value?.text)).toEqual(['text 1', 'text 1'])
    expect(executed).toBe(1)
    await one.return?.()
    const next = other.next()
    push(2)
    expect((await next).value?.text).toBe('text 2')
    await other.return?.()
    await until(() => figures().stopped === 1)
    expect([ended, execution.joinable]).toEqual([1, false])
  })
})
