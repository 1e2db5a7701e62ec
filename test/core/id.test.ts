import { expect, test } from 'vitest'
import { isUuid, uuidv7 } from '../../core/id.ts'

test('ids are version 7, distinct, and grow with time', async () => {
  const before = Date.now()
  const ids = Array.from({ length: 1000 }, uuidv7)
  const after = Date.now()
  expect(new Set(ids).size).toBe(1000)
  for (const id of ids) {
    expect(isUuid(id)).toBe(true)
    expect(id[14]).toBe('7')
    expect('89ab').toContain(id[19])
    const milliseconds = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)
    expect(milliseconds).toBeGreaterThanOrEqual(before)
    expect(milliseconds).toBeLessThanOrEqual(after)
  }
})

test('nothing else is an id', () => {
  for (const text of ['', '.partial', '../x', `${uuidv7()}/..`, `${uuidv7()}\n`, uuidv7().slice(1), uuidv7().replace('-', '')])
    expect(isUuid(text), JSON.stringify(text)).toBe(false)
})
