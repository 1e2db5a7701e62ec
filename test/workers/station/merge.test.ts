import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { merge } from '../../../workers/station/merge.ts'
import { until } from '../../until.ts'

async function* counted(items: readonly number[], onEnd: () => void = () => undefined): AsyncGenerator<number, void, void> {
  try {
    for (const item of items) {
      await turn()
      yield item
    }
  } finally {
    onEnd()
  }
}

describe('merged streams', () => {
  it('give the items of each in its order, and end with the last', async () => {
    const seen: number[] = []
    for await (const item of merge(counted([1, 2, 3]), counted([10, 20]))) seen.push(item)
    expect(seen.filter((item) => item < 10)).toEqual([1, 2, 3])
    expect(seen.filter((item) => item >= 10)).toEqual([10, 20])
  })

  it('end all sources when the reader leaves or one of them fails', async () => {
    let ended = 0
    const end = (): void => {
      ended += 1
    }
    for await (const item of merge(counted([1, 2, 3], end), counted([10, 20, 30], end))) if (item > 0) break
    await until(() => ended === 2)
    const failing: AsyncIterable<number> = { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('broken')) }) }
    await expect(collect(merge(counted([1], end), failing))).rejects.toThrow('broken')
  })
})

async function collect(items: AsyncIterable<number>): Promise<number[]> {
  const seen: number[] = []
  for await (const item of items) seen.push(item)
  return seen
}
